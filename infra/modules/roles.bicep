metadata description = 'Who may do what with the data.'

import { principal, roles } from 'types.bicep'

@description('The identity that the app runs under.')
param identityName string
param hostAccountName string
param workAccountName string
param insightsName string
@description('The queue that producers may send to.')
param requestQueue string
@description('The queue to which the host moves what it gave up on.')
param poisonQueue string
param producers principal[]
param readers principal[]

var definitions = 'Microsoft.Authorization/roleDefinitions'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

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
    name: guid(hostAccount.id, identity.id, role)
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(definitions, role)
    }
  }
]

// The narrower Message Processor may not update a message, and so the host could not renew a lease or delay a retry.
resource appOnRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount::queueService::requests
  name: guid(workAccount::queueService::requests.id, identity.id, roles.storageQueueDataContributor)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataContributor)
  }
}

resource appOnPoison 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount::queueService::poison
  name: guid(workAccount::queueService::poison.id, identity.id, roles.storageQueueDataContributor)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataContributor)
  }
}

// On the account and not on its tables: a transaction is sent to the account's own address.
resource appOnLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workAccount
  name: guid(workAccount.id, identity.id, roles.storageTableDataContributor)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.storageTableDataContributor)
  }
}

resource appOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, roles.monitoringMetricsPublisher)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles.monitoringMetricsPublisher)
  }
}

resource producersOnRequests 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for producer in producers: {
    scope: workAccount::queueService::requests
    name: guid(workAccount::queueService::requests.id, producer.principalId, roles.storageQueueDataMessageSender)
    properties: {
      principalId: producer.principalId
      principalType: producer.principalType
      roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataMessageSender)
    }
  }
]

resource readersOnTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in readers: {
    scope: workAccount
    name: guid(workAccount.id, reader.principalId, roles.storageTableDataReader)
    properties: {
      principalId: reader.principalId
      principalType: reader.principalType
      roleDefinitionId: subscriptionResourceId(definitions, roles.storageTableDataReader)
    }
  }
]

resource readersOnQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in readers: {
    scope: workAccount
    name: guid(workAccount.id, reader.principalId, roles.storageQueueDataReader)
    properties: {
      principalId: reader.principalId
      principalType: reader.principalType
      roleDefinitionId: subscriptionResourceId(definitions, roles.storageQueueDataReader)
    }
  }
]
