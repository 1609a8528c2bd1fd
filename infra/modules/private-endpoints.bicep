metadata description = 'Private endpoints in the network, and the DNS zones that lead to them.'

import { tags as resourceTags } from 'types.bicep'

@description('One way in: the service and the part of it (blob, queue, table, sites).')
type endpoint = { name: string, serviceId: string, part: string }

param suffix string
param location string
param tags resourceTags
param networkId string
param subnetId string
param endpoints endpoint[]
@description('Off where the landing zone registers private endpoints in zones of its own.')
param createDnsZones bool

var parts = union(map(endpoints, item => item.part), [])
// Azure tells a template no suffix for sites (https://learn.microsoft.com/azure/private-link/private-endpoint-dns).
var sitesSuffix = {
  AzureCloud: 'azurewebsites.net'
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}[environment().name]
var zoneNames = map(
  parts,
  part => 'privatelink.${part == 'sites' ? sitesSuffix : '${part}.${environment().suffixes.storage}'}'
)

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneNames: if (createDnsZones) {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: if (createDnsZones) {
    parent: zones[index]
    name: 'b2b-${suffix}'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for item in endpoints: {
    name: 'pep-b2b-${item.name}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: item.name
          properties: {
            #disable-next-line use-resource-id-functions // a parameter, seen through the loop
            privateLinkServiceId: item.serviceId
            groupIds: [item.part]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (item, index) in endpoints: if (createDnsZones) {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: item.part, properties: { privateDnsZoneId: zones[indexOf(parts, item.part)].id } }
      ]
    }
  }
]
