using '../main.bicep'

param deployerId = '44444444-0000-4000-8000-000000000008'
param deployerType = 'ServicePrincipal'
param deployerSends = true
param readers = [{ principalId: '44444444-0000-4000-8000-000000000003', principalType: 'Group' }]
