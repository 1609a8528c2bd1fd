// What `azd up` and the deploy workflow use: the azd environment (azd env set NAME VALUE) fills it in.
// For anything more, copy a line from production.sample.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'production')
param mode = readEnvironmentVariable('B2B_MODE', 'assess')
param eligibilityProfile = readEnvironmentVariable('B2B_ELIGIBILITY_PROFILE', 'current')
param ruleOverrides = json(readEnvironmentVariable('B2B_RULE_OVERRIDES', '{}'))
param excludedGroupId = readEnvironmentVariable('B2B_EXCLUDED_GROUP_ID', '')
param paused = bool(readEnvironmentVariable('B2B_PAUSED', 'false'))
param pythonVersion = readEnvironmentVariable('PYTHON_VERSION', '3.11')
param network = readEnvironmentVariable('NETWORK', 'public')
param zoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param actionGroupId = readEnvironmentVariable('ACTION_GROUP_ID', '')
