metadata description = 'The application permissions of Microsoft Graph that the app needs, and no other. Run once, by a directory administrator.'

extension microsoftGraphV1

import { ruleOverrides as overrides } from 'modules/types.bicep'

@description('Output AZURE_IDENTITY_PRINCIPAL_ID of main.bicep: the object id of the app\'s identity.')
@minLength(36)
@maxLength(36)
param identityPrincipalId string

@description('As in main.bicep. assess grants nothing that writes.')
param mode 'assess' | 'convert' = 'assess'

@description('As in main.bicep.')
param eligibilityProfile 'current' | '2020' = 'current'

@description('As in main.bicep. A rule that is off is not read, so what only it needs is not granted.')
param ruleOverrides overrides = {}

@description('In convert, User.ReadWrite.All beside User.Invite.All. Whether a conversion works without it is documented nowhere.')
param grantUserReadWrite bool = true

@description('As in main.bicep. In convert, Directory.Read.All, without which app roles are not compared after redemption.')
param compareAccess bool = true

@description('As in main.bicep. In convert, while the app compares: AuditLog.Read.All, which names those who redeemed.')
param readAuditLog bool = false

var table = loadJsonContent('graph-permissions.json')
var severities = union(toObject(table.rulesOff[eligibilityProfile], rule => rule, rule => 'off'), ruleOverrides)
var reads = filter(
  table.permissions,
  permission =>
    permission.mode == 'assess' && (empty(permission.rules) || !empty(filter(
      permission.rules,
      rule => (severities[?rule] ?? 'on') != 'off'
    )))
)
var inConvert = {
  assess: false
  convert: true
  compare: compareAccess
  audit: compareAccess && readAuditLog
}
var writes = filter(
  table.permissions,
  permission => inConvert[permission.mode] && (grantUserReadWrite || permission.value != 'User.ReadWrite.All')
)
var granted = concat(reads, mode == 'convert' ? writes : [])

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: table.graphAppId
}

resource assignments 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for permission in granted: {
    principalId: identityPrincipalId
    resourceId: graph.id
    // An id that Microsoft does not publish is looked up in the directory by its name.
    appRoleId: permission.?id ?? filter(
      graph.appRoles,
      role => role.value == permission.value && contains(role.allowedMemberTypes, 'Application')
    )[0].id
  }
]

@description('What was granted, by name.')
output permissions string[] = map(granted, permission => permission.value)
