// The registration with a person who decides and a managed identity that asks.
using '../sign-in.bicep'

param holders = [
  { principalId: '44444444-0000-4000-8000-000000000021', role: 'Decide' }
  { principalId: '44444444-0000-4000-8000-000000000022', role: 'Request' }
]
