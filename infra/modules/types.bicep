metadata description = 'The types and ids that the other files share.'

@export()
@description('Names and values that every resource carries.')
type tags = { *: string }

@export()
@description('Somebody who is given a role: an object id in the directory and what kind of object it is.')
type principal = {
  @minLength(36)
  @maxLength(36)
  principalId: string
  principalType: 'Group' | 'ServicePrincipal' | 'User'
}

// generated: rule overrides (make reference)
type severity = 'block' | 'review' | 'fix' | 'warn' | 'info' | 'off'

@export()
@sealed()
@description('Severities that replace those of docs/reference/rules.md. Some can only be block: without them there is nothing to invite.')
type ruleOverrides = {
  'account-not-found': 'block'?
  'account-ambiguous': 'block'?
  'address-characters': 'block'?
  'custom-message-dropped': severity?
  'copy-recipient': severity?
  'sponsor-unusable': severity?
  'message-suppressed': severity?
  'already-external': 'block'?
  'invitation-pending': 'block'?
  'account-disabled': severity?
  'restricted-management': severity?
  'on-premises-upn': severity?
  'on-premises-synced': severity?
  'upn-domain-federated': severity?
  'directory-role': severity?
  'excluded-group': severity?
  'outside-scope': severity?
  'looks-like-employee': severity?
  'resource-account': severity?
  'no-external-address': 'block'?
  'address-not-on-account': severity?
  'address-ambiguous': severity?
  'exchange-mailbox': severity?
  'possible-mailbox': severity?
  'unknown-exchange-plan': severity?
  'own-verified-domain': severity?
  'address-unlikely': severity?
  'direct-federation': severity?
  'home-account-not-entra': severity?
  'address-in-use': severity?
  'address-requested-twice': severity?
  'domain-not-allowed': severity?
  'cross-tenant-blocked': severity?
  'group-address': severity?
  'mail-domain-differs': severity?
  'invitations-disabled': severity?
  'invitations-admins-only': severity?
}
// end of generated

@export()
@sealed()
@description('A name for a resource of each kind. Lengths are those that Azure allows.')
type resourceNames = {
  @minLength(3)
  @maxLength(128)
  identity: string?
  @minLength(4)
  @maxLength(63)
  workspace: string?
  @minLength(1)
  @maxLength(255)
  insights: string?
  @description('The account of the host: package, leases, function keys.')
  @minLength(3)
  @maxLength(24)
  hostStorage: string?
  @description('The account of queues and ledger.')
  @minLength(3)
  @maxLength(24)
  workStorage: string?
  @minLength(1)
  @maxLength(40)
  plan: string?
  @minLength(2)
  @maxLength(60)
  functionApp: string?
  @minLength(2)
  @maxLength(64)
  network: string?
  @minLength(1)
  @maxLength(80)
  appSecurityGroup: string?
  @minLength(1)
  @maxLength(80)
  endpointSecurityGroup: string?
  @description('With {0} where each endpoint has its part: pep-b2b-{0}.')
  @minLength(4)
  @maxLength(70)
  privateEndpoint: string?
  @description('With {0} where each alert has its part: alert-b2b-{0}.')
  @minLength(4)
  @maxLength(240)
  alert: string?
}

@export()
@sealed()
@description('Resource ids of private DNS zones, by the part of a service whose addresses they hold.')
type privateDnsZones = {
  blob: string?
  queue: string?
  table: string?
  sites: string?
}

@export()
@description('How closed the network is: open, storage behind private endpoints, or the app as well.')
type network = 'public' | 'private-storage' | 'private'

@export()
@description('Built-in Azure roles by name. Each is a data-plane role; none can change a resource or grant a role.')
var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  storageQueueDataReader: '19e7f393-937e-4f77-808e-94535e297925'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  storageTableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
