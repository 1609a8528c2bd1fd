using '../main.bicep'

param noReaders = true
param network = 'private-storage'
param privateDnsZoneIds = {
  blob: '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net'
}
