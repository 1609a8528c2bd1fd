"""Every reason to wait: how it arises, and how a caller reads it in `waiting`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ResourceModifiedError
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.conversion.waits import Cause, WaitReason, row_of
from b2b.domain.readings import Reservation
from b2b.domain.request.subject import address_key
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.support.world import MakeWorld, World, account, tenant_of

ANNA, BEN = account(1), account(2)
USER, OTHER = ANNA["id"], BEN["id"]
WINDOW = 361
"""Seconds: the replication window including clock skew, plus one."""
SAME_ADDRESS = {"B2B_RULE_OVERRIDES": '{"address-in-use": "warn", "address-not-on-account": "warn"}'}
NOT_INVITING = sorted(set(DEFAULT_ROLES) - {"User.Invite.All", "User.ReadWrite.All"})

Story = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """How a request comes to wait for a reason, and its stage while it waits."""

    reason: WaitReason
    story: Story
    stage: str = "requested"
    settings: dict[str, str] = field(default_factory=dict)
    switches: dict[str, str] = field(default_factory=dict)
    roles: list[str] | None = None


def down(_request: httpx.Request) -> None:
    raise httpx.ConnectError("refused")


def throttle(request: httpx.Request, response: httpx.Response) -> None:
    if request.url.path.endswith("/$batch"):
        response.status_code = 429
        response.headers["Retry-After"] = "700"


async def delivered(world: World) -> None:
    await world.deliver(user=USER)


async def graph_is_down(world: World) -> None:
    world.graph.before = down
    await world.deliver(user=USER)


async def graph_throttles(world: World) -> None:
    """Let one request be throttled, so that another one waits for the same pause."""
    world.graph.after = throttle
    await world.deliver("r0", OTHER)
    await world.deliver(user=USER)


async def invitations_fail(world: World) -> None:
    for number in range(3, 8):
        world.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await world.deliver(f"b{number}", account(number)["id"])
        world.clock.advance(6)
    await world.deliver(user=USER)


async def others_write_the_same_rows(world: World) -> None:
    async def overtaken(request: HttpRequest) -> None:
        body = request.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        changes = request.method in {"POST", "PUT"} and "/conversions" in f"{request.url} {text}"
        if changes and "address~" not in f"{request.url} {text}" and "followed~" not in f"{request.url} {text}":
            raise ResourceModifiedError("another process wrote it")

    world.faulty_storage.before = overtaken
    await world.deliver(user=USER)


async def killed_while_calling(world: World) -> None:
    world.graph.on_invitation(before=asyncio.CancelledError())  # type: ignore[arg-type]  # passes every handler, as a kill
    with pytest.raises(asyncio.CancelledError):
        await world.deliver(user=USER)
    await world.redeliver()


async def lost(world: World) -> None:
    world.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await world.deliver(user=USER)


async def lost_for_long(world: World) -> None:
    await lost(world)
    world.pass_time(WINDOW)
    await world.redeliver()


async def another_is_about_to_be_invited(world: World) -> None:
    ledger, key = world.services.ledger, address_key(ANNA["mail"])
    await ledger.reserve(Reservation(key, OTHER, world.clock()))
    await world.deliver(user=USER)


async def the_holder_is_gone(world: World) -> None:
    world.tenant.control.reset(tenant_of(ANNA, {**BEN, "mail": ANNA["mail"]}))
    await world.deliver("r0", OTHER)
    assert world.request("r0")["stage"] == "invited"
    world.tenant.control.reset(tenant_of(ANNA))
    await world.deliver(user=USER)


async def made_internal_again(world: World) -> None:
    await world.deliver("r0", USER)
    await world.services.sweep.run()
    world.tenant.control.reset(tenant_of(ANNA, BEN))
    world.pass_time(WINDOW)
    await world.deliver(user=USER)


async def never_shows(world: World) -> None:
    await world.deliver(user=USER)
    world.pass_time(WINDOW)
    await world.services.sweep.run()


async def deleted(world: World) -> None:
    await world.deliver(user=USER)
    world.tenant.control.reset(tenant_of(BEN, deletedUsers=[ANNA]))
    world.pass_time(WINDOW)
    await world.services.sweep.run()


async def redeemed(world: World) -> None:
    await world.deliver(user=USER)
    world.tenant.control.redeem(USER)
    world.pass_time(WINDOW)
    await world.services.sweep.run()


async def invited_after_others(world: World) -> None:
    await world.deliver("r0", BEN["id"])
    await world.deliver(user=USER)


R = WaitReason
TABLE = (
    Row(R.SERVICE, graph_is_down),
    Row(R.PERMISSION, delivered, roles=NOT_INVITING, stage="inviting"),
    Row(R.THROTTLED, graph_throttles),
    Row(R.PACED, invited_after_others, settings={"B2B_INVITATIONS_PER_MINUTE": "1"}),
    Row(R.BREAKER, invitations_fail, settings={"B2B_BREAKER_SECONDS": "300"}),
    Row(R.CONTENTION, others_write_the_same_rows),
    Row(R.INVITING, killed_while_calling, stage="inviting"),
    Row(R.OUTCOME_PENDING, lost, stage="inviting"),
    Row(R.OUTCOME_UNKNOWN, lost_for_long, stage="inviting"),
    Row(R.ADDRESS_HELD, another_is_about_to_be_invited),
    Row(R.ADDRESS_HOLDER_GONE, the_holder_is_gone, settings=SAME_ADDRESS, switches={"held-address": "accepted"}),
    Row(R.UNDONE, made_internal_again),
    Row(R.PAUSED, delivered, settings={"B2B_PAUSED": "true"}),
    Row(R.NOT_VISIBLE, never_shows, stage="invited", switches={"pending-state": "unset"}),
    Row(R.ACCOUNT_DELETED, deleted, stage="invited"),
    Row(R.COMPARING, redeemed, stage="accepted", settings={"B2B_COMPARE_ACCESS": "true"}),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.reason)
async def test_a_caller_reads_why_and_since_when_a_request_waits(world: MakeWorld, row: Row) -> None:
    people = tenant_of(*(account(number) for number in range(1, 8)))
    running = await world(people, roles=row.roles, switches=row.switches, **row.settings)
    began = running.clock()
    await row.story(running)
    status = await running.status()
    waiting = status["waiting"]
    assert (status["stage"], waiting["reason"], waiting["text"]) == (row.stage, row.reason, row_of(row.reason).text)
    assert began <= datetime.fromisoformat(waiting["since"]) <= running.clock()
    looked_at_by_the_sweep = row.stage in {"invited", "accepted"}
    assert (waiting["until"] is None) is looked_at_by_the_sweep, (
        "a request that the app processes says when its next try is due"
    )
    assert (status["lastError"] is not None) <= (row_of(row.reason).cause is Cause.TROUBLE or row.stage == "inviting")


def test_every_reason_is_tested_here_or_with_campaigns() -> None:
    elsewhere = {WaitReason.MODE_ASSESS, WaitReason.CAMPAIGN_PAUSED, WaitReason.CAMPAIGN_ENDED}
    assert {row.reason for row in TABLE} | elsewhere == set(WaitReason)


async def test_a_request_from_mode_convert_waits_while_the_mode_is_assess(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.api.submit(json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode(), "")
    running.services = await running.restart(B2B_MODE="assess")
    await running.redeliver()
    assert (await running.status())["waiting"]["reason"] == "mode-assess"


async def test_the_wait_is_cleared_when_a_request_goes_on(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await graph_is_down(running)
    assert (await running.status())["lastError"].startswith("Graph: ")
    running.graph.before = lambda _request: None
    await running.redeliver()
    status = await running.status()
    assert (status["stage"], status["waiting"], status["lastError"]) == ("invited", None, None)


@pytest.mark.parametrize(
    ("user", "fields", "stage"), [(1, {"dryRun": True}, "assessed"), (9, {}, "blocked"), (2, {}, "needsReview")]
)
async def test_the_wait_is_cleared_when_a_request_ends(
    world: MakeWorld, user: int, fields: dict[str, Any], stage: str
) -> None:
    running = await world(tenant_of(ANNA, {**BEN, "accountEnabled": False}))
    running.graph.before = down
    await running.deliver(user=account(user)["id"], **fields)
    running.graph.before = lambda _request: None
    await running.redeliver()
    status = await running.status()
    assert (status["stage"], status["waiting"], status["lastError"]) == (stage, None, None)


async def test_a_joined_request_shows_the_wait_of_its_leader(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await running.deliver("r1", account(1)["id"])
    await running.deliver("r2", account(1)["id"])
    first, second = await running.status("r1"), await running.status("r2")
    assert (second["stage"], second["joinedRequestId"]) == ("inviting", "r1")
    assert second["waiting"] == first["waiting"]
    assert second["waiting"]["reason"] == "outcome-pending"


async def test_the_account_is_read_soon_after_a_lost_answer_whatever_was_lost_before(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA, BEN))
    await running.deliver("r0", BEN["id"])
    running.pass_time(WINDOW)
    await running.services.sweep.run()  # from Ben's account the app learns that this tenant shows invitations
    running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await running.deliver(user=USER)
    for _ in range(5):
        running.pass_time(WINDOW)
        running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await running.redeliver()
    waiting = (await running.status())["waiting"]
    assert waiting["reason"] == "outcome-pending"
    assert running.history("conversions", USER).count("nothing-went-out") == 5
    assert datetime.fromisoformat(waiting["until"]) - running.clock() < timedelta(seconds=20)


async def test_the_wait_for_an_invisible_invitation_is_cleared_by_its_redemption(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA), switches={"pending-state": "unset"})
    await never_shows(running)
    running.tenant.control.redeem(USER, "mail")
    running.clock.advance(3600)
    await running.services.sweep.run()
    status = await running.status()
    assert (status["stage"], status["waiting"], status["lastError"]) == ("completed", None, None)


async def test_a_repeated_wait_keeps_its_beginning_and_lasts_twice_as_long(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await graph_is_down(running)
    first = (await running.status())["waiting"]
    running.clock.advance(60)
    await running.redeliver()
    second = (await running.status())["waiting"]
    assert second["since"] == first["since"]
    lasts = [
        datetime.fromisoformat(waiting["until"]) - begun
        for waiting, begun in (
            (first, datetime.fromisoformat(first["since"])),
            (second, datetime.fromisoformat(first["since"]) + timedelta(seconds=60)),
        )
    ]
    assert lasts[1] > 1.5 * lasts[0]
    assert running.history("requests", "r1") == ["requested", "waits"]
