metadata description = 'Everything the app runs on, in one resource group. Graph permissions are not here: see graph-permissions.bicep.'

import { window } from 'modules/alerts.bicep'
import { alphanumeric, isSubnet, isZone, onlyHas, smallAlphanumeric } from 'modules/checks.bicep'
import {
  network as networkKind
  principal
  privateDnsZones
  resourceNames as names
  ruleOverrides as overrides
  tags as resourceTags
} from 'modules/types.bicep'

// ---- Where, and under which names

@description('Tells several deployments in one resource group apart; names of resources come from it.')
@minLength(1)
@maxLength(256)
param environmentName string = 'production'

@description('The region of every resource; empty: that of the resource group.')
@maxLength(64)
param location string = ''

@description('Names that a naming policy asks for. A resource that is not named here gets a name of its own.')
param resourceNames names = {}

@description('Tags for every resource, besides those of azd.')
param tags resourceTags = {}

// ---- What the app does (docs/reference/settings.md)

// generated: parameters of settings (make reference)
@description('Microsoft Graph of your cloud; plain http for loopback only.')
param graphBaseUrl
  | 'https://graph.microsoft.com/v1.0'
  | 'https://graph.microsoft.us/v1.0'
  | 'https://dod-graph.microsoft.us/v1.0'
  | 'https://microsoftgraph.chinacloudapi.cn/v1.0' = 'https://graph.microsoft.com/v1.0'

@description('Assess judges every request and writes nothing to Graph; convert invites. A conversion cannot be undone, so switch to convert deliberately.')
param mode 'assess' | 'convert' = 'assess'

@description('Edition of the rules: current (Microsoft\'s article of 2026) or 2020 (the original).')
param eligibilityProfile 'current' | '2020' = 'current'

@description('JSON object of rule ids with block, fix, review, warn, info or off, to change a rule\'s severity.')
param ruleOverrides overrides = {}

@description('Where a person lands after redemption; the app fills in an empty tenantId=.')
@minLength(8)
@maxLength(2048)
param inviteRedirectUrl string = 'https://myapps.microsoft.com?tenantId='

@description('Hosts that a request\'s inviteRedirectUrl may name, separated by commas.')
@minLength(1)
param allowedRedirectHosts string[] = ['myapps.microsoft.com']

@description('Whether Microsoft sends the invitation mail if a request does not say.')
param sendInvitationMessage bool = true

@description('NCRONTAB schedule of the sweep, six fields, UTC, such as 0 */10 * * * *.')
@minLength(11)
@maxLength(120)
param sweepSchedule string = '0 */10 * * * *'

@description('Object id of the group whose members, also nested ones, are never converted; empty: no group.')
@maxLength(36)
param excludedGroupId string = ''

@description('Object id of the group to whose members, also nested ones, conversions are limited; empty: no limit.')
@maxLength(36)
param scopeGroupId string = ''

@description('Domains to which a copy of the invitation mail may go without review, separated by commas; empty: the tenant\'s verified domains.')
param allowedCopyDomains string[] = []

@description('Where callers reach the app if a gateway stands in front of it, such as https://api.contoso.com; empty: the app\'s own host name.')
@maxLength(2048)
param publicUrl string = ''

@description('With sign-in, whether a person may approve their own requests.')
param selfApproval bool = false

@description('With sign-in, whether an application with the role Decide may pass on the decision of a named person.')
param statedDecisions bool = false

@description('Longest wait for one answer from Graph.')
@minValue(1)
@maxValue(120)
param graphTimeoutSeconds int = 30

@description('How long a read of Graph may lag behind a write; a second invitation waits at least this long.')
@minValue(0)
@maxValue(86400)
param replicationWindowSeconds int = 300

@description('How long the app keeps domains and policies before it reads them again.')
@minValue(0)
@maxValue(86400)
param tenantFactsSeconds int = 600

@description('How long the assessment of a parked request (one put back on the queue to wait) is valid; after that, the app assesses again before it sends anything; 0: it always assesses again.')
@minValue(0)
@maxValue(86400)
param assessmentSeconds int = 900

@description('How long a request may go without progress before it ends as failed, decided when it has to wait again; waiting for the stop switch or in assess does not count.')
@minValue(60)
@maxValue(604800)
param giveUpSeconds int = 86400

@description('Whether a cloud-only account shows PendingAcceptance until its person redeems: shows, does not show or unknown; the probe finds out, and the app\'s own observations override it.')
param cloudAccountsShowPending 'unknown' | 'shows' | 'does not show' = 'unknown'

@description('As B2B_CLOUD_ACCOUNTS_SHOW_PENDING, for an account that is synchronized from Active Directory.')
param syncedAccountsShowPending 'unknown' | 'shows' | 'does not show' = 'unknown'

@description('The stop switch: while true, requests wait and the app sends no invitation.')
param paused bool = false

@description('How many invitations the app sends per minute, all instances together; Graph allows 1800 for all applications of a tenant. 0: the app sets no limit.')
@minValue(0)
@maxValue(1800)
param invitationsPerMinute int = 1200

@description('The breaker: if more than this share of a window\'s invitations (at least five) fails, the app pauses all invitations; 1: never.')
@minLength(1)
@maxLength(6)
param breakerShare string = '0.5'

@description('Length of the breaker\'s window, and of the pause before one invitation probes.')
@minValue(10)
@maxValue(86400)
param breakerWindowSeconds int = 300

@description('After how many days the sweep deletes a request that has ended; 0: never. Conversions are never deleted.')
@minValue(0)
@maxValue(3650)
param purgeAfterDays int = 0

@description('In convert, whether the app stores what the directory grants an account, and compares it after redemption.')
param compareAccess bool = true

@description('How long after a redemption the app compares before a difference goes to a person.')
@minValue(600)
@maxValue(2592000)
param compareDeadlineSeconds int = 86400

@description('In convert, while it compares, whether the app reads from the tenant\'s audit log who redeemed.')
param readAuditLog bool = false
// end of generated

// ---- Who else may reach the data

@description('Those who send requests to the queue. They may add messages and nothing else.')
@maxLength(50)
param producers principal[] = []

@description('Those who may read the ledger and the queues; better groups than persons.')
@maxLength(20)
param readers principal[] = []

@description('Object id of the principal that deploys. A person becomes a reader; azd tells it as AZURE_PRINCIPAL_ID.')
@maxLength(36)
param deployerId string = ''

@description('What deployerId is, as far as it is known. Nobody but a User is given anything.')
param deployerType '' | 'Group' | 'ServicePrincipal' | 'User' = ''

@description('The person who deploys may send requests, too.')
param deployerSends bool = false

@description('Client id of the registration that callers sign in for (sign-in.bicep); empty: they hold function keys.')
@maxLength(36)
param signInClientId string = ''

@description('Deploy although nobody may read the ledger: not even an Owner of the subscription can, without a role on the data.')
param noReaders bool = false

// ---- What it runs on

@description('The version that the tests run on.')
param pythonVersion '3.11' | '3.12' | '3.13' = '3.11'

@description('Memory of an instance.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('Most instances per group of functions. Each works on up to 32 messages, and Graph takes 30 invitations a second.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 10

@description('Instances that never sleep, for the HTTP routes and for the queue. Each is paid for around the clock.')
param alwaysReady {
  @minValue(0)
  @maxValue(20)
  http: int
  @minValue(0)
  @maxValue(20)
  queue: int
} = { http: 0, queue: 0 }

@description('Spread over availability zones. It costs at least two instances per group of functions around the clock.')
param zoneRedundant bool = false

// ---- The network

@description('public; private-storage: storage behind private endpoints; private: the app\'s own routes too, so that deployments must come from inside.')
param network networkKind = 'public'

@description('Resource id of a subnet that is there, through which the app calls out: delegated to Microsoft.App/environments, a /27 or larger, for this app alone. Goes with endpointSubnetId.')
param appSubnetId string = ''

@description('Resource id of a subnet that is there, for the private endpoints. Goes with appSubnetId.')
param endpointSubnetId string = ''

@description('The addresses of the network that is made where no subnet is given: a /26 or larger that is free in your plan.')
@minLength(9)
@maxLength(18)
param networkAddressPrefix string = '10.87.0.0/24'

@description('Off where the landing zone registers private endpoints in DNS zones of its own.')
param createPrivateDnsZones bool = true

@description('Resource ids of private DNS zones that are there: endpoints are registered in them. They must be linked to the network of the app.')
param privateDnsZoneIds privateDnsZones = {}

@description('Resource id of a NAT gateway through which the app calls out, for a fixed address; empty: Azure\'s default outbound access.')
param natGatewayId string = ''

@description('Resource id of a route table for what the app calls out, such as one that leads to a firewall; empty: none.')
param routeTableId string = ''

// ---- Watching

@description('Resource id of the action group that alerts go to; empty: they show in the portal and tell nobody.')
param actionGroupId string = ''

@description('Alert when no sweep ran for this long; alerts on what a sweep measures look back as far. At least twice what sweepSchedule leaves between two.')
param sweepAlertWindow window = 'PT1H'

@description('Alert when a request has waited for this long.')
@minValue(1)
@maxValue(10080)
param oldestRequestAlertMinutes int = 60

@description('Alert when more than this share of the last hour\'s requests failed.')
@minValue(1)
@maxValue(99)
param failedShareAlertPercent int = 10

@description('How long telemetry is kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Most telemetry a day, in GB; -1: no limit. Above it alerts go blind until the next day.')
@minValue(-1)
@maxValue(1000)
param logDailyCapGb int = -1

@description('Log who reads, writes and deletes rows of the ledger and messages.')
param auditStorage bool = false

var deployerIsPerson = !empty(deployerId) && deployerType == 'User'
var deployer = deployerIsPerson ? [{ principalId: deployerId, principalType: 'User' }] : []
var allReaders = concat(
  readers,
  filter(deployer, person => !contains(map(readers, r => r.principalId), person.principalId))
)
var allProducers = concat(
  producers,
  filter(deployerSends ? deployer : [], person => !contains(map(producers, p => p.principalId), person.principalId))
)
var inNetwork = network != 'public'
var inExistingNetwork = !empty('${appSubnetId}${endpointSubnetId}')

// What no decorator can say. All that is wrong is told at once, and before anything is deployed.
var mistakes = filter(
  [
    {
      wrong: giveUpSeconds < replicationWindowSeconds + graphTimeoutSeconds
      said: 'giveUpSeconds: at least replicationWindowSeconds and graphTimeoutSeconds together'
    }
    {
      wrong: purgeAfterDays > 0 && purgeAfterDays < 7
      said: 'purgeAfterDays: 0, or 7 at least'
    }
    {
      wrong: !startsWith(toLower(inviteRedirectUrl), 'https://')
      said: 'inviteRedirectUrl: https://…'
    }
    {
      wrong: contains(allowedRedirectHosts, '') || !empty(filter(
        ['/', ':', '@', '*', ',', ' '],
        mark => contains(join(allowedRedirectHosts, ''), mark)
      ))
      said: 'allowedRedirectHosts: names of hosts, without scheme, port and path'
    }
    {
      wrong: length(filter(split(sweepSchedule, ' '), field => !empty(field))) != 6
      said: 'sweepSchedule: six fields, the first is seconds'
    }
    {
      wrong: !empty(excludedGroupId) && join(map(split(excludedGroupId, '-'), part => string(length(part))), '-') != '8-4-4-4-12'
      said: 'excludedGroupId: the object id of a group'
    }
    {
      wrong: !empty(scopeGroupId) && join(map(split(scopeGroupId, '-'), part => string(length(part))), '-') != '8-4-4-4-12'
      said: 'scopeGroupId: the object id of a group'
    }
    {
      wrong: contains(allowedCopyDomains, '') || !empty(filter(
        ['/', ':', '@', '*', ',', ' '],
        mark => contains(join(allowedCopyDomains, ''), mark)
      ))
      said: 'allowedCopyDomains: names of domains, without @'
    }
    {
      wrong: !empty(publicUrl) && (!startsWith(toLower(publicUrl), 'https://') || contains(publicUrl, '?') || contains(
        publicUrl,
        '#'
      ))
      said: 'publicUrl: https://…, without query'
    }
    {
      wrong: breakerShare != '1' && (!startsWith(breakerShare, '0.') || int(replace(breakerShare, '0.', '0')) == 0)
      said: 'breakerShare: above 0 and up to 1, such as 0.5'
    }
    {
      wrong: empty(allReaders) && !noReaders
      said: 'readers: at least one, or nobody can read the ledger (noReaders, if that is meant)'
    }
    {
      wrong: !empty(deployerId) && length(deployerId) != 36
      said: 'deployerId: an object id'
    }
    {
      wrong: inNetwork && !inExistingNetwork && parseCidr(networkAddressPrefix).cidr > 26
      said: 'networkAddressPrefix: a /26 or larger'
    }
    {
      wrong: !inNetwork && !empty('${natGatewayId}${routeTableId}')
      said: 'natGatewayId, routeTableId: there is nothing to attach them to while network is public'
    }
    {
      wrong: inExistingNetwork && !empty('${natGatewayId}${routeTableId}')
      said: 'natGatewayId, routeTableId: attach them to the subnet of appSubnetId yourself'
    }
    {
      wrong: !inNetwork && !empty('${appSubnetId}${endpointSubnetId}')
      said: 'appSubnetId, endpointSubnetId: not used while network is public'
    }
    {
      wrong: empty(appSubnetId) != empty(endpointSubnetId) || (!empty(appSubnetId) && toLower(appSubnetId) == toLower(endpointSubnetId))
      said: 'appSubnetId, endpointSubnetId: two subnets, or none'
    }
    {
      wrong: !isSubnet(appSubnetId)
      said: 'appSubnetId: the resource id of a subnet'
    }
    {
      wrong: !isSubnet(endpointSubnetId)
      said: 'endpointSubnetId: the resource id of a subnet'
    }
    {
      wrong: contains(last(split(appSubnetId, '/')), '_')
      said: 'appSubnetId: Flex Consumption takes no subnet with _ in its name'
    }
    {
      wrong: !inNetwork && !empty(privateDnsZoneIds)
      said: 'privateDnsZoneIds: not used while network is public'
    }
    {
      wrong: !empty(filter(['blob', 'queue', 'table'], part => !isZone(privateDnsZoneIds[?part] ?? '', part))) || !(isZone(
        privateDnsZoneIds.?sites ?? '',
        'azurewebsites'
      ) || isZone(privateDnsZoneIds.?sites ?? '', 'chinacloudsites'))
      said: 'privateDnsZoneIds: each the resource id of the zone privatelink.… of its part'
    }
    {
      wrong: !onlyHas(resourceNames.?hostStorage ?? '', smallAlphanumeric)
      said: 'resourceNames.hostStorage: small letters and digits'
    }
    {
      wrong: !onlyHas(resourceNames.?workStorage ?? '', smallAlphanumeric)
      said: 'resourceNames.workStorage: small letters and digits'
    }
    {
      wrong: (resourceNames.?hostStorage ?? '1') == (resourceNames.?workStorage ?? '2')
      said: 'resourceNames.hostStorage, resourceNames.workStorage: two accounts'
    }
    {
      wrong: !onlyHas(resourceNames.?functionApp ?? '', '${alphanumeric}-') || startsWith(
        resourceNames.?functionApp ?? '',
        '-'
      ) || endsWith(resourceNames.?functionApp ?? '', '-')
      said: 'resourceNames.functionApp: letters, digits and -, which is neither first nor last'
    }
    {
      wrong: !empty(filter(
        objectKeys(resourceNames),
        kind => !onlyHas(resourceNames[?kind] ?? '', '${alphanumeric}-_.(){}')
      ))
      said: 'resourceNames: letters, digits, and of the marks only - _ . ( )'
    }
    {
      wrong: !contains(resourceNames.?privateEndpoint ?? '{0}', '{0}')
      said: 'resourceNames.privateEndpoint: with {0} where each has its part'
    }
    {
      wrong: !contains(resourceNames.?alert ?? '{0}', '{0}')
      said: 'resourceNames.alert: with {0} where each has its part'
    }
    {
      wrong: !empty(natGatewayId) && !contains(toLower(natGatewayId), '/providers/microsoft.network/natgateways/')
      said: 'natGatewayId: the resource id of a NAT gateway'
    }
    {
      wrong: !empty(routeTableId) && !contains(toLower(routeTableId), '/providers/microsoft.network/routetables/')
      said: 'routeTableId: the resource id of a route table'
    }
    {
      wrong: !empty(actionGroupId) && !contains(toLower(actionGroupId), '/providers/microsoft.insights/actiongroups/')
      said: 'actionGroupId: the resource id of an action group'
    }
  ],
  check => check.wrong
)
var suffix = uniqueString(resourceGroup().id, environmentName)
// Every name is taken from here, so that a mistake stops a deployment whatever names are given.
var named = empty(mistakes) ? resourceNames : fail('Expected ${join(map(mistakes, check => check.said), '; ')}')
#disable-next-line no-loc-expr-outside-params // a parameter file cannot leave a parameter to its default
var region = empty(location) ? resourceGroup().location : location
var allTags = union({ application: 'b2b-conversion' }, tags, { 'azd-env-name': environmentName })
var requestQueue = 'conversion-requests'
var poisonQueue = '${requestQueue}-poison'
var packageContainer = 'app-package'
var identityName = named.?identity ?? 'id-b2b-${suffix}'
var siteName = named.?functionApp ?? 'func-b2b-${suffix}'
var insightsName = named.?insights ?? 'appi-b2b-${suffix}'
var hostAccountName = named.?hostStorage ?? 'sthost${suffix}'
var workAccountName = named.?workStorage ?? 'stwork${suffix}'
var storageSuffix = environment().suffixes.storage

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: region
  tags: allTags
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: named.?workspace ?? 'log-b2b-${suffix}'
    insightsName: insightsName
    location: region
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module hostStorage 'modules/storage.bicep' = {
  params: {
    name: hostAccountName
    location: region
    tags: allTags
    zoneRedundant: zoneRedundant
    closed: inNetwork
    containers: [packageContainer]
    audit: auditStorage
    workspaceId: monitoring.outputs.workspaceId
  }
}

module workStorage 'modules/storage.bicep' = {
  params: {
    name: workAccountName
    location: region
    tags: allTags
    zoneRedundant: zoneRedundant
    closed: inNetwork
    queues: [requestQueue, poisonQueue]
    tables: ['conversions', 'requests', 'campaigns']
    audit: auditStorage
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    #disable-next-line what-if-short-circuiting // an identity made anew needs assignments of other names
    identityPrincipalId: identity.properties.principalId
    hostAccountName: hostAccountName
    workAccountName: workAccountName
    insightsName: insightsName
    requestQueue: requestQueue
    poisonQueue: poisonQueue
  }
  dependsOn: [hostStorage, workStorage, monitoring]
}

module access 'modules/access.bicep' = {
  params: { workAccountName: workAccountName, requestQueue: requestQueue, producers: allProducers, readers: allReaders }
  dependsOn: [workStorage]
}

module vnet 'modules/network.bicep' = if (inNetwork && !inExistingNetwork) {
  params: {
    networkName: named.?network ?? 'vnet-b2b-${suffix}'
    appRulesName: named.?appSecurityGroup ?? 'nsg-b2b-app-${suffix}'
    endpointRulesName: named.?endpointSecurityGroup ?? 'nsg-b2b-endpoints-${suffix}'
    location: region
    tags: allTags
    addressPrefix: networkAddressPrefix
    natGatewayId: natGatewayId
    routeTableId: routeTableId
  }
}

module storageEndpoints 'modules/private-endpoints.bicep' = if (inNetwork) {
  params: {
    endpointName: named.?privateEndpoint ?? 'pep-b2b-{0}-${suffix}'
    linkName: 'b2b-${suffix}'
    location: region
    tags: allTags
    networkId: inExistingNetwork ? split(appSubnetId, '/subnets/')[0] : vnet!.outputs.networkId
    subnetId: inExistingNetwork ? endpointSubnetId : vnet!.outputs.endpointSubnetId
    createDnsZones: createPrivateDnsZones
    zoneIds: privateDnsZoneIds
    endpoints: [
      { name: 'host-blob', part: 'blob' }
      { name: 'host-table', part: 'table' }
      { name: 'work-queue', part: 'queue' }
      { name: 'work-table', part: 'table' }
    ]
    serviceIds: [hostStorage.outputs.id, hostStorage.outputs.id, workStorage.outputs.id, workStorage.outputs.id]
  }
}

module app 'modules/app.bicep' = {
  params: {
    siteName: siteName
    planName: named.?plan ?? 'plan-b2b-${suffix}'
    location: region
    tags: allTags
    identityId: identity.id
    identityClientId: identity.properties.clientId
    hostAccountName: hostAccountName
    packageContainer: packageContainer
    insightsName: insightsName
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: filter(
      [
        { name: 'http', instanceCount: alwaysReady.http }
        { name: 'function:convert', instanceCount: alwaysReady.queue }
      ],
      group => group.instanceCount > 0
    )
    zoneRedundant: zoneRedundant
    closed: network == 'private'
    signInClientId: signInClientId
    subnetId: inExistingNetwork ? appSubnetId : inNetwork ? vnet!.outputs.appSubnetId : ''
    settings: {
      B2BStorage__queueServiceUri: 'https://${workAccountName}.queue.${storageSuffix}'
      B2BStorage__tableServiceUri: 'https://${workAccountName}.table.${storageSuffix}'
      B2BStorage__credential: 'managedidentity'
      B2BStorage__clientId: identity.properties.clientId
      // generated: settings (make reference)
      AZURE_CLIENT_ID: identity.properties.clientId
      GRAPH_BASE_URL: graphBaseUrl
      B2B_MODE: mode
      B2B_ELIGIBILITY_PROFILE: eligibilityProfile
      B2B_RULE_OVERRIDES: string(ruleOverrides)
      B2B_INVITE_REDIRECT_URL: inviteRedirectUrl
      B2B_ALLOWED_REDIRECT_HOSTS: join(allowedRedirectHosts, ',')
      B2B_SEND_INVITATION_MESSAGE: sendInvitationMessage ? 'true' : 'false'
      B2B_SWEEP_SCHEDULE: sweepSchedule
      B2B_EXCLUDED_GROUP_ID: excludedGroupId
      B2B_SCOPE_GROUP_ID: scopeGroupId
      B2B_ALLOWED_COPY_DOMAINS: join(allowedCopyDomains, ',')
      B2B_PUBLIC_URL: publicUrl
      B2B_SIGN_IN: empty(signInClientId) ? 'false' : 'true'
      B2B_SELF_APPROVAL: selfApproval ? 'true' : 'false'
      B2B_STATED_DECISIONS: statedDecisions ? 'true' : 'false'
      B2B_GRAPH_TIMEOUT_SECONDS: string(graphTimeoutSeconds)
      B2B_REPLICATION_WINDOW_SECONDS: string(replicationWindowSeconds)
      B2B_TENANT_FACTS_SECONDS: string(tenantFactsSeconds)
      B2B_ASSESSMENT_SECONDS: string(assessmentSeconds)
      B2B_GIVE_UP_SECONDS: string(giveUpSeconds)
      B2B_CLOUD_ACCOUNTS_SHOW_PENDING: cloudAccountsShowPending
      B2B_SYNCED_ACCOUNTS_SHOW_PENDING: syncedAccountsShowPending
      B2B_PAUSED: paused ? 'true' : 'false'
      B2B_INVITATIONS_PER_MINUTE: string(invitationsPerMinute)
      B2B_BREAKER_SHARE: breakerShare
      B2B_BREAKER_WINDOW_SECONDS: string(breakerWindowSeconds)
      B2B_PURGE_AFTER_DAYS: string(purgeAfterDays)
      B2B_COMPARE_ACCESS: compareAccess ? 'true' : 'false'
      B2B_COMPARE_DEADLINE_SECONDS: string(compareDeadlineSeconds)
      B2B_READ_AUDIT_LOG: readAuditLog ? 'true' : 'false'
      // end of generated
    }
  }
  // It starts by reading its storage, which it may only once the roles are there.
  dependsOn: [roles, storageEndpoints]
}

module appEndpoint 'modules/private-endpoints.bicep' = if (network == 'private') {
  params: {
    endpointName: named.?privateEndpoint ?? 'pep-b2b-{0}-${suffix}'
    linkName: 'b2b-${suffix}'
    location: region
    tags: allTags
    networkId: inExistingNetwork ? split(appSubnetId, '/subnets/')[0] : vnet!.outputs.networkId
    subnetId: inExistingNetwork ? endpointSubnetId : vnet!.outputs.endpointSubnetId
    createDnsZones: createPrivateDnsZones
    zoneIds: privateDnsZoneIds
    endpoints: [{ name: 'app', part: 'sites' }]
    serviceIds: [app.outputs.id]
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    ruleName: named.?alert ?? 'alert-b2b-{0}-${suffix}'
    location: region
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: actionGroupId
    sweepWindow: sweepAlertWindow
    oldestRequestMinutes: oldestRequestAlertMinutes
    failedSharePercent: failedShareAlertPercent
  }
}

module workbook 'modules/workbook.bicep' = {
  params: { suffix: suffix, location: region, tags: allTags, workspaceId: monitoring.outputs.workspaceId }
}

@description('Object id of the app\'s identity: what graph-permissions.bicep and its scripts ask for.')
output AZURE_IDENTITY_PRINCIPAL_ID string = identity.properties.principalId

@description('The function app, for deployments of its code.')
output AZURE_FUNCTION_APP_NAME string = siteName

@description('Where callers reach the routes.')
output AZURE_API_URL string = 'https://${app.outputs.hostName}/api'

@description('Where producers send requests to.')
output AZURE_REQUEST_QUEUE_URL string = 'https://${workAccountName}.queue.${storageSuffix}/${requestQueue}'

@description('The storage account of queues and tables, for the commands of docs/operations.md.')
output AZURE_WORK_STORAGE_NAME string = workAccountName
