"""The pages' statements about the templates are true."""

import re

import pytest

from tests.contracts.pages import section
from tests.infra.bicep import INFRA
from tests.infra.documents import COSTS, DOCUMENTS, SECURITY, table
from tests.infra.test_role_assignments import ROLES

PARAMETERS = {
    name: re.findall(r"^param (\w+)", (INFRA / name).read_text("utf-8"), re.MULTILINE)
    for name in ("main.bicep", "graph-permissions.bicep")
}
PRICES = {row[0].split(",")[0].split(" (")[0]: float(row[1]) for row in table(COSTS, "An estimate")}


def test_the_security_page_explains_exactly_the_azure_roles_in_use() -> None:
    named = {name for row in table(SECURITY, "What each Azure role allows") for name in row[0].split(", ")}
    assert named == set(ROLES.values())


def test_parameters_that_the_pages_name_exist() -> None:
    known = {name for names in PARAMETERS.values() for name in names}
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)(?:=\w+|: [^`]+)?`", "".join(DOCUMENTS)))
    not_parameters = {
        "lastError", "schemaVersion", "functionTimeout",
        "needsReview", "invitedAt", "acceptedAt", "userType", "visibilityTimeout",
        "graphRoles", "isAssignableToRole", "proxyAddresses",
        "dryRun", "refusedBy", "gaveUp", "passedOver", "invitedUserEmailAddress",
        "remoteBuild", "workStorage",
        "approvedBy", "joinedRequestId", "nextMarker", "requestId", "sendInvitationMessage", "userId",
    }  # fmt: skip
    assert named - not_parameters <= known
    assert {"excludedGroupId", "grantUserReadWrite", "createPrivateDnsZones", "actionGroupId"} <= named


@pytest.mark.parametrize(("column", "accounts"), [(1, 1_000), (2, 10_000), (3, 100_000)])
def test_the_cost_estimate_is_computed_correctly(column: int, accounts: int) -> None:
    """The test applies the formulas of the page to the prices in its table."""
    pending = accounts / 2
    requests, sweeps = accounts * 3 * 2, round(4_320 * (2 + pending / 999 * 0.5) * 2)
    execution = max(requests + sweeps - 100_000, 0) * PRICES["execution on demand"]
    tables = (18 * accounts + 4_320 * (30 + accounts / 1_000)) / 10_000 * PRICES["table transactions"]
    queues = (6 * accounts + 1_000_000) / 10_000 * PRICES["queue transactions"]
    logs = (0.2 + accounts * 8_000 / 1e9) * PRICES["log ingestion"]
    alerts = 7 * PRICES["alert rule at 15 minutes"]
    rows = table(COSTS, "An estimate", number=1)
    stated = [float(row[column].strip("*").replace(",", "")) for row in rows]
    computed = [requests, sweeps, execution, tables + queues, logs, alerts, execution + tables + queues + logs + alerts]
    assert stated == pytest.approx(computed, abs=0.006)


def test_the_costs_of_options_are_computed_correctly() -> None:
    text = section(COSTS, "An estimate")
    endpoint, zone, ready = PRICES["private endpoint"], 0.5, PRICES["always ready"]
    for amount in (4 * endpoint + 3 * zone, 5 * endpoint + 4 * zone, 6 * 2 * 2_628_000 * ready):
        assert f"{amount:.2f}" in text
