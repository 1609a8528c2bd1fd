using '../main.bicep'

param auditStorage = true
param noReaders = true
