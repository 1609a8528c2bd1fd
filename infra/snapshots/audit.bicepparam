using '../main.bicep'

param auditStorage = true
