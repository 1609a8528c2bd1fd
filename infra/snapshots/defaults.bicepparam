using '../main.bicep'

param noReaders = true
