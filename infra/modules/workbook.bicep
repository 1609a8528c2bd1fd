metadata description = 'The workbook: the funnel, time to redeem, failures by cause.'

import { tags as resourceTags } from 'types.bicep'

param suffix string
param location string
param tags resourceTags
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'b2b-conversion', suffix)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'B2B conversion'
    serializedData: replace(loadTextContent('../workbook.json'), 'WORKSPACE_ID', workspaceId)
    sourceId: workspaceId
    version: '1.0'
  }
}
