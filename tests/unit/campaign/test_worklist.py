"""The worklist of fixes, as CSV and as a script that PowerShell runs."""

import csv
import io
import json
import subprocess
from pathlib import Path

from b2b.domain.campaign import csv_out
from b2b.domain.campaign.member import Member, twice
from b2b.domain.campaign.outlook import Change, Who
from b2b.domain.campaign.worklist import as_csv, as_script, fixes
from b2b.domain.findings import Profile, Severity
from tests.infra.powershell import HOW_TO_GET_ONE, find_powershell
from tests.support.tools import missing
from tests.unit.campaign.people import IDS, finding, member

FIX, BLOCK, REVIEW = Severity.FIX, Severity.BLOCK, Severity.REVIEW
MISSING, DIFFERS = finding("no-external-address", FIX), finding("address-not-on-account", FIX)
ODD = finding("address-unlikely", REVIEW)
PWSH = find_powershell()

EMPTY = member(1, DIFFERS, address="anna@fabrikam.com")
OTHER = member(2, DIFFERS, address="berta@fabrikam.com", mail="b@contoso.com")


def worklist(*people: Member, profile: Profile = Profile.CURRENT) -> list[dict[str, str]]:
    text = "".join(as_csv(fixes(people, profile))).removeprefix(csv_out.MARK)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def scripted(*people: Member, profile: Profile = Profile.CURRENT) -> list[dict[str, str]]:
    text = "".join(as_script(fixes(people, profile)))
    rows: list[dict[str, str]] = json.loads(text.split("@'\n", 1)[1].split("\n'@", 1)[0])
    return rows


def test_a_fix_has_the_old_and_the_new_address() -> None:
    (first, second) = worklist(EMPTY, OTHER)
    assert (first["property"], first["from"], first["to"]) == ("mail", "", "anna@fabrikam.com")
    assert (second["from"], second["to"], second["change"]) == ("b@contoso.com", "berta@fabrikam.com", Change.ADDRESS)
    assert [row["to"] for row in scripted(EMPTY, OTHER)] == ["anna@fabrikam.com", "berta@fabrikam.com"]


def test_a_fix_without_a_known_address_is_listed_but_not_in_the_script() -> None:
    unknown = member(1, MISSING)
    own = member(2, finding("own-verified-domain", BLOCK), address="b@contoso.com", mail="B@contoso.com")
    assert [row["to"] for row in worklist(unknown, own)] == ["", ""]
    assert scripted(unknown, own) == []


def test_a_doubtful_address_is_left_out_unless_approved() -> None:
    doubtful = member(1, DIFFERS, ODD, address="anna@fabrikam.com")
    approved = member(2, DIFFERS, finding("address-unlikely", Severity.WARN), address="b@fabrikam.com", waived=(ODD,))
    assert [row["userId"] for row in worklist(doubtful, approved)] == [IDS[2]]


def test_the_only_fix_for_a_member_listed_twice_is_to_correct_the_list() -> None:
    again = twice(OTHER, EMPTY.key)
    (row,) = worklist(again)
    assert (row["rule"], row["change"], row["property"], row["to"]) == ("listed-twice", Change.ROW, "", "")
    assert scripted(again) == []


def test_fixes_outside_graph_are_listed_but_not_in_the_script() -> None:
    synced = member(1, finding("address-not-on-account", BLOCK), address="a@fabrikam.com", synced=True)
    mailbox = member(2, finding("exchange-mailbox", BLOCK))
    (first, second) = worklist(synced, mailbox)
    assert (first["change"], first["property"]) == (Change.ADDRESS_ON_PREMISES, "mail")
    assert (second["change"], second["property"], second["advice"]) == (Change.MAILBOX, "", "mend exchange-mailbox")
    assert scripted(synced, mailbox) == []


def test_a_change_that_spares_a_decision_is_listed_with_who_can_make_it() -> None:
    (row,) = worklist(member(1, finding("account-disabled", REVIEW), finding("directory-role", REVIEW)))
    assert (row["rule"], row["change"], row["who"]) == ("account-disabled", Change.ENABLE, Who.USERS)
    assert scripted(member(1, finding("account-disabled", REVIEW))) == []


def test_a_row_that_was_found_by_its_address_is_named_by_it() -> None:
    (row,) = worklist(member(1, finding("account-not-found", BLOCK), address="anna@fabrikam.com", user_id=""))
    assert (row["userId"], row["address"]) == ("", "anna@fabrikam.com")


def test_members_without_a_fix_or_beyond_help_are_left_out() -> None:
    assert worklist(member(1), member(2, ODD), member(3, finding("already-external", BLOCK), MISSING)) == []


def test_under_the_article_of_2020_the_script_sets_other_mails() -> None:
    (row,) = scripted(
        member(1, finding("no-external-address", BLOCK), address="a@fabrikam.com"), profile=Profile.LEGACY
    )
    assert row["property"] == "otherMails"


NASTY = "'@\n\u2019; Remove-Item x; $(throw) \u201c`\u00e4"
TENANT = """
$ErrorActionPreference = 'Stop'
$global:users = Get-Content -Raw $env:USERS | ConvertFrom-Json -AsHashtable
function Get-MgUser { param($UserId, $Property) [pscustomobject] $global:users[$UserId] }
function Update-MgUser {
    param($UserId, $Mail, $OtherMails)
    if ($PSBoundParameters.ContainsKey('Mail')) { "mail|$UserId|$Mail" }
    else { "otherMails|$UserId|$($OtherMails -join ',')" }
}
"""


def powershell(directory: Path, script: str, users: dict[str, dict[str, object]], *arguments: str) -> list[str]:
    """Run the script with PowerShell against the accounts in ``users`` instead of Graph. Return what it sets."""
    if PWSH is None:
        missing(HOW_TO_GET_ONE)
    (directory / "fix.ps1").write_text(script, encoding="ascii")
    (directory / "users.json").write_text(json.dumps(users), encoding="utf-8")
    (directory / "run.ps1").write_text(f"{TENANT}\n& $PSScriptRoot/fix.ps1 {' '.join(arguments)}\n", encoding="utf-8")
    ran = subprocess.run(  # noqa: S603  a fixed command line
        [PWSH, "-NoProfile", "-NonInteractive", "-File", str(directory / "run.ps1")],
        env={"USERS": str(directory / "users.json"), "HOME": str(directory), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [line for line in ran.stdout.splitlines() if "|" in line]


def user(upn: str, mail: str | None = None, *others: str) -> dict[str, object]:
    return {"Id": "", "UserPrincipalName": upn, "Mail": mail, "OtherMails": list(others)}


def test_the_script_sets_only_addresses_that_have_not_changed_since(tmp_path: Path) -> None:
    gone = member(3, DIFFERS, address="c@fabrikam.com", mail="c@contoso.com")
    done = member(4, DIFFERS, address="d@fabrikam.com", mail="d@contoso.com")
    nasty = member(5, DIFFERS, address=NASTY, user_principal_name=NASTY)
    script = "".join(as_script(fixes([EMPTY, OTHER, gone, done, nasty], Profile.CURRENT)))
    users = {
        IDS[1]: user("anna@contoso.com"),
        IDS[2]: user("berta@contoso.com", "b@contoso.com"),
        IDS[3]: user("carla@contoso.com", "new@fabrikam.com"),
        IDS[4]: user("dora@contoso.com", "D@fabrikam.com"),
        IDS[5]: user("emma@contoso.com"),
    }
    told = powershell(tmp_path, script, users, "-Confirm:$false")
    assert told[:2] == [f"mail|{IDS[1]}|anna@fabrikam.com", f"mail|{IDS[2]}|berta@fabrikam.com"]
    assert "\n".join(told[2:]) == f"mail|{IDS[5]}|'@"
    assert powershell(tmp_path, script, users, "-WhatIf") == []


def test_the_script_adds_to_other_mails_and_keeps_the_others(tmp_path: Path) -> None:
    row = member(1, finding("address-not-on-account", BLOCK), address="anna@fabrikam.com", mail="old@fabrikam.com")
    script = "".join(as_script(fixes([row], Profile.LEGACY)))
    users = {IDS[1]: user("anna@contoso.com", None, "old@fabrikam.com")}
    told = powershell(tmp_path, script, users, "-Confirm:$false")
    assert told == [f"otherMails|{IDS[1]}|old@fabrikam.com,anna@fabrikam.com"]


def test_a_script_without_rows_changes_nothing(tmp_path: Path) -> None:
    assert powershell(tmp_path, "".join(as_script([])), {}) == []
