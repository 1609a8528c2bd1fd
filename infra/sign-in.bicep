metadata description = 'The registration that callers of the app sign in for, with its roles. Run once, by an application administrator.'

extension microsoftGraphV1

@description('Tells the registrations of several deployments in one tenant apart.')
@minLength(1)
@maxLength(80)
param registrationName string = 'b2b-conversion'

@description('Who holds which role: object ids of persons, groups, applications and managed identities.')
param holders { principalId: string, role: 'Read' | 'Request' | 'Decide' | 'Manage' }[] = []

var table = loadJsonContent('sign-in.json')

resource registration 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: registrationName
  displayName: registrationName
  signInAudience: 'AzureADMyOrg'
  appRoles: table.roles
  optionalClaims: table.optionalClaims
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [table.scope]
    preAuthorizedApplications: [
      for client in table.commandLines: { appId: client, delegatedPermissionIds: [table.scope.id] }
    ]
  }
}

// Without a role nobody gets a token; the app refuses such a caller as well.
resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: registration.appId
  appRoleAssignmentRequired: true
}

resource assignments 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for holder in holders: {
    principalId: holder.principalId
    resourceId: principal.id
    appRoleId: filter(table.roles, role => role.value == holder.role)[0].id
  }
]

@description('signInClientId of main.bicep, and the audience of tokens.')
output clientId string = registration.appId
