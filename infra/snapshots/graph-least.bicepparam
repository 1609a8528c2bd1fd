// The fewest permissions that convert: every rule that wants one of its own is off.
using '../graph-permissions.bicep'

param identityPrincipalId = '33333333-0000-4000-8000-000000000001'
param mode = 'convert'
param eligibilityProfile = '2020'
param grantUserReadWrite = false
param compareAccess = false
param ruleOverrides = {
  'own-verified-domain': 'off'
  'address-ambiguous': 'off'
  'direct-federation': 'off'
  'home-account-not-entra': 'off'
  'address-in-use': 'off'
  'directory-role': 'off'
  'group-address': 'off'
  'sponsor-unusable': 'off'
  'invitations-disabled': 'off'
}
