"""checkov on the predicted resources. Each skipped check has a reason.

checkov reads the predictions and not the compiled template, because it cannot read nested deployments with symbolic
names. It runs in its own virtual environment.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import APP_SCENARIOS, ROOT, kept
from tests.support.tools import missing

VERSION = "3.3.30"
HOME = ROOT / ".rehearsal" / "checkov"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
ACCOUNT, PLAN, SITE, CONFIG = "storageAccounts", "serverfarms", "sites", "config"
NO_WEB_CONFIG = "takes app settings for the site's web configuration, which has other names"
SKIPPED = {
    ("CKV_AZURE_17", SITE): "client certificates: callers are workflows that hold none",
    (
        "CKV_AZURE_212",
        SITE,
    ): "least instances: Flex Consumption scales from zero; alwaysReady and zoneRedundant are options",
    ("CKV_AZURE_213", SITE): "platform health check: Flex Consumption has none; /api/health is asked from outside",
    ("CKV_AZURE_222", SITE): "public access: the routes are public unless network is private",
    ("CKV_AZURE_225", PLAN): "zone redundancy is an option, it costs instances around the clock",
    (
        "CKV_AZURE_206",
        ACCOUNT,
    ): "knows replication across regions only, where the ledger would fork; zones are an option",
    ("CKV_AZURE_35", ACCOUNT): "firewall: without a network the app has no fixed address to let in",
    (
        "CKV_AZURE_59",
        ACCOUNT,
    ): "public access: closed by the option network; without it Entra tokens are all that opens",
    ("CKV_AZURE_36", ACCOUNT): "Microsoft's services get no way around a closed account: the app does not need one",
    **{
        (check, CONFIG): NO_WEB_CONFIG
        for check in (
            "CKV_AZURE_13",
            "CKV_AZURE_63",
            "CKV_AZURE_65",
            "CKV_AZURE_66",
            "CKV_AZURE_80",
            "CKV_AZURE_88",
            "CKV_AZURE_222",
        )
    },
}
ONLY_WHEN_OPEN = {("CKV_AZURE_222", SITE), ("CKV_AZURE_35", ACCOUNT), ("CKV_AZURE_59", ACCOUNT)}
ONLY_WHEN_NOT_REDUNDANT = {("CKV_AZURE_225", PLAN)}

pytestmark = pytest.mark.timeout(420)
"""The first test installs checkov, which may take long."""


def installed() -> Path:
    """Install checkov once in its own virtual environment, because its pins conflict with the project's."""
    program, mark = HOME / "bin" / "checkov", HOME / f"installed-{VERSION}"
    if not mark.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True, timeout=60)  # noqa: S603
        pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", f"checkov=={VERSION}"]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
        if done.returncode != 0:
            missing(f"checkov could not be installed into {HOME}: {done.stderr.strip().splitlines()[-1]}")
        mark.touch()
    return program


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run checkov once on all scenarios, each in its own file."""
    program = installed()
    folder = tmp_path_factory.mktemp("templates")
    for scenario in APP_SCENARIOS:
        template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(kept(scenario).resources)}
        (folder / f"{scenario}.json").write_text(json.dumps(template, indent=1), "utf-8")
    # Without --skip-download checkov fetches texts from the internet that no test needs.
    command = [str(program), "--framework", "arm", "--directory", str(folder), "--skip-download", "--output", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def failed(report: dict[str, Any], scenario: str) -> set[tuple[str, str]]:
    """Return the failed checks of a scenario with the kind of resource: `sites` for Microsoft.Web/sites.func-b2b."""
    return {
        (check["check_id"], check["resource"].split(".", 2)[1].rsplit("/", 1)[1])
        for check in report["results"]["failed_checks"]
        if check["file_path"].endswith(f"/{scenario}.json")
    }


def passed(report: dict[str, Any]) -> set[str]:
    return {check["check_id"] for check in report["results"]["passed_checks"]}


def test_checkov_read_every_template(report: dict[str, Any]) -> None:
    assert report["results"]["parsing_errors"] == []
    assert report["summary"]["resource_count"] >= sum(
        len(kept(name).of("Microsoft.Web/sites")) for name in APP_SCENARIOS
    )
    assert {"CKV_AZURE_14", "CKV_AZURE_44", "CKV_AZURE_70", "CKV_AZURE_78"} <= passed(report)


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_every_failed_check_has_a_reason_to_skip_it(report: dict[str, Any], scenario: str) -> None:
    allowed = set(SKIPPED)
    if scenario in {"private", "everything"}:
        allowed -= ONLY_WHEN_OPEN
    if scenario in {"zone-redundant", "everything"}:
        allowed -= ONLY_WHEN_NOT_REDUNDANT
    assert sorted(failed(report, scenario) - allowed) == []


def test_every_reason_belongs_to_a_check_that_fails(report: dict[str, Any]) -> None:
    found = {finding for scenario in APP_SCENARIOS for finding in failed(report, scenario)}
    assert set(SKIPPED) - found == set()
