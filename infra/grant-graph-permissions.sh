#!/usr/bin/env bash
# Grants the app's identity the application permissions of Microsoft Graph that it needs: the same as
# graph-permissions.bicep, for those who cannot deploy that. Safe to repeat. Azure Cloud Shell has all it takes.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: grant-graph-permissions.sh --identity OBJECT_ID [options]

  --identity OBJECT_ID     output AZURE_IDENTITY_PRINCIPAL_ID of the deployment
  --mode MODE              assess (default) or convert: the app's B2B_MODE
  --profile PROFILE        current (default) or 2020: the app's B2B_ELIGIBILITY_PROFILE
  --overrides JSON         the app's B2B_RULE_OVERRIDES; what only rules that are off need is not granted
  --compare true|false     the app's B2B_COMPARE_ACCESS (default true); in convert, whether Directory.Read.All is granted
  --audit true|false       the app's B2B_READ_AUDIT_LOG (default false); in convert, whether AuditLog.Read.All is granted
  --without-readwrite      in convert, do without User.ReadWrite.All
  --graph URL              in a national cloud the app's GRAPH_BASE_URL (and before: az cloud set)
  --dry-run                say what would be granted, change nothing

Needs az, signed in as a Privileged Role Administrator (or with AppRoleAssignment.ReadWrite.All and
Application.Read.All), and jq.
TEXT
}

fail() {
  echo "grant-graph-permissions: $1" >&2
  exit 2
}

table="$(dirname "${BASH_SOURCE[0]}")/graph-permissions.json"
identity='' mode=assess profile=current overrides='{}' compare=true audit=false readwrite=true dry_run=false graph=''
while (($#)); do
  case $1 in
    --identity | --mode | --profile | --overrides | --compare | --audit | --graph)
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
for tool in az jq; do
  command -v "$tool" >/dev/null || fail "$tool is not on PATH: install it"
done
[[ -n $graph ]] || graph=$(jq -r '.graphBaseUrls[0]' "$table")
[[ $identity =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] || fail '--identity: expected an object id (GUID)'
[[ $mode =~ ^(assess|convert)$ ]] || fail "--mode: expected assess or convert, got '$mode'"
[[ $profile =~ ^(current|2020)$ ]] || fail "--profile: expected current or 2020, got '$profile'"
[[ $compare =~ ^(true|false)$ ]] || fail "--compare: expected true or false, got '$compare'"
[[ $audit =~ ^(true|false)$ ]] || fail "--audit: expected true or false, got '$audit'"
jq -e --arg graph "$graph" '.graphBaseUrls | index([$graph])' "$table" >/dev/null ||
  fail "--graph: expected one of $(jq -r '.graphBaseUrls | join(", ")' "$table"), got '$graph'"
jq -es 'map(type) == ["object"]' <<<"$overrides" >/dev/null 2>&1 || fail '--overrides: expected a JSON object'
wrong=$(jq -r --slurpfile table "$table" '
  $table[0].overrides as $may
  | [to_entries[] | . as {$key, $value}
    | if $may.rules | index([$key]) | not then "no rule is called \($key)"
      elif ($may.onlyBlock | index([$key])) and $value != "block" then "\($key) can only be block"
      elif $may.severities | index([$value]) | not then "\($key): expected one of \($may.severities | join(", "))"
      else empty end]
  | join("; ")' <<<"$overrides")
[[ -z $wrong ]] || fail "--overrides: $wrong"

wanted=$(jq -c --arg mode "$mode" --arg profile "$profile" --argjson overrides "$overrides" --argjson rw "$readwrite" \
  --argjson compare "$compare" --argjson audit "$audit" '
  ((.rulesOff[$profile] | map({(.): "off"}) | add) + $overrides) as $severities
  | [.permissions[] | select(
      if .mode == "assess" then .rules == [] or any(.rules[]; $severities[.] != "off")
      elif .mode == "compare" then $mode == "convert" and $compare
      elif .mode == "audit" then $mode == "convert" and $compare and $audit
      else $mode == "convert" and ($rw or .value != "User.ReadWrite.All") end)]
' "$table")

# Graph's own service principal is larger than the system lets an argument be, so it goes in by a file descriptor.
service=$(az rest --method get --url "$graph/servicePrincipals(appId='$(jq -r .graphAppId "$table")')?\$select=id,appRoles")
resource=$(jq -r .id <<<"$service")
held=$(az rest --method get --url "$graph/servicePrincipals/$identity/appRoleAssignments")

# An id that Microsoft does not publish is looked up in the directory by its name. All are, before the first grant.
wanted=$(jq -c --slurpfile service <(printf '%s' "$service") '
  map(.value as $value | .id //= ([$service[0].appRoles[]
    | select(.value == $value and (.allowedMemberTypes | index("Application"))).id][0] // ""))' <<<"$wanted")
unknown=$(jq -r 'map(select(.id == "").value) | join(", ")' <<<"$wanted")
[[ -z $unknown ]] || fail "this tenant's Microsoft Graph has no application permission $unknown"

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
  grant "$value" "$role"
done < <(jq -r '.[] | [.value, .id] | @tsv' <<<"$wanted")

# Nothing is taken away here: that is for a person to decide.
jq -r --argjson wanted "$wanted" --arg resource "$resource" --slurpfile service <(printf '%s' "$service") '
  .value[] | select(.resourceId == $resource) | . as $grant
  | ($service[0].appRoles[] | select(.id == $grant.appRoleId).value) as $name
  | select(all($wanted[]; .value != $name)) | "surplus  \($name) (assignment \(.id))"' <<<"$held"
