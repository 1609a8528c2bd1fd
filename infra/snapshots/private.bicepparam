using '../main.bicep'

param network = 'private'
param noReaders = true
