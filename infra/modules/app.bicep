metadata description = 'The function app on its Flex Consumption plan.'

import { tags as resourceTags } from 'types.bicep'

@description('Instances that never sleep, per group of functions.')
type alwaysReady = { name: string, instanceCount: int }

param siteName string
param planName string
param location string
param tags resourceTags
param identityId string
param identityClientId string
param hostAccountName string
param packageContainer string
param insightsName string
param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances alwaysReady[]
param zoneRedundant bool
@description('Closed to everything but private endpoints.')
param closed bool
@description('The subnet through which the app calls out; empty: none.')
param subnetId string
@description('Client id of the registration that callers sign in for; empty: they hold function keys.')
param signInClientId string
@description('The settings that the app itself reads.')
param settings resourceTags

var storageSuffix = environment().suffixes.storage

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: siteName
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostAccountName}.blob.${storageSuffix}/${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        alwaysReady: alwaysReadyInstances
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }

  resource scmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  // Tokens of this tenant for this registration and nothing else; the app itself asks for roles. Without sign-in it is
  // switched off by name: a deployment leaves alone what it does not mention.
  resource signIn 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: !empty(signInClientId) }
      globalValidation: {
        requireAuthentication: !empty(signInClientId)
        unauthenticatedClientAction: empty(signInClientId) ? 'AllowAnonymous' : 'Return401'
      }
      httpSettings: { requireHttps: true }
      login: { tokenStore: { enabled: false } }
      identityProviders: empty(signInClientId)
        ? {}
        : {
            azureActiveDirectory: {
              enabled: true
              registration: {
                clientId: signInClientId
                openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
              }
              validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
            }
          }
    }
  }

  // Without __credential and __clientId on both connections the scale controller never wakes the app
  // (Azure/azure-functions-host#10904).
  // After sign-in: while the app believes who signed in, somebody has to check.
  resource appSettings 'config' = {
    name: 'appsettings'
    dependsOn: [signIn]
    properties: union(settings, {
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsStorage__blobServiceUri: 'https://${hostAccountName}.blob.${storageSuffix}'
      AzureWebJobsStorage__tableServiceUri: 'https://${hostAccountName}.table.${storageSuffix}'
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    })
  }
}

output id string = site.id
output hostName string = site.properties.defaultHostName
