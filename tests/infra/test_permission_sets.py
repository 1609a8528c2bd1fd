"""Each set of permissions suffices on the Graph double, which enforces permissions, and has no permission too many."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest

from b2b.bootstrap import Services
from b2b.domain.eligibility.facts import FACTS
from b2b.workflows.intake.receive import Delivery
from tests.infra.bicep import kept
from tests.infra.test_graph_permissions import OFF_IN_LEAST
from tests.support.client import Client
from tests.support.world import account, tenant_of, worlds

ANNA = account(1, otherMails=["partner1@fabrikam.com"])
GROUP = {"id": "99999999-0000-4000-8000-000000000001", "displayName": "Partners", "members": [ANNA["id"]]}
SEED = tenant_of(ANNA, groups=[GROUP])
ASSESS, CONVERT, AUDIT, LEAST = (
    kept(f"graph-{name}").outputs["permissions"] for name in ("assess", "convert", "audit", "least")
)
AUDITING = {"B2B_MODE": "convert", "B2B_READ_AUDIT_LOG": "true"}
LEAST_SETTINGS = {
    "B2B_ELIGIBILITY_PROFILE": "2020",
    "B2B_RULE_OVERRIDES": json.dumps(OFF_IN_LEAST),
    "B2B_COMPARE_ACCESS": "false",
}
COMPARED = "Directory.Read.All"
COVERED = {fact.permission for fact in FACTS} - {fact.permission for fact in FACTS if COMPARED not in fact.wider}
"""What the permission of the comparison reads, too."""
App = Callable[..., Awaitable[Services]]


@pytest.fixture
async def app(storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """Make the app with a token that holds these permissions: `await app(roles, **settings)`."""
    async with worlds(storage, monkeypatch) as world:

        async def make(roles: Iterable[str], switches: dict[str, str] | None = None, **settings: str) -> Services:
            made = await world(
                SEED, sorted(roles), switches, **{"B2B_MODE": "assess", "B2B_COMPARE_ACCESS": "true", **settings}
            )
            return made.services

        yield make


async def assessed(services: Services) -> dict[str, Any]:
    reply = await Client(services.api).assess(json.dumps({"invitedUser": {"id": ANNA["id"]}}).encode())
    return {"status": reply.status, **reply.body}


async def converted(services: Services) -> dict[str, Any]:
    body = json.dumps({"requestId": "r1", "invitedUser": {"id": ANNA["id"]}}).encode()
    await services.receiver.receive(Delivery(body, "m1"))
    record = await services.ledger.requests.get("r1")
    assert record is not None
    return {"stage": record.stage, "said": record.last_error}


async def graph_roles(services: Services) -> tuple[int, str]:
    """Return the status of /api/health, and what it says about the app roles in the token."""
    reply = await Client(services.api).health()
    (line,) = (check["detail"] for check in reply.body["checks"] if check["name"] == "graphRoles")
    return reply.status, line


def rules(answer: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in answer["findings"]}


async def test_with_the_permissions_for_assess_every_rule_can_decide(app: App) -> None:
    answer = await assessed(await app(ASSESS))
    assert answer["verdict"] == "ready"
    assert "fact-not-readable" not in rules(answer)


@pytest.mark.parametrize("permission", sorted(set(ASSESS) - {"User.Read.All"}))
async def test_a_finding_names_a_missing_permission(app: App, permission: str) -> None:
    answer = await assessed(await app(set(ASSESS) - {permission}))
    blind = [finding["message"] for finding in answer["findings"] if finding["rule"] == "fact-not-readable"]
    assert blind
    assert any(permission in message for message in blind)


async def test_without_the_permission_for_accounts_a_503_names_it(app: App) -> None:
    answer = await assessed(await app(set(ASSESS) - {"User.Read.All"}))
    assert answer["status"] == 503
    assert "User.Read.All" in json.dumps(answer)


async def test_with_the_permissions_for_assess_no_mode_can_invite(app: App) -> None:
    outcome = await converted(await app(ASSESS, B2B_MODE="convert"))
    assert outcome["stage"] != "invited"
    assert "User.Invite.All" in outcome["said"]


@pytest.mark.parametrize("needed", ["yes", "no"])
async def test_with_the_permissions_for_convert_inviting_works_in_both_switch_positions(app: App, needed: str) -> None:
    services = await app(CONVERT, {"conversion-needs-readwrite": needed}, B2B_MODE="convert")
    assert (await converted(services))["stage"] == "invited"


async def test_if_graph_wants_readwrite_an_invitation_without_it_shows_the_403(app: App) -> None:
    roles = set(CONVERT) - {"User.ReadWrite.All"}
    outcome = await converted(await app(roles, {"conversion-needs-readwrite": "yes"}, B2B_MODE="convert"))
    assert outcome["stage"] != "invited"
    assert "403" in outcome["said"]


async def test_the_least_permissions_suffice_to_convert_if_rules_that_need_more_are_off(app: App) -> None:
    switches = {"conversion-needs-readwrite": "no"}
    services = await app(LEAST, switches, B2B_MODE="convert", **LEAST_SETTINGS)
    assert "fact-not-readable" not in rules(await assessed(services))
    assert (await converted(services))["stage"] == "invited"


@pytest.mark.parametrize(
    ("granted", "settings"),
    [
        (ASSESS, {}),
        (CONVERT, {"B2B_MODE": "convert"}),
        (AUDIT, AUDITING),
        (LEAST, {"B2B_MODE": "convert", **LEAST_SETTINGS}),
    ],
    ids=["assess", "convert", "audit", "least"],
)
async def test_health_reports_nothing_if_exactly_the_needed_permissions_are_granted(
    app: App, granted: list[str], settings: dict[str, str]
) -> None:
    assert await graph_roles(await app(granted, **settings)) == (200, "")


@pytest.mark.parametrize("permission", sorted(set(CONVERT) - {"User.ReadWrite.All"} - COVERED))
async def test_health_names_a_missing_permission(app: App, permission: str) -> None:
    status, line = await graph_roles(await app(set(CONVERT) - {permission}, B2B_MODE="convert"))
    assert status == 503
    assert line.startswith(f"missing: {permission} (")


async def test_health_wants_the_audit_log_permission_only_if_the_setting_is_on(app: App) -> None:
    status, line = await graph_roles(await app(CONVERT, **AUDITING))
    assert status == 503
    assert line.startswith("missing: AuditLog.Read.All (")
    assert await graph_roles(await app(AUDIT, B2B_MODE="convert")) == (200, "more than needed: AuditLog.Read.All")


@pytest.mark.parametrize("permission", sorted(COVERED - {"User.Read.All"}))
async def test_without_directory_read_all_health_names_a_missing_permission_that_it_covers(
    app: App, permission: str
) -> None:
    roles = set(CONVERT) - {permission, COMPARED}
    status, line = await graph_roles(await app(roles, B2B_MODE="convert", B2B_COMPARE_ACCESS="false"))
    assert status == 503
    assert line.startswith(f"missing: {permission} (")


async def test_health_names_the_account_permission_if_no_wider_one_is_granted(app: App) -> None:
    status, line = await graph_roles(await app(set(ASSESS) - {"User.Read.All"}))
    assert status == 503
    assert line.startswith("missing: User.Read.All (")
