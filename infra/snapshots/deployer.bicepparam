using '../main.bicep'

param deployerId = '44444444-0000-4000-8000-000000000007'
param deployerType = 'User'
param deployerSends = true
