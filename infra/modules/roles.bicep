metadata description = 'What the app itself may do with the data.'

import { roles } from 'types.bicep'

@description('Object id of the identity that the app runs under. Made anew, it has another, and so its assignments have other names.')
param identityPrincipalId string
param hostAccountName string
param workAccountName string
param insightsName string
@description('The queue that triggers the app.')
param requestQueue string
@description('The queue to which the host moves what it gave up on.')
param poisonQueue string

var definitions = 'Microsoft.Authorization/roleDefinitions'

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource workAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource requests 'queues' existing = {
      name: requestQueue
    }

    resource poison 'queues' existing = {
      name: poisonQueue
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The host's blobs: leases, function keys, timers, the deployed package. Its table: diagnostic events.
resource appOnHostAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.storageBlobDataOwner, roles.storageTableDataContributor]: {
    scope: hostAccount
    name: guid(hostAccount.id, identityPrincipalId, role)
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(definitions, role)
    }
  }
]

// The narrower Message Processor may not update a message, and so the host could not renew a lease or delay a retry.
resource appOnRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount::queueService::requests
  name: guid(workAccount::queueService::requests.id, identityPrincipalId, roles.storageQueueDataContributor)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataContributor)
  }
}

resource appOnPoison 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount::queueService::poison
  name: guid(workAccount::queueService::poison.id, identityPrincipalId, roles.storageQueueDataContributor)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataContributor)
  }
}

// On the account and not on its tables: a transaction is sent to the account's own address.
resource appOnLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount
  name: guid(workAccount.id, identityPrincipalId, roles.storageTableDataContributor)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageTableDataContributor)
  }
}

resource appOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identityPrincipalId, roles.monitoringMetricsPublisher)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.monitoringMetricsPublisher)
  }
}
