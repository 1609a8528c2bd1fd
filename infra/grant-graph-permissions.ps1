#!/usr/bin/env pwsh
#Requires -Version 7.2
<#
.SYNOPSIS
Grants the app's identity the application permissions of Microsoft Graph that it needs.

.DESCRIPTION
The same as grant-graph-permissions.sh, from the same table and in the same words, for those who work in PowerShell.
Safe to repeat. Needs az, signed in as a Privileged Role Administrator (or with AppRoleAssignment.ReadWrite.All and
Application.Read.All).

.PARAMETER Identity
Output AZURE_IDENTITY_PRINCIPAL_ID of the deployment.
.PARAMETER Mode
assess (default) or convert: the app's B2B_MODE.
.PARAMETER Profile
current (default) or 2020: the app's B2B_ELIGIBILITY_PROFILE.
.PARAMETER Overrides
The app's B2B_RULE_OVERRIDES, as JSON; what only rules that are off need is not granted.
.PARAMETER Compare
The app's B2B_COMPARE_ACCESS: true (default) or false. In convert, whether Directory.Read.All is granted.
.PARAMETER Audit
The app's B2B_READ_AUDIT_LOG: true or false (default). In convert, whether AuditLog.Read.All is granted.
.PARAMETER WithoutReadWrite
In convert, do without User.ReadWrite.All.
.PARAMETER Graph
In a national cloud the app's GRAPH_BASE_URL (and before: az cloud set).
.PARAMETER DryRun
Say what would be granted, change nothing.
.EXAMPLE
./infra/grant-graph-permissions.ps1 -Identity <object id> -Mode assess -DryRun
#>
[CmdletBinding(PositionalBinding = $false)]
param(
    [string]$Identity = '',
    [string]$Mode = 'assess',
    [string]$Profile = 'current',
    [string]$Overrides = '{}',
    [string]$Compare = 'true',
    [string]$Audit = 'false',
    [switch]$WithoutReadWrite,
    [string]$Graph = '',
    [switch]$DryRun
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

function Stop-Script([string]$Reason) {
    [Console]::Error.WriteLine("grant-graph-permissions: $Reason")
    exit 2
}

function Invoke-Graph([string]$Method, [string]$Address, [string[]]$More = @()) {
    $answer = & az rest --method $Method --url $Address @More
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    ($answer -join "`n") | ConvertFrom-Json
}

if (-not (Get-Command az -CommandType Application -ErrorAction SilentlyContinue)) { Stop-Script 'az is not on PATH: install it' }

$table = Get-Content -Raw (Join-Path $PSScriptRoot 'graph-permissions.json') | ConvertFrom-Json
if (-not $Graph) { $Graph = $table.graphBaseUrls[0] }

if ($Identity -notmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') { Stop-Script '-Identity: expected an object id (GUID)' }
if ($Mode -cnotin 'assess', 'convert') { Stop-Script "-Mode: expected assess or convert, got '$Mode'" }
if ($Profile -cnotin 'current', '2020') { Stop-Script "-Profile: expected current or 2020, got '$Profile'" }
if ($Compare -cnotin 'true', 'false') { Stop-Script "-Compare: expected true or false, got '$Compare'" }
if ($Audit -cnotin 'true', 'false') { Stop-Script "-Audit: expected true or false, got '$Audit'" }
if ($Graph -cnotin $table.graphBaseUrls) {
    Stop-Script "-Graph: expected one of $($table.graphBaseUrls -join ', '), got '$Graph'"
}
try { $given = ConvertFrom-Json $Overrides -NoEnumerate } catch { $given = $null }
if ($given -isnot [pscustomobject]) { Stop-Script '-Overrides: expected a JSON object' }
$may = $table.overrides
$wrong = foreach ($override in $given.PSObject.Properties) {
    if ($override.Name -cnotin $may.rules) { "no rule is called $($override.Name)" }
    elseif ($override.Name -cin $may.onlyBlock -and $override.Value -cne 'block') { "$($override.Name) can only be block" }
    elseif ($override.Value -cnotin $may.severities) { "$($override.Name): expected one of $($may.severities -join ', ')" }
}
if ($wrong) { Stop-Script "-Overrides: $($wrong -join '; ')" }

$off = @{}
foreach ($rule in $table.rulesOff.$Profile) { $off[$rule] = $true }
foreach ($override in $given.PSObject.Properties) { $off[$override.Name] = $override.Value -ceq 'off' }
$wanted = @($table.permissions | Where-Object {
        if ($_.mode -ceq 'assess') { $_.rules.Count -eq 0 -or @($_.rules | Where-Object { -not $off[$_] }).Count -gt 0 }
        elseif ($_.mode -ceq 'compare') { $Mode -ceq 'convert' -and $Compare -ceq 'true' }
        elseif ($_.mode -ceq 'audit') { $Mode -ceq 'convert' -and $Compare -ceq 'true' -and $Audit -ceq 'true' }
        else { $Mode -ceq 'convert' -and -not ($WithoutReadWrite -and $_.value -ceq 'User.ReadWrite.All') }
    })

$service = Invoke-Graph get "$Graph/servicePrincipals(appId='$($table.graphAppId)')?`$select=id,appRoles"
$held = @((Invoke-Graph get "$Graph/servicePrincipals/$Identity/appRoleAssignments").value | Where-Object resourceId -CEQ $service.id)

# An id that Microsoft does not publish is looked up in the directory by its name. All are, before the first grant.
$unknown = foreach ($permission in $wanted) {
    if (-not $permission.PSObject.Properties['id'] -or -not $permission.id) {
        $role = $service.appRoles | Where-Object { $_.value -ceq $permission.value -and 'Application' -cin $_.allowedMemberTypes }
        if (-not $role) { $permission.value; continue }
        $permission | Add-Member -Force -NotePropertyName id -NotePropertyValue @($role)[0].id
    }
}
if ($unknown) { Stop-Script "this tenant's Microsoft Graph has no application permission $($unknown -join ', ')" }

foreach ($permission in $wanted) {
    if ($held | Where-Object appRoleId -CEQ $permission.id) {
        "has      $($permission.value)"
    }
    elseif ($DryRun) {
        "would    $($permission.value)"
    }
    else {
        # In a file: on Windows az is a batch file, which takes the quotes of JSON for its own.
        $body = New-TemporaryFile
        try {
            [ordered]@{ principalId = $Identity; resourceId = $service.id; appRoleId = $permission.id } |
                ConvertTo-Json -Compress | Set-Content -NoNewline $body
            $null = Invoke-Graph post "$Graph/servicePrincipals/$Identity/appRoleAssignments" @(
                '--headers', 'Content-Type=application/json', '--body', "@$body")
        }
        finally {
            Remove-Item $body
        }
        "granted  $($permission.value)"
    }
}

# Nothing is taken away here: that is for a person to decide.
foreach ($grant in $held) {
    $role = $service.appRoles | Where-Object id -CEQ $grant.appRoleId
    if ($role -and $role.value -cnotin $wanted.value) { "surplus  $($role.value) (assignment $($grant.id))" }
}
