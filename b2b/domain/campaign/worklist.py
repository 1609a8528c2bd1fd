"""The fixes that a campaign needs: as CSV for the people who make them, and as a script for what Graph can change."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from b2b.domain.campaign import csv_out
from b2b.domain.campaign.member import LISTED_TWICE, Member
from b2b.domain.campaign.outlook import SETS_ADDRESS, Change, Prospect, in_the_way, prospect_of, remedy_of
from b2b.domain.findings import Finding, Profile, Severity

UNLIKELY: Final = "address-unlikely"
HEADERS: Final = (
    *("member", "userId", "userPrincipalName", "address", "reference", "rule", "change", "property", "from", "to"),
    *("who", "finding", "advice"),
)


_HELPED: Final = frozenset({Prospect.FIXABLE, Prospect.NEEDS_A_PERSON})


@dataclass(frozen=True)
class Fix:
    """One change of one account."""

    member: Member
    rule: str
    change: Change
    who: str
    finding: str
    advice: str
    sets: str = ""
    """The property of the account to set; empty if the change sets none."""
    before: str = ""
    after: str = ""
    """The value to set; empty if the list has no address to set, so that a person has to find one."""

    @property
    def by_script(self) -> bool:
        """Whether Graph can make the change and the value to set is known."""
        return self.change is Change.ADDRESS and bool(self.after and self.member.user_id)


def fixes(members: Iterable[Member], profile: Profile) -> Iterator[Fix]:
    """Yield the changes that would let members be invited, also those that would spare a decision.

    An address that may belong to another person is left out until a person has approved it, because the recipient of
    the invitation gets the account. For a member that is the same account as another member, the only fix is to correct
    the list, because the other row may be right.
    """
    for member in members:
        if prospect_of(member) not in _HELPED or _doubtful(member):
            continue
        for finding in _to_mend(member):
            remedy = remedy_of(member, finding)
            sets = remedy.change in SETS_ADDRESS
            if remedy.change is Change.NOTHING or (finding.severity is Severity.REVIEW and sets):
                continue
            yield Fix(
                member,
                finding.rule,
                remedy.change,
                remedy.who,
                finding.message,
                finding.fix,
                sets=_property(member, profile) if sets else "",
                before=member.mail if sets else "",
                after=_wanted(member) if sets else "",
            )


def _to_mend(member: Member) -> tuple[Finding, ...]:
    found = in_the_way(member)
    return tuple(finding for finding in found if finding.rule == LISTED_TWICE) or found


def _doubtful(member: Member) -> bool:
    return any(finding.rule == UNLIKELY and finding.severity is Severity.REVIEW for finding in member.findings)


def _property(member: Member, profile: Profile) -> str:
    return "otherMails" if profile is Profile.LEGACY and not member.synced else "mail"


def _wanted(member: Member) -> str:
    """Return the address to set; empty if the account has that address already, so setting it cannot help."""
    return "" if member.address.lower() in {each.lower() for each in member.mail.split(" ")} else member.address


def as_csv(found: Iterable[Fix]) -> Iterator[str]:
    """Yield the worklist as lines of CSV."""
    return csv_out.lines(
        HEADERS,
        (
            (
                *(fix.member.key, fix.member.user_id, fix.member.user_principal_name, fix.member.address),
                *(
                    fix.member.reference,
                    fix.rule,
                    fix.change,
                    fix.sets,
                    fix.before,
                    fix.after,
                    fix.who,
                    fix.finding,
                    fix.advice,
                ),
            )
            for fix in found
        ),
    )


_BEFORE: Final = """\
#Requires -Version 5.1
<#
.SYNOPSIS
Sets the external addresses that a campaign waits for.
.DESCRIPTION
Needs Microsoft.Graph.Users and a session of Connect-MgGraph -Scopes User.ReadWrite.All.
An account whose address is not what it was when the campaign was judged is left alone, and so is one that has the
address already. -WhatIf shows what would be set. Afterwards wait five minutes and judge the campaign again.
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param()
$ErrorActionPreference = 'Stop'
$rows = ConvertFrom-Json @'
["""
_AFTER: Final = """
]
'@
foreach ($row in $rows) {
    $user = Get-MgUser -UserId $row.userId -Property id, userPrincipalName, mail, otherMails
    $now = if ($row.property -eq 'mail') { @($user.Mail) } else { @($user.OtherMails) }
    $now = @($now | Where-Object { $_ })
    if ($now -contains $row.to) {
        Write-Host "$($user.UserPrincipalName): $($row.property) is $($row.to) already"
        continue
    }
    if (($now -join ' ') -ne $row.from) {
        Write-Warning "$($user.UserPrincipalName): $($row.property) is not '$($row.from)' any more; left alone"
        continue
    }
    if ($PSCmdlet.ShouldProcess($user.UserPrincipalName, "set $($row.property) from '$($row.from)' to '$($row.to)'")) {
        if ($row.property -eq 'mail') { Update-MgUser -UserId $row.userId -Mail $row.to }
        else { Update-MgUser -UserId $row.userId -OtherMails @($now + $row.to) }
    }
}
"""


def as_script(found: Iterable[Fix]) -> Iterator[str]:
    """Yield a PowerShell script that makes the fixes that Graph can make.

    The rows are ASCII JSON in a here-string. Each of their lines begins with a brace or a comma, so no value can end
    the string, and Windows PowerShell reads the file correctly under any code page.
    """
    yield _BEFORE
    between, seen = "\n", set[str]()
    for fix in found:
        if not fix.by_script or fix.member.user_id in seen:
            continue
        seen.add(fix.member.user_id)
        row = {
            "userId": fix.member.user_id,
            "userPrincipalName": fix.member.user_principal_name,
            "property": fix.sets,
            "from": fix.before,
            "to": fix.after,
        }
        yield between + json.dumps(row)
        between = "\n,"
    yield _AFTER
