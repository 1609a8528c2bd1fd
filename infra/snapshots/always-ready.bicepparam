using '../main.bicep'

param alwaysReady = { http: 2, queue: 1 }
param noReaders = true
