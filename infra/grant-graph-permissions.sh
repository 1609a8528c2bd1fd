#!/usr/bin/env bash
# Grants the app's identity the application permissions of Microsoft Graph that it needs: the same as
# graph-permissions.bicep, for those who cannot deploy that. Safe to repeat. Azure Cloud Shell has all it takes.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: grant-graph-permissions.sh --identity OBJECT_ID [options]

  --identity OBJECT_ID     output identityPrincipalId of the deployment
  --mode MODE              assess (default) or convert: the app's B2B_MODE
  --profile PROFILE        current (default) or 2020: the app's B2B_ELIGIBILITY_PROFILE
  --overrides JSON         the app's B2B_RULE_OVERRIDES; what only rules that are off need is not granted
  --without-readwrite      in convert, do without User.ReadWrite.All
  --dry-run                say what would be granted, change nothing

Needs az, signed in as a Privileged Role Administrator (or with AppRoleAssignment.ReadWrite.All and
Application.Read.All), and jq.
TEXT
}

fail() {
  echo "grant-graph-permissions: $1" >&2
  exit 2
}

identity='' mode=assess profile=current overrides='{}' readwrite=true dry_run=false
while (($#)); do
  case $1 in
    --identity | --mode | --profile | --overrides)
      (($# > 1)) || fail "$1 wants a value"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --without-readwrite) readwrite=false ;;
    --dry-run) dry_run=true ;;
    --help | -h) usage && exit ;;
    *) fail "unknown option $1 (try --help)" ;;
  esac
  shift
done
[[ $identity =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] || fail '--identity: expected an object id (GUID)'
[[ $mode =~ ^(assess|convert)$ ]] || fail "--mode: expected assess or convert, got '$mode'"
[[ $profile =~ ^(current|2020)$ ]] || fail "--profile: expected current or 2020, got '$profile'"
jq -e 'type == "object"' <<<"$overrides" >/dev/null 2>&1 || fail '--overrides: expected a JSON object'

table="$(dirname "${BASH_SOURCE[0]}")/graph-permissions.json"
graph='https://graph.microsoft.com/v1.0'
wanted=$(jq -c --arg mode "$mode" --arg profile "$profile" --argjson overrides "$overrides" --argjson rw "$readwrite" '
  ((.rulesOff[$profile] | map({(.): "off"}) | add) + $overrides) as $severities
  | [.permissions[] | select(
      if .mode == "assess" then .rules == [] or any(.rules[]; $severities[.] != "off")
      else $mode == "convert" and ($rw or .value != "User.ReadWrite.All") end)]
' "$table")

service=$(az rest --method get --url "$graph/servicePrincipals(appId='$(jq -r .graphAppId "$table")')?\$select=id,appRoles")
resource=$(jq -r .id <<<"$service")
held=$(az rest --method get --url "$graph/servicePrincipals/$identity/appRoleAssignments")

grant() {
  local value=$1 role=$2
  if jq -e --arg role "$role" --arg resource "$resource" \
    'any(.value[]; .appRoleId == $role and .resourceId == $resource)' <<<"$held" >/dev/null; then
    echo "has      $value"
  elif $dry_run; then
    echo "would    $value"
  else
    az rest --method post --url "$graph/servicePrincipals/$identity/appRoleAssignments" \
      --headers Content-Type=application/json \
      --body "$(jq -nc --arg p "$identity" --arg r "$resource" --arg a "$role" \
        '{principalId: $p, resourceId: $r, appRoleId: $a}')" >/dev/null
    echo "granted  $value"
  fi
}

while IFS=$'\t' read -r value role; do
  # An id that Microsoft does not publish is looked up in the directory by its name.
  [[ -n $role ]] || role=$(jq -r --arg value "$value" \
    '[.appRoles[] | select(.value == $value and (.allowedMemberTypes | index("Application"))).id][0] // ""' <<<"$service")
  [[ -n $role ]] || fail "this tenant's Microsoft Graph has no application permission $value"
  grant "$value" "$role"
done < <(jq -r '.[] | [.value, .id // ""] | @tsv' <<<"$wanted")

# Nothing is taken away here: that is for a person to decide.
jq -r --argjson wanted "$wanted" --arg resource "$resource" --argjson service "$service" '
  .value[] | select(.resourceId == $resource) | . as $grant
  | ($service.appRoles[] | select(.id == $grant.appRoleId).value) as $name
  | select(all($wanted[]; .value != $name)) | "surplus  \($name) (assignment \(.id))"' <<<"$held"
