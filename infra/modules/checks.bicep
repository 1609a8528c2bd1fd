metadata description = 'What a parameter must be that no type can say, as functions for main.bicep.'

@export()
var smallAlphanumeric = 'abcdefghijklmnopqrstuvwxyz0123456789'

@export()
var alphanumeric = '${smallAlphanumeric}ABCDEFGHIJKLMNOPQRSTUVWXYZ'

@export()
@description('Whether a text has no other characters than these.')
func onlyHas(text string, allowed string) bool =>
  empty(filter(range(0, length(text)), at => !contains(allowed, substring(text, at, 1))))

@export()
@description('Whether an id is that of a subnet, or empty.')
func isSubnet(id string) bool =>
  empty(id) || (contains(toLower(id), '/providers/microsoft.network/virtualnetworks/') && toLower(split(
    '${id}//////////',
    '/'
  )[9]) == 'subnets' && length(split(id, '/')) == 11)

@export()
@description('Whether an id is that of a private DNS zone whose name begins so, or empty.')
func isZone(id string, begin string) bool =>
  empty(id) || contains(toLower(id), '/providers/microsoft.network/privatednszones/privatelink.${begin}.')
