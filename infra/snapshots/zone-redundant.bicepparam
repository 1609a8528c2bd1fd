using '../main.bicep'

param zoneRedundant = true
