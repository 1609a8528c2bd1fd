metadata description = 'Alerts over the metrics of docs/reference/metrics.md. A row that a query returns is a reason to wake somebody.'

import { tags as resourceTags } from 'types.bicep'

@export()
type window = 'PT30M' | 'PT1H' | 'PT2H' | 'PT6H' | 'P1D' | 'P2D'

type rule = {
  name: string
  description: string
  @description('0 is critical, 4 verbose.')
  severity: 0 | 1 | 2 | 3 | 4
  over: window
  query: string
}

@description('With {0} where each rule has its own name.')
param ruleName string
param location string
param tags resourceTags
param workspaceId string
@description('Empty: the alerts show in the portal and tell nobody.')
param actionGroupId string
@description('How far back the alerts look that live on what a sweep measures: twice the time between two sweeps, at least.')
param sweepWindow window
@minValue(1)
param oldestRequestMinutes int
@minValue(1)
@maxValue(100)
param failedSharePercent int

// A workspace has no table of metrics until the first one came, and a query over no table fails instead of finding nothing.
var metrics = 'union isfuzzy=true (datatable(TimeGenerated: datetime, Name: string, Sum: real, Max: real, Properties: dynamic) []), AppMetrics'

// A gauge is one value and no range: where Max is empty, Sum is that value.
var poisonQuery = '''
METRICS
| where (Name == 'b2b.poison' and Sum > 0)
    or (Name == 'b2b.queue.depth' and tostring(Properties.queue) endswith '-poison' and coalesce(Max, Sum) > 0)
| summarize Latest = max(TimeGenerated) by Name
'''

// Too few requests make a share meaningless: one failure of two is half.
var failedShareQuery = '''
METRICS
| where Name == 'b2b.requests'
| extend Stage = tostring(Properties.stage)
| where Stage in ('assessed', 'blocked', 'needsReview', 'invited', 'failed', 'rejected')
| summarize Failed = sumif(Sum, Stage == 'failed'), Ended = sum(Sum)
| where Ended >= 10 and 100.0 * Failed / Ended > PERCENT
'''

var breakerQuery = '''
METRICS
| where Name == 'b2b.breaker.open'
| summarize arg_max(TimeGenerated, Max, Sum)
| where coalesce(Max, Sum) >= 1
'''

var oldestQuery = '''
METRICS
| where Name == 'b2b.queue.oldest'
| summarize arg_max(TimeGenerated, Max, Sum)
| where coalesce(Max, Sum) > 60 * MINUTES
'''

// What a part has not reached grows old where its budget is too small, or where every run fails.
var behindQuery = '''
METRICS
| where Name == 'b2b.sweep.behind'
| summarize arg_max(TimeGenerated, Max, Sum) by Part = tostring(Properties.part)
| where coalesce(Max, Sum) > 3 * 3600
'''

// They wait for a newer version of the app: somebody went back to an older one.
var unreadableQuery = '''
METRICS
| where Name == 'b2b.unreadable'
| summarize arg_max(TimeGenerated, Max, Sum)
| where coalesce(Max, Sum) > 0
'''

// A sum over nothing is one row with 0, so silence is a reason too.
var sweepQuery = '''
METRICS
| where Name == 'b2b.sweep.runs'
| summarize Runs = sum(Sum)
| where Runs < 1
'''

var rules rule[] = [
  {
    name: 'poison'
    description: 'The Functions host gave up on a message. The sweep records it; docs/how-to/when-something-is-wrong.md says what to do.'
    severity: 2
    over: sweepWindow
    query: poisonQuery
  }
  {
    name: 'failed-share'
    description: 'More than ${failedSharePercent} % of the requests of the last hour ended as failed.'
    severity: 1
    over: 'PT1H'
    query: replace(failedShareQuery, 'PERCENT', string(failedSharePercent))
  }
  {
    name: 'breaker-open'
    description: 'Too many invitations were refused in a row: the app has stopped inviting.'
    severity: 1
    over: sweepWindow
    query: breakerQuery
  }
  {
    name: 'oldest-request'
    description: 'A request has waited for more than ${oldestRequestMinutes} minutes.'
    severity: 2
    over: sweepWindow
    query: replace(oldestQuery, 'MINUTES', string(oldestRequestMinutes))
  }
  {
    name: 'sweep-silent'
    description: 'No sweep has run: redemptions are not seen, poison is not drained, or the settings are wrong.'
    severity: 1
    over: sweepWindow
    query: sweepQuery
  }
  {
    name: 'sweep-behind'
    description: 'A part of the sweep has not reached for three hours what is due: redemptions are seen late, or lost requests.'
    severity: 2
    over: sweepWindow
    query: behindQuery
  }
  {
    name: 'unreadable-requests'
    description: 'Requests wait for a newer version of the app, which wrote their rows: this version cannot read them.'
    severity: 2
    over: sweepWindow
    query: unreadableQuery
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: format(ruleName, rule.name)
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'B2B conversion: ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      autoMitigate: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT15M'
      // The first deployment comes before the first figure.
      skipQueryValidation: true
      windowSize: rule.over
      criteria: {
        allOf: [
          {
            query: replace(rule.query, 'METRICS', metrics)
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(actionGroupId) ? [] : [actionGroupId] }
    }
  }
]
