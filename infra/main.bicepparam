// What `azd up` and the deploy workflow use: the azd environment (azd env set NAME VALUE) or the repository's variables
// fill it in. For anything more, copy a line from production.sample.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'production')

// ---- The settings of README, under their names

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
param graphTimeoutSeconds = int(readEnvironmentVariable('B2B_GRAPH_TIMEOUT_SECONDS', '30'))
param replicationWindowSeconds = int(readEnvironmentVariable('B2B_REPLICATION_WINDOW_SECONDS', '300'))
param tenantFactsSeconds = int(readEnvironmentVariable('B2B_TENANT_FACTS_SECONDS', '600'))
param assessmentSeconds = int(readEnvironmentVariable('B2B_ASSESSMENT_SECONDS', '900'))
param giveUpSeconds = int(readEnvironmentVariable('B2B_GIVE_UP_SECONDS', '86400'))
param paused = bool(readEnvironmentVariable('B2B_PAUSED', 'false'))
param breakerShare = readEnvironmentVariable('B2B_BREAKER_SHARE', '0.5')
param breakerWindowSeconds = int(readEnvironmentVariable('B2B_BREAKER_WINDOW_SECONDS', '300'))

// ---- What it runs on

param pythonVersion = readEnvironmentVariable('PYTHON_VERSION', '3.11')
param network = readEnvironmentVariable('NETWORK', 'public')
param natGatewayId = readEnvironmentVariable('NAT_GATEWAY_ID', '')
param routeTableId = readEnvironmentVariable('ROUTE_TABLE_ID', '')
param zoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param actionGroupId = readEnvironmentVariable('ACTION_GROUP_ID', '')
param sweepAlertWindow = readEnvironmentVariable('SWEEP_ALERT_WINDOW', 'PT1H')
