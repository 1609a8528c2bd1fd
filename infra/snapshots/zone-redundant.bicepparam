using '../main.bicep'

param zoneRedundant = true
param noReaders = true
