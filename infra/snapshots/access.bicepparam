using '../main.bicep'

param producers = [
  { principalId: '44444444-0000-4000-8000-000000000001', principalType: 'ServicePrincipal' }
  { principalId: '44444444-0000-4000-8000-000000000002', principalType: 'User' }
]
param readers = [{ principalId: '44444444-0000-4000-8000-000000000003', principalType: 'Group' }]
