using '../main.bicep'

param mode = 'convert'
param noReaders = true
