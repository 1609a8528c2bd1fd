using '../main.bicep'

param mode = 'convert'
