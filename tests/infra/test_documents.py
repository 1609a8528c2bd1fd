"""What docs/operations.md and docs/security.md say of the templates is so."""

import re

import pytest

from tests.infra.bicep import INFRA, ROOT
from tests.infra.documents import OPERATIONS, SECURITY, section, table
from tests.infra.test_role_assignments import ROLES

PARAMETERS = {
    name: re.findall(r"^param (\w+)", (INFRA / name).read_text("utf-8"), re.MULTILINE)
    for name in ("main.bicep", "graph-permissions.bicep")
}
PRICES = {row[0].split(",")[0].split(" (")[0]: float(row[1]) for row in table(OPERATIONS, "What it costs")}


def test_every_azure_role_is_explained() -> None:
    named = {name for row in table(SECURITY, "What each Azure role allows") for name in row[0].split(", ")}
    assert named == set(ROLES.values())


@pytest.mark.parametrize("document", [OPERATIONS, SECURITY])
def test_files_that_the_text_leads_to_exist(document: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", document) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_parameters_that_the_text_names_exist() -> None:
    known = {name for names in PARAMETERS.values() for name in names}
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)(?:=\w+|: [^`]+)?`", OPERATIONS + SECURITY))
    not_parameters = {
        "lastError", "schemaVersion", "functionTimeout",
        "needsReview", "invitedAt", "acceptedAt", "userType", "visibilityTimeout",
        "graphRoles", "isAssignableToRole", "proxyAddresses",
        "dryRun", "refusedBy",
        "approvedBy", "joinedRequestId", "nextMarker", "requestId", "sendInvitationMessage", "userId",
    }  # fmt: skip
    assert named - not_parameters <= known
    assert {"excludedGroupId", "grantUserReadWrite", "createPrivateDnsZones", "actionGroupId"} <= named


@pytest.mark.parametrize(("column", "accounts"), [(1, 1_000), (2, 10_000), (3, 100_000)])
def test_the_arithmetic_of_the_estimate_holds(column: int, accounts: int) -> None:
    """The formulae of the text, on the prices of its table."""
    pending = accounts / 2
    requests, sweeps = accounts * 3 * 2, round(4_320 * (2 + pending / 999 * 0.5) * 2)
    execution = max(requests + sweeps - 100_000, 0) * PRICES["execution on demand"]
    tables = (18 * accounts + 4_320 * (30 + accounts / 1_000)) / 10_000 * PRICES["table transactions"]
    queues = (6 * accounts + 1_000_000) / 10_000 * PRICES["queue transactions"]
    logs = (0.2 + accounts * 8_000 / 1e9) * PRICES["log ingestion"]
    alerts = 7 * PRICES["alert rule at 15 minutes"]
    rows = table(OPERATIONS, "What it costs", number=1)
    stated = [float(row[column].strip("*").replace(",", "")) for row in rows]
    computed = [requests, sweeps, execution, tables + queues, logs, alerts, execution + tables + queues + logs + alerts]
    assert stated == pytest.approx(computed, abs=0.006)


def test_options_cost_what_the_text_says() -> None:
    text = section(OPERATIONS, "What it costs")
    endpoint, zone, ready = PRICES["private endpoint"], 0.5, PRICES["always ready"]
    for amount in (4 * endpoint + 3 * zone, 5 * endpoint + 4 * zone, 6 * 2 * 2_628_000 * ready):
        assert f"{amount:.2f}" in text
