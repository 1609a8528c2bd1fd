metadata description = 'Private endpoints in the network, and the DNS zones that lead to them.'

import { privateDnsZones, tags as resourceTags } from 'types.bicep'

@description('One way in, to a part of a service: blob, queue, table, sites.')
type endpoint = { name: string, part: string }

@description('With {0} where each endpoint has its own name.')
param endpointName string
param linkName string
param location string
param tags resourceTags
param networkId string
param subnetId string
param endpoints endpoint[]
@description('The service that each of them leads to.')
param serviceIds string[]
@description('Off where the landing zone registers private endpoints in zones of its own.')
param createDnsZones bool
@description('Zones that are there, by part. Only for the other parts a zone is made.')
param zoneIds privateDnsZones

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
  for (zone, index) in zoneNames: if (createDnsZones && empty(zoneIds[?parts[index]] ?? '')) {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: if (createDnsZones && empty(zoneIds[?parts[index]] ?? '')) {
    parent: zones[index]
    name: linkName
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for (item, index) in endpoints: {
    name: format(endpointName, item.name)
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: item.name
          properties: {
            #disable-next-line use-resource-id-functions // a parameter, seen through the loop
            privateLinkServiceId: serviceIds[index]
            groupIds: [item.part]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (item, index) in endpoints: if (createDnsZones || !empty(zoneIds[?item.part] ?? '')) {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: item.part
          properties: {
            privateDnsZoneId: empty(zoneIds[?item.part] ?? '')
              ? zones[indexOf(parts, item.part)].id
              : zoneIds[?item.part]
          }
        }
      ]
    }
  }
]
