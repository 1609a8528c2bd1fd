#!/usr/bin/env pwsh
#Requires -Version 7.2
<#
.SYNOPSIS
Makes the registration that callers of the app sign in for.

.DESCRIPTION
The same as register-sign-in.sh, from the same table and in the same words, for those who work in PowerShell. Safe to
repeat. Needs az, signed in as an Application Administrator, and for -Assign as a Privileged Role Administrator or an
owner of the registration.

.PARAMETER Name
Tells the registrations of several deployments apart (default: b2b-conversion).
.PARAMETER Assign
OBJECT_ID:ROLE, several separated by commas: gives a person, group or managed identity a role: Read, Request, Decide or
Manage.
.PARAMETER Graph
In a national cloud the app's GRAPH_BASE_URL (and before: az cloud set).
.PARAMETER DryRun
Say what would be done, change nothing.
.EXAMPLE
./infra/register-sign-in.ps1 -Assign '<object id>:Decide'
#>
[CmdletBinding(PositionalBinding = $false)]
param(
    [string]$Name = 'b2b-conversion',
    [string]$Assign = '',
    [string]$Graph = '',
    [switch]$DryRun
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

function Stop-Script([string]$Reason) {
    [Console]::Error.WriteLine("register-sign-in: $Reason")
    exit 2
}

function Invoke-Graph([string]$Method, [string]$Address, [object]$Body = $null) {
    $more = @()
    $file = $null
    try {
        if ($null -ne $Body) {
            # In a file: on Windows az is a batch file, which takes the quotes of JSON for its own.
            $file = New-TemporaryFile
            $Body | ConvertTo-Json -Compress -Depth 9 | Set-Content -NoNewline $file
            $more = '--headers', 'Content-Type=application/json', 'Prefer=create-if-missing', '--body', "@$file"
        }
        $answer = & az rest --method $Method --url $Address @more
        if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
        ($answer -join "`n") | ConvertFrom-Json
    }
    finally {
        if ($file) { Remove-Item $file }
    }
}

$table = Get-Content -Raw (Join-Path $PSScriptRoot 'sign-in.json') | ConvertFrom-Json
$clouds = (Get-Content -Raw (Join-Path $PSScriptRoot 'graph-permissions.json') | ConvertFrom-Json).graphBaseUrls
if (-not $Graph) { $Graph = $clouds[0] }

if ($Name -cnotmatch '^[A-Za-z0-9._-]{1,80}$') { Stop-Script '-Name: expected 1 to 80 of the characters A-Z a-z 0-9 . _ -' }
if ($Graph -cnotin $clouds) { Stop-Script "-Graph: expected one of $($clouds -join ', '), got '$Graph'" }
$holders = @($Assign -split ',' | ForEach-Object Trim | Where-Object { $_ })
foreach ($each in $holders) {
    if ($each -cnotmatch '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:(Read|Request|Decide|Manage)$') {
        Stop-Script "-Assign: expected OBJECT_ID:ROLE with the role Read, Request, Decide or Manage, got '$each'"
    }
}

if ($DryRun) {
    "would    register $Name"
    foreach ($each in $holders) { $holder, $value = $each -split ':'; "would    assign $value to $holder" }
    exit
}

# What a caller may be given has to be there before a command line may ask for it: two writes.
$api = [ordered]@{ requestedAccessTokenVersion = 2; oauth2PermissionScopes = @($table.scope) }
$registration = [ordered]@{
    displayName = $Name
    signInAudience = 'AzureADMyOrg'
    appRoles = $table.roles
    optionalClaims = $table.optionalClaims
    api = $api
}
$address = "$Graph/applications(uniqueName='$Name')"
$null = Invoke-Graph patch $address $registration
$api.preAuthorizedApplications = @($table.commandLines | ForEach-Object {
        [ordered]@{ appId = $_; delegatedPermissionIds = @($table.scope.id) }
    })
$null = Invoke-Graph patch $address ([ordered]@{ api = $api })
$client = (Invoke-Graph get "$address`?`$select=appId").appId
$null = Invoke-Graph patch "$Graph/servicePrincipals(appId='$client')" ([ordered]@{ appRoleAssignmentRequired = $true })
$service = (Invoke-Graph get "$Graph/servicePrincipals(appId='$client')?`$select=id").id
$held = @((Invoke-Graph get "$Graph/servicePrincipals/$service/appRoleAssignedTo").value)

foreach ($each in $holders) {
    $holder, $value = $each -split ':'
    $role = ($table.roles | Where-Object value -CEQ $value).id
    if ($held | Where-Object { $_.appRoleId -ceq $role -and $_.principalId -eq $holder }) {
        "has      ${value}: $holder"
    }
    else {
        $null = Invoke-Graph post "$Graph/servicePrincipals/$service/appRoleAssignedTo" ([ordered]@{
                principalId = $holder; resourceId = $service; appRoleId = $role })
        "assigned ${value}: $holder"
    }
}
"registered ${Name}: DEPLOY_SIGN_IN_CLIENT_ID is $client"
