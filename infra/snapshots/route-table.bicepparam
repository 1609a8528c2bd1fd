using '../main.bicep'

param network = 'private-storage'
param routeTableId = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network/routeTables/rt-firewall'
param noReaders = true
