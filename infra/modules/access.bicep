metadata description = 'Who else may do what with the data. Apart from the app\'s roles, so that a preview can name these before the app exists.'

import { principal, roles } from 'types.bicep'

param workAccountName string
@description('The queue that producers may send to.')
param requestQueue string
param producers principal[]
param readers principal[]

var definitions = 'Microsoft.Authorization/roleDefinitions'

resource workAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource requests 'queues' existing = {
      name: requestQueue
    }
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
