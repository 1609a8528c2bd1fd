// Every parameter that a production deployment is likely to set. Copy it to production.bicepparam and make it yours.
using 'main.bicep'

param environmentName = 'production'
param tags = { costCenter: '4711', owner: 'identity-team@contoso.com' }

// Stay in assess until the findings of the first run have been read.
param mode = 'assess'
param eligibilityProfile = 'current'
// Does without the permission that reads the tenant's allow and deny list; nobody is to review disabled accounts.
param ruleOverrides = {
  'domain-not-allowed': 'off'
  'account-disabled': 'block'
}
param inviteRedirectUrl = 'https://portal.contoso.com/partners'
param allowedRedirectHosts = ['portal.contoso.com', 'myapps.microsoft.com']
param excludedGroupId = '44444444-0000-4000-8000-000000000001'

param producers = [
  { principalId: '44444444-0000-4000-8000-000000000002', principalType: 'ServicePrincipal' }
]
param readers = [
  { principalId: '44444444-0000-4000-8000-000000000003', principalType: 'Group' }
]

param network = 'private-storage'
param networkAddressPrefix = '10.87.0.0/24'
// In place of a network of its own, subnets that the network team hands out, and its DNS zones:
// param appSubnetId = '/subscriptions/…/virtualNetworks/vnet-spoke/subnets/snet-b2b-app'
// param endpointSubnetId = '/subscriptions/…/virtualNetworks/vnet-spoke/subnets/snet-b2b-endpoints'
// param privateDnsZoneIds = { blob: '/subscriptions/…/privateDnsZones/privatelink.blob.core.windows.net' }
// Names that a policy asks for, for as many resources as it does:
// param resourceNames = { functionApp: 'func-identity-b2b-prod-weu-001', hostStorage: 'stb2bhostprodweu001' }
param zoneRedundant = true
param alwaysReady = { http: 1, queue: 0 }

param actionGroupId = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-alerts/providers/Microsoft.Insights/actionGroups/ag-identity'
param auditStorage = true
