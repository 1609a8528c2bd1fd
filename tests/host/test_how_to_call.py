"""The pages of docs/how-to about the API: their PowerShell runs, their links work, and the names in them exist."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from b2b.api.callers import Role
from b2b.api.routes import ROUTES
from b2b.settings import SETTINGS
from rehearsal.rig import HostedRig
from tests.contracts.pages import ROOT
from tests.host.rig import EMPLOYEE, mails_to
from tests.infra.powershell import HOW_TO_GET_ONE, find_powershell, powershell
from tests.support.tools import missing

HOW_TO = ROOT / "docs" / "how-to"
PAGES = ("campaign.md", "api-from-powershell.md", "power-automate.md", "managed-identity.md", "sign-in.md")
SAID = {"<who approves>": "ciso@contoso.com", "<who releases>": "ciso@contoso.com", "<ticket>": "ticket 4711"}
"""The values for the placeholders in angle brackets."""
FENCE = re.compile(r"^ *```powershell\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def printed(page: str, running: HostedRig, folder: Path, smaller: Mapping[str, str] | None = None) -> list[str]:
    """Run the PowerShell of a page and return its output lines. `smaller` replaces texts to fit a small list."""
    pwsh = find_powershell()
    if pwsh is None:
        missing(HOW_TO_GET_ONE)
    text = "\n".join(FENCE.findall((HOW_TO / page).read_text("utf-8")))
    text = text.replace("<AZURE_API_URL>", f"{running.host.base}/api")
    text = text.replace("<function key>", running.host.function_key)
    for placeholder, value in {**SAID, **(smaller or {})}.items():
        text = text.replace(placeholder, value)
    assert not re.search(r"<[\w…]", text), "a placeholder that nobody fills in"
    script = folder / "page.ps1"
    script.write_text("$ErrorActionPreference = 'Stop'\nSet-StrictMode -Version 3.0\n" + text, "utf-8")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = powershell(pwsh, "-File", str(script), environment=environment, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return [line.strip() for line in done.stdout.splitlines()]


def test_the_commands_of_the_campaign_page_run_a_campaign(converting: HostedRig, tmp_path: Path) -> None:
    """The list is the page's own as Excel writes it, plus a company that looks like a formula, and an invalid row.

    One person has a fixable finding, and two need a decision. The pilot releases two of the four who are ready then.
    """
    page = (HOW_TO / "campaign.md").read_text("utf-8")
    rows = re.search(r"^```csv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert rows
    assert page.count("-First 10\n") == 1
    listed = [*rows[1].replace(";Acme", ";=Acme").splitlines(), "nobody;;V-1040;Acme;"]
    (tmp_path / "suppliers.csv").write_text("\r\n".join(listed) + "\r\n", "utf-8-sig")
    said = printed("campaign.md", converting, tmp_path, {"-First 10\n": "-First 2\n"})
    assert any(line.startswith("line 7, userPrincipalName: ") for line in said), said
    assert {"judge: 2 ready", "judge: 1 fixable", "judge: 2 needsReview"} <= set(said), said
    assert said.count("1 approved, 0 not") == 2
    assert said.count("release: 2 released") == 2
    assert said[-1] == "end: 1 cancelled"
    assert [mails_to(converting, number) for number in (31, 32, 33, 34, EMPLOYEE)] == [1, 1, 0, 1, 1]
    assert "partner.33@fabrikam.com" in (tmp_path / "worklist.ps1").read_text("utf-8")
    assert "'=Acme" in (tmp_path / "members.csv").read_text("utf-8")
    found = (tmp_path / "findings.csv").read_text("utf-8")
    assert all(rule in found for rule in ("address-not-on-account", "copy-recipient", "looks-like-employee"))


def test_the_commands_of_the_powershell_page_run(converting: HostedRig, tmp_path: Path) -> None:
    rows = ["RequestId,UserPrincipalName", *(f"wave-{number},partner{number}@contoso.com" for number in (21, 22))]
    (tmp_path / "wave.csv").write_text("\n".join(rows) + "\n", "utf-8")
    said = printed("api-from-powershell.md", converting, tmp_path)
    assert any(re.match(r"wave-21\s+partner21@contoso\.com\s+ready", line) for line in said)
    assert said.index("requested by key") < said.index("released by stated ops@contoso.com")
    assert converting.settled("wave-21", "wave-22") == ["invited", "invited"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_existing_files(page: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", (HOW_TO / page).read_text("utf-8")) if "://" not in link]
    assert links
    assert [link for link in links if not (HOW_TO / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_settings_and_roles_that_a_page_names_exist(page: str) -> None:
    text = (HOW_TO / page).read_text("utf-8")
    assert set(re.findall(r"\bB2B_[A-Z_]+\b", text)) <= {setting.name for setting in SETTINGS}
    assert set(re.findall(r"--assign <[^>]+>:(\w+)", text)) <= set(Role)


def test_the_page_names_the_connectors_actions_correctly() -> None:
    text = (HOW_TO / "power-automate.md").read_text("utf-8")
    summaries = {route.summary for route in ROUTES}
    named = set(re.findall(r"\*((?:Convert|List|Approve|Refuse|Release|Retry) [a-z ]+)\*", text))
    assert len(named) > 4
    assert named <= summaries


def test_the_page_names_every_parameter_of_the_sample() -> None:
    sample = json.loads((ROOT / "samples" / "logic-app" / "definition.json").read_text("utf-8"))
    text = (HOW_TO / "power-automate.md").read_text("utf-8")
    assert {name for name in sample["parameters"] if not name.startswith("$")} <= set(re.findall(r"`(\w+)`", text))
