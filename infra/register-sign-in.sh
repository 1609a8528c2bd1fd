#!/usr/bin/env bash
# Makes the registration that callers of the app sign in for: the same as sign-in.bicep, for those who cannot deploy
# that. Safe to repeat. Azure Cloud Shell has all it takes.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: register-sign-in.sh [options]

  --name NAME              tells the registrations of several deployments apart (default: b2b-conversion)
  --assign OBJECT_ID:ROLE  gives a person, group or managed identity a role: Read, Request, Decide or Manage;
                           may be repeated
  --graph URL              in a national cloud the app's GRAPH_BASE_URL (and before: az cloud set)
  --dry-run                say what would be done, change nothing

Needs az, signed in as an Application Administrator, and for --assign as a Privileged Role Administrator or an owner of
the registration; and jq.
TEXT
}

fail() {
  echo "register-sign-in: $1" >&2
  exit 2
}

here="$(dirname "${BASH_SOURCE[0]}")"
table="$here/sign-in.json"
name=b2b-conversion assign=() dry_run=false
graph=$(jq -r '.graphBaseUrls[0]' "$here/graph-permissions.json")
while (($#)); do
  case $1 in
    --name | --graph)
      (($# > 1)) || fail "$1 wants a value"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --assign)
      (($# > 1)) || fail "$1 wants a value"
      assign+=("$2")
      shift
      ;;
    --dry-run) dry_run=true ;;
    --help | -h) usage && exit ;;
    *) fail "unknown option $1 (try --help)" ;;
  esac
  shift
done
[[ $name =~ ^[A-Za-z0-9._-]{1,80}$ ]] || fail '--name: expected 1 to 80 of the characters A-Z a-z 0-9 . _ -'
jq -e --arg graph "$graph" '.graphBaseUrls | index([$graph])' "$here/graph-permissions.json" >/dev/null ||
  fail "--graph: expected one of $(jq -r '.graphBaseUrls | join(", ")' "$here/graph-permissions.json"), got '$graph'"
for each in ${assign[@]+"${assign[@]}"}; do
  [[ $each =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:(Read|Request|Decide|Manage)$ ]] ||
    fail "--assign: expected OBJECT_ID:ROLE with the role Read, Request, Decide or Manage, got '$each'"
done

# What a caller may be given has to be there before a command line may ask for it: two writes.
roles=$(jq -c --arg name "$name" '{displayName: $name, signInAudience: "AzureADMyOrg", appRoles: .roles, optionalClaims,
  api: {requestedAccessTokenVersion: 2, oauth2PermissionScopes: [.scope]}}' "$table")
lines=$(jq -c '.scope.id as $scope | {api: {requestedAccessTokenVersion: 2, oauth2PermissionScopes: [.scope],
  preAuthorizedApplications: [.commandLines[] | {appId: ., delegatedPermissionIds: [$scope]}]}}' "$table")

write() {
  az rest --method "$1" --url "$2" --headers Content-Type=application/json Prefer=create-if-missing --body "$3" >/dev/null
}

if $dry_run; then
  echo "would    register $name"
  for each in ${assign[@]+"${assign[@]}"}; do echo "would    assign ${each#*:} to ${each%:*}"; done
  exit
fi
write patch "$graph/applications(uniqueName='$name')" "$roles"
write patch "$graph/applications(uniqueName='$name')" "$lines"
client=$(az rest --method get --url "$graph/applications(uniqueName='$name')?\$select=appId" | jq -r .appId)
write patch "$graph/servicePrincipals(appId='$client')" '{"appRoleAssignmentRequired":true}'
service=$(az rest --method get --url "$graph/servicePrincipals(appId='$client')?\$select=id" | jq -r .id)
held=$(az rest --method get --url "$graph/servicePrincipals/$service/appRoleAssignedTo")
for each in ${assign[@]+"${assign[@]}"}; do
  holder=${each%:*} value=${each#*:}
  role=$(jq -r --arg value "$value" '.roles[] | select(.value == $value).id' "$table")
  if jq -e --arg role "$role" --arg holder "${holder,,}" \
    'any(.value[]; .appRoleId == $role and (.principalId | ascii_downcase) == $holder)' <<<"$held" >/dev/null; then
    echo "has      $value: $holder"
  else
    write post "$graph/servicePrincipals/$service/appRoleAssignedTo" \
      "$(jq -nc --arg p "$holder" --arg s "$service" --arg r "$role" '{principalId: $p, resourceId: $s, appRoleId: $r}')"
    echo "assigned $value: $holder"
  fi
done
echo "registered $name: DEPLOY_SIGN_IN_CLIENT_ID is $client"
