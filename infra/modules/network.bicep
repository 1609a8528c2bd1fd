metadata description = 'A virtual network for the app, and private endpoints for its storage and, where asked, for the app itself.'

import { tags as resourceTags } from 'types.bicep'

param networkName string
param appRulesName string
param endpointRulesName string
param location string
param tags resourceTags
@description('At least a /26.')
param addressPrefix string
@description('A NAT gateway through which the app calls out; empty: none.')
param natGatewayId string
@description('Routes for what the app calls, such as to a firewall; empty: none.')
param routeTableId string

// Flex Consumption takes its addresses from a subnet of its own.
var appPrefix = cidrSubnet(addressPrefix, 27, 0)
var endpointPrefix = cidrSubnet(addressPrefix, 27, 1)

// Nothing here manages machines: whoever took over the app shall not reach any from it.
var denyManagement = {
  access: 'Deny'
  direction: 'Outbound'
  priority: 200
  protocol: 'Tcp'
  sourceAddressPrefix: '*'
  sourcePortRange: '*'
  destinationAddressPrefix: 'VirtualNetwork'
  destinationPortRanges: ['22', '3389']
}

resource appRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: appRulesName
  location: location
  tags: tags
  properties: {
    securityRules: [
      { name: 'deny-management-outbound', properties: denyManagement }
      {
        name: 'deny-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4000
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: endpointRulesName
  location: location
  tags: tags
  properties: {
    securityRules: [
      { name: 'deny-management-outbound', properties: denyManagement }
      {
        name: 'allow-https-from-networks'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: endpointPrefix
          destinationPortRange: '443'
        }
      }
      {
        name: 'deny-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4000
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: networkName
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appPrefix
          // Graph, Entra and Azure Monitor are reached over the internet, by Azure's own way unless one is given.
          defaultOutboundAccess: empty(natGatewayId) && empty(routeTableId)
          natGateway: empty(natGatewayId) ? null : { id: natGatewayId }
          routeTable: empty(routeTableId) ? null : { id: routeTableId }
          networkSecurityGroup: { id: appRules.id }
          delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: { id: endpointRules.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

output networkId string = network.id
output appSubnetId string = network::app.id
output endpointSubnetId string = network::endpoints.id
