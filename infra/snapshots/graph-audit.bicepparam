using '../graph-permissions.bicep'

param identityPrincipalId = '33333333-0000-4000-8000-000000000001'
param mode = 'convert'
param readAuditLog = true
