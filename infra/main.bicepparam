// What `azd up` and the deploy workflow use: the azd environment (azd env set NAME VALUE) or the repository's variables
// fill it in. Settings of the app stand under the names of docs/reference/settings.md; names that begin with AZURE_ are azd's
// own; everything else begins with DEPLOY_. For anything more, copy a line from production.sample.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'production')
param location = readEnvironmentVariable('AZURE_LOCATION', '')
param resourceNames = json(readEnvironmentVariable('DEPLOY_RESOURCE_NAMES', '{}'))

// ---- The settings of docs/reference/settings.md, under their names

// generated: settings (make reference)
param graphBaseUrl = readEnvironmentVariable('GRAPH_BASE_URL', 'https://graph.microsoft.com/v1.0')
param mode = readEnvironmentVariable('B2B_MODE', 'assess')
param eligibilityProfile = readEnvironmentVariable('B2B_ELIGIBILITY_PROFILE', 'current')
param ruleOverrides = json(readEnvironmentVariable('B2B_RULE_OVERRIDES', '{}'))
param inviteRedirectUrl = readEnvironmentVariable('B2B_INVITE_REDIRECT_URL', 'https://myapps.microsoft.com?tenantId=')
param allowedRedirectHosts = map(
  split(readEnvironmentVariable('B2B_ALLOWED_REDIRECT_HOSTS', 'myapps.microsoft.com'), ','),
  host => trim(host)
)
param sendInvitationMessage = bool(readEnvironmentVariable('B2B_SEND_INVITATION_MESSAGE', 'true'))
param sweepSchedule = readEnvironmentVariable('B2B_SWEEP_SCHEDULE', '0 */10 * * * *')
param excludedGroupId = readEnvironmentVariable('B2B_EXCLUDED_GROUP_ID', '')
param scopeGroupId = readEnvironmentVariable('B2B_SCOPE_GROUP_ID', '')
param allowedCopyDomains = filter(
  map(split(readEnvironmentVariable('B2B_ALLOWED_COPY_DOMAINS', ''), ','), domain => trim(domain)),
  domain => !empty(domain)
)
param publicUrl = readEnvironmentVariable('B2B_PUBLIC_URL', '')
param selfApproval = bool(readEnvironmentVariable('B2B_SELF_APPROVAL', 'false'))
param statedDecisions = bool(readEnvironmentVariable('B2B_STATED_DECISIONS', 'false'))
param graphTimeoutSeconds = int(readEnvironmentVariable('B2B_GRAPH_TIMEOUT_SECONDS', '30'))
param replicationWindowSeconds = int(readEnvironmentVariable('B2B_REPLICATION_WINDOW_SECONDS', '300'))
param tenantFactsSeconds = int(readEnvironmentVariable('B2B_TENANT_FACTS_SECONDS', '600'))
param assessmentSeconds = int(readEnvironmentVariable('B2B_ASSESSMENT_SECONDS', '900'))
param giveUpSeconds = int(readEnvironmentVariable('B2B_GIVE_UP_SECONDS', '86400'))
param cloudAccountsShowPending = readEnvironmentVariable('B2B_CLOUD_ACCOUNTS_SHOW_PENDING', 'unknown')
param syncedAccountsShowPending = readEnvironmentVariable('B2B_SYNCED_ACCOUNTS_SHOW_PENDING', 'unknown')
param paused = bool(readEnvironmentVariable('B2B_PAUSED', 'false'))
param invitationsPerMinute = int(readEnvironmentVariable('B2B_INVITATIONS_PER_MINUTE', '1200'))
param breakerShare = readEnvironmentVariable('B2B_BREAKER_SHARE', '0.5')
param breakerWindowSeconds = int(readEnvironmentVariable('B2B_BREAKER_WINDOW_SECONDS', '300'))
param purgeAfterDays = int(readEnvironmentVariable('B2B_PURGE_AFTER_DAYS', '0'))
param compareAccess = bool(readEnvironmentVariable('B2B_COMPARE_ACCESS', 'true'))
param compareDeadlineSeconds = int(readEnvironmentVariable('B2B_COMPARE_DEADLINE_SECONDS', '86400'))
param readAuditLog = bool(readEnvironmentVariable('B2B_READ_AUDIT_LOG', 'false'))
// end of generated

// ---- Who may send and read

param deployerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param deployerType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', '')
param deployerSends = bool(readEnvironmentVariable('DEPLOY_DEPLOYER_SENDS', 'false'))
param readers = json(readEnvironmentVariable('DEPLOY_READERS', '[]'))
param producers = json(readEnvironmentVariable('DEPLOY_PRODUCERS', '[]'))
param signInClientId = readEnvironmentVariable('DEPLOY_SIGN_IN_CLIENT_ID', '')
param noReaders = bool(readEnvironmentVariable('DEPLOY_NO_READERS', 'false'))

// ---- What it runs on

param pythonVersion = readEnvironmentVariable('DEPLOY_PYTHON_VERSION', '3.11')
param network = readEnvironmentVariable('DEPLOY_NETWORK', 'public')
param networkAddressPrefix = readEnvironmentVariable('DEPLOY_NETWORK_ADDRESS_PREFIX', '10.87.0.0/24')
param appSubnetId = readEnvironmentVariable('DEPLOY_APP_SUBNET_ID', '')
param endpointSubnetId = readEnvironmentVariable('DEPLOY_ENDPOINT_SUBNET_ID', '')
param createPrivateDnsZones = bool(readEnvironmentVariable('DEPLOY_CREATE_PRIVATE_DNS_ZONES', 'true'))
param privateDnsZoneIds = json(readEnvironmentVariable('DEPLOY_PRIVATE_DNS_ZONE_IDS', '{}'))
param natGatewayId = readEnvironmentVariable('DEPLOY_NAT_GATEWAY_ID', '')
param routeTableId = readEnvironmentVariable('DEPLOY_ROUTE_TABLE_ID', '')
param zoneRedundant = bool(readEnvironmentVariable('DEPLOY_ZONE_REDUNDANT', 'false'))
param actionGroupId = readEnvironmentVariable('DEPLOY_ACTION_GROUP_ID', '')
param sweepAlertWindow = readEnvironmentVariable('DEPLOY_SWEEP_ALERT_WINDOW', 'PT1H')
