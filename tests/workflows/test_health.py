"""What /api/health says about the app roles of the token."""

import re

import httpx
import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.eligibility.facts import FACTS
from b2b.workflows.health import LATE
from tests.support.world import MakeWorld, World, account, tenant_of

COMPARED, AUDITED = "Directory.Read.All", "AuditLog.Read.All"
"""Wanted in `convert` alone: where the app compares what the directory grants, and where it reads the audit log."""
READING = sorted({fact.permission for fact in FACTS if fact.permission} - {COMPARED, AUDITED})


async def roles_line(running: World) -> tuple[int, str, str]:
    reply = await running.api.health()
    (found,) = (check for check in reply.body["checks"] if check["name"] == "graphRoles")
    return reply.status, found["status"], found["detail"]


async def asked(world: MakeWorld, *roles: str, **settings: str) -> tuple[int, str, str]:
    return await roles_line(await world(tenant_of(account(1)), roles=list(roles), **settings))


@pytest.mark.parametrize("mode", ["assess", "convert"])
async def test_exactly_the_roles_of_the_mode_are_healthy_without_detail(world: MakeWorld, mode: str) -> None:
    writing = ["User.Invite.All", COMPARED] if mode == "convert" else []
    assert await asked(world, *READING, *writing, B2B_MODE=mode, B2B_COMPARE_ACCESS="true") == (200, "ok", "")


async def test_health_names_missing_roles_and_how_long_a_grant_takes(world: MakeWorld) -> None:
    granted = set(READING) - {"Group.Read.All", "OrgContact.Read.All"}
    assert await asked(world, *granted, B2B_COMPARE_ACCESS="true") == (
        503,
        "failed",
        f"missing: Directory.Read.All, Group.Read.All, OrgContact.Read.All, User.Invite.All ({LATE})",
    )


async def test_health_reports_a_token_without_roles(world: MakeWorld) -> None:
    status, state, line = await asked(world, B2B_MODE="assess")
    assert (status, state) == (503, "failed")
    assert line.startswith(f"no app role is granted; missing: {', '.join(READING)} (")


async def test_surplus_roles_are_named_and_healthy(world: MakeWorld) -> None:
    assert await asked(world, *READING, "User.Invite.All", "User.ReadWrite.All", B2B_MODE="assess") == (
        200,
        "ok",
        "more than needed: User.Invite.All, User.ReadWrite.All",
    )


async def test_a_rule_that_is_off_needs_no_role(world: MakeWorld) -> None:
    off = '{"address-in-use": "off"}'
    granted = [*(set(READING) - {"OrgContact.Read.All"}), "User.Invite.All"]
    assert await asked(world, *granted, B2B_RULE_OVERRIDES=off) == (200, "ok", "")


async def test_health_reports_the_last_run_of_each_part_of_the_sweep(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))

    async def line() -> tuple[str, str]:
        reply = await running.api.health()
        (found,) = (check for check in reply.body["checks"] if check["name"] == "sweep")
        return found["status"], found["detail"]

    assert await line() == ("ok", "it has not run yet")
    await running.deliver(user=account(1)["id"])
    running.send_to_poison("not json")
    await running.services.sweep.run()
    status, detail = await line()
    assert status == "ok"
    assert [re.sub(r"\d\d:\d\d UTC", "AT", part) for part in detail.split("; ")] == [
        "drain at AT: 1 handled, 1 changed",
        "repair at AT: 0 handled, 0 changed",
        "publish at AT: 0 handled, 0 changed",
        "follow at AT: 1 handled, 1 changed",
        "verify at AT: 0 handled, 0 changed",
        "purge at AT: 0 handled, 0 changed",
    ]


async def test_health_reports_the_sweeps_count_of_waiting_requests(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1), account(2)), B2B_PAUSED="true")

    async def line() -> str:
        reply = await running.api.health()
        (found,) = (check for check in reply.body["checks"] if check["name"] == "waiting")
        assert found["status"] == "ok"
        return re.sub(r"\d\d:\d\d UTC", "AT", found["detail"])

    assert await line() == "not counted yet"
    await running.services.sweep.run()
    assert await line() == "none at AT"
    await running.deliver("r1", account(1)["id"])
    await running.deliver("r2", account(2)["id"])
    running.clock.advance(25 * 60)
    await running.redeliver("r1")
    await running.redeliver("r2")
    running.clock.advance(10 * 60)
    await running.services.sweep.run()
    assert await line() == "2 paused at AT"
    running.overwrite("requests", "r2", "request", {"stage": "archived"})
    await running.services.sweep.run()
    assert await line() == "1 paused, 1 of a newer version at AT"


async def test_without_a_token_the_roles_are_not_known(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    running = await world(tenant_of(account(1)))
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    running.services = await running.restart()
    assert await roles_line(running) == (503, "failed", "not known without a token")


async def test_a_check_that_raises_is_reported_as_failed(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))

    async def broken(request: HttpRequest) -> None:
        if "comp=metadata" in request.url:
            raise ValueError("secret")

    running.faulty_storage.before = broken
    reply = await running.api.health()
    assert reply.status == 503
    (found,) = (check for check in reply.body["checks"] if check["name"] == "queues")
    assert (found["status"], found["detail"]) == ("failed", "broke with ValueError")


async def test_health_does_not_call_graph_while_graph_throttles(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    running.tenant.control.set_faults([{"kind": "429-integer", "seconds": 120, "nth": 1, "path": "batch"}])
    await running.deliver(user=account(1)["id"])
    calls = len(running.tenant.control.journal())
    reply = await running.api.health()
    (found,) = (check for check in reply.body["checks"] if check["name"] == "graph")
    assert (found["status"], found["detail"][:11]) == ("ok", "not called:")
    assert len(running.tenant.control.journal()) == calls


async def inviting(running: World) -> tuple[int, str, str]:
    reply = await running.api.health()
    (found,) = (check for check in reply.body["checks"] if check["name"] == "inviting")
    return reply.status, found["status"], found["detail"]


async def test_health_names_the_reason_for_held_invitations_without_failing(world: MakeWorld) -> None:
    running = await world(tenant_of(*(account(number) for number in range(1, 7))))
    status = (await inviting(running))[0]
    assert await inviting(running) == (status, "ok", "")
    for number in range(1, 6):
        running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await running.deliver(f"r{number}", account(number)["id"])
        running.clock.advance(6)
    assert "the breaker is open" in (await inviting(running))[2]
    await running.services.receiver._converter._pacer.throttled(120, "Graph: answered 429")
    assert "until" in (await inviting(running))[2]
    running.services = await running.restart(B2B_PAUSED="true")
    assert await inviting(running) == (status, "ok", (await inviting(running))[2])
    assert "B2B_PAUSED" in (await inviting(running))[2]
