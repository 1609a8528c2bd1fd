using '../main.bicep'

param network = 'private'
