using '../main.bicep'

param noReaders = true
param location = 'northeurope'
param network = 'private'
param resourceNames = {
  identity: 'id-contoso-b2b'
  workspace: 'log-contoso-b2b'
  insights: 'appi-contoso-b2b'
  hostStorage: 'stcontosob2bhost'
  workStorage: 'stcontosob2bwork'
  plan: 'plan-contoso-b2b'
  functionApp: 'func-contoso-b2b'
  network: 'vnet-contoso-b2b'
  appSecurityGroup: 'nsg-contoso-b2b-app'
  endpointSecurityGroup: 'nsg-contoso-b2b-pep'
  privateEndpoint: 'pep-contoso-{0}'
  alert: 'alert-contoso-{0}'
}
