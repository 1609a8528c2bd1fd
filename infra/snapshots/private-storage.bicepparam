using '../main.bicep'

param network = 'private-storage'
param noReaders = true
