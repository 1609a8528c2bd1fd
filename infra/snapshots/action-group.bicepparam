using '../main.bicep'

param actionGroupId = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-alerts/providers/Microsoft.Insights/actionGroups/ag-identity'
param noReaders = true
