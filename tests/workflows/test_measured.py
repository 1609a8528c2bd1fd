"""Metrics from a request through converter and sweep to Application Insights, with the app's real composition."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue import QueueServiceClient

from b2b.adapters.telemetry import Telemetry
from b2b.bootstrap import build
from b2b.domain.eligibility.judge import FACT_NOT_READABLE, RULE_IDS
from b2b.domain.figures import METRICS
from b2b.domain.pacing import Pace
from b2b.domain.sweep import Part
from tests.adapters.ledger_support import change
from tests.support.ingestion import Ingestion, ingestion
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
SYNCED = account(2, onPremisesSyncEnabled=True)
MAILBOX = {"assignedDateTime": "2026-01-01T00:00:00Z", "capabilityStatus": "Enabled", "service": "exchange"}
BLOCKED = account(3, assignedPlans=[{**MAILBOX, "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0"}])
PAST_THE_WINDOW = 361
OF_SWEEP = (
    "b2b.sweep.done",
    "b2b.sweep.left",
    "b2b.sweep.behind",
    "b2b.sweep.problems",
    "b2b.waiting",
    "b2b.unreadable",
)
Watched = Callable[..., Awaitable[World]]


@pytest.fixture
def receiver() -> Iterator[Ingestion]:
    with ingestion() as received:
        yield received


@pytest.fixture
async def watched(world: MakeWorld, receiver: Ingestion) -> AsyncIterator[Watched]:
    """Yield a function that makes a world whose metrics go to the receiver at the end of a sweep."""
    async with AsyncExitStack() as closing:

        async def make(*users: dict[str, Any], **settings: str) -> World:
            running = await world(tenant_of(*users), **settings)
            telemetry = Telemetry(receiver.connection_string, "func-b2b", interval=3600)
            closing.push_async_callback(telemetry.aclose)
            running.services = build(running.services.settings, running.clock, running.graph, meter=telemetry)
            closing.push_async_callback(running.services.aclose)
            return running

        yield make


async def test_requests_findings_invitations_and_redemptions_are_measured(
    watched: Watched, receiver: Ingestion
) -> None:
    running = await watched(account(1), SYNCED, BLOCKED)
    await running.deliver("r1", USER)
    await running.deliver("r2", SYNCED["id"])
    await running.deliver("r3", BLOCKED["id"])
    await running.deliver("r4", USER)
    await running.services.sweep.run()
    assert receiver.sums("b2b.requests") == {
        ("queue", "requested"): 4,
        ("queue", "invited"): 3,
        ("queue", "blocked"): 1,
    }
    assert receiver.sums("b2b.findings")["exchange-mailbox", "block"] == 1
    assert receiver.sums("b2b.findings")["on-premises-synced", "warn"] == 1
    assert {rule for rule, _ in receiver.sums("b2b.findings")} <= {*RULE_IDS, FACT_NOT_READABLE}
    assert receiver.sums("b2b.invitations") == {("sent",): 2}

    running.tenant.control.redeem(USER, "ExternalAzureAD")
    running.clock.advance(PAST_THE_WINDOW)
    await running.services.sweep.run()
    assert receiver.sums("b2b.requests")["queue", "completed"] == 2
    (redeemed,) = receiver.points("b2b.redemption.duration")
    assert redeemed.times == 1
    assert 0 <= redeemed.value < 60
    assert receiver.sums("b2b.sweep.runs") == {(): 2}


async def test_a_repeated_delivery_is_not_counted_again(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    for _ in range(3):
        await running.deliver("r1", USER)
    await running.services.sweep.run()
    assert receiver.sums("b2b.requests") == {("queue", stage): 1 for stage in ("requested", "invited")}
    assert receiver.sums("b2b.invitations") == {("sent",): 1}


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [({"after": httpx.ReadTimeout("slow")}, "unknown"), ({"before": httpx.ConnectError("no")}, "not-sent")],
)
async def test_a_failed_invitation_is_counted_as_unknown_or_not_sent(
    watched: Watched, receiver: Ingestion, trouble: dict[str, Exception], outcome: str
) -> None:
    running = await watched(account(1))
    running.graph.on_invitation(**trouble)
    await running.deliver("r1", USER)
    await running.services.sweep.run()
    assert receiver.sums("b2b.invitations") == {(outcome,): 1}


@pytest.mark.parametrize(
    ("rule", "special", "stage"),
    [
        ("own-verified-domain", {"mail": "partner@sub.contoso.com"}, "blocked"),
        ("restricted-management", {"isManagementRestricted": True}, "failed"),
    ],
)
async def test_an_invitation_that_graph_refuses_is_counted_as_refused(
    watched: Watched, receiver: Ingestion, rule: str, special: dict[str, Any], stage: str
) -> None:
    running = await watched(account(1, **special), B2B_RULE_OVERRIDES=json.dumps({rule: "warn"}))
    running.tenant.control.set_switch("verified-subdomain", "refused")
    await running.deliver("r1", USER)
    await running.services.sweep.run()
    assert running.request("r1")["stage"] == stage
    assert receiver.sums("b2b.invitations") == {("refused",): 1}
    assert receiver.sums("b2b.findings").get((rule, "block"), 0) == (stage == "blocked")


async def test_a_dry_run_counts_its_findings_once(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(BLOCKED, B2B_MODE="assess")
    await running.deliver("r1", BLOCKED["id"])
    await running.services.sweep.run()
    assert receiver.sums("b2b.requests") == {("queue", "requested"): 1, ("queue", "assessed"): 1}
    assert receiver.sums("b2b.findings")["exchange-mailbox", "block"] == 1


async def test_a_sweep_measures_queues_poison_and_breaker(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    with QueueServiceClient.from_connection_string(running.storage) as queues:
        queues.get_queue_client("conversion-requests").send_message("{}")
        queues.get_queue_client("conversion-requests").send_message("{}", visibility_timeout=600)
    running.send_to_poison("not json")
    running.clock.advance(90)
    await running.services.ledger.pace.write(change(Pace(open_until=running.clock() + timedelta(seconds=60))))
    await running.services.sweep.run()
    assert receiver.sums("b2b.poison") == {(): 1}
    assert receiver.sums("b2b.queue.depth") == {("conversion-requests",): 2, ("conversion-requests-poison",): 0}
    (oldest,) = receiver.points("b2b.queue.oldest")
    assert 85 < oldest.value < 150
    assert receiver.sums("b2b.breaker.open") == {(): 1}


async def test_parking_a_request_again_does_not_reset_its_age(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1), account(2), B2B_PAUSED="true")
    await running.deliver("r1", USER)
    await running.deliver("r2", BLOCKED["id"])
    running.clock.advance(25 * 60)
    await running.redeliver("r1")
    running.clock.advance(10 * 60)
    await running.services.sweep.run()
    (oldest,) = receiver.points("b2b.queue.oldest")
    assert 35 * 60 <= oldest.value < 36 * 60
    waiting = receiver.sums("b2b.waiting")
    assert (waiting["paused",], waiting["throttled",]) == (1, 0)
    assert receiver.sums("b2b.unreadable") == {(): 0}


async def test_an_invited_request_does_not_count_as_waiting_in_the_queue(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    await running.deliver("r1", USER)
    running.clock.advance(25 * 60)
    await running.services.sweep.run()
    assert receiver.sums("b2b.queue.oldest") == {(): 0}


async def test_zero_is_sent_for_an_empty_queue_but_nothing_for_an_empty_poison_queue(
    watched: Watched, receiver: Ingestion
) -> None:
    await (await watched(account(1))).services.sweep.run()
    zeros = {point.name for point in receiver.points() if point.value == 0}
    assert zeros == {"b2b.queue.depth", "b2b.queue.oldest", "b2b.breaker.open", *OF_SWEEP}
    assert receiver.points("b2b.poison") == []


async def test_other_metrics_are_sent_if_the_queue_cannot_be_read(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    with QueueServiceClient.from_connection_string(running.storage) as queues:
        queues.delete_queue("conversion-requests")
    report = await running.services.sweep.run()
    assert report.problems == 0
    assert {point.name for point in receiver.points()} == {"b2b.sweep.runs", "b2b.breaker.open", *OF_SWEEP}


async def test_each_part_of_the_sweep_is_measured(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1), account(2))
    for number, user in enumerate((USER, BLOCKED["id"]), start=1):
        await running.deliver(f"r{number}", user)
    running.send_to_poison("not json")
    await running.services.sweep.run()
    assert receiver.sums("b2b.sweep.done") == {
        ("drain",): 1,
        ("repair",): 0,
        ("publish",): 0,
        ("follow",): 1,
        ("verify",): 0,
        ("purge",): 0,
    }
    assert receiver.sums("b2b.sweep.problems") == {(part,): 0 for part in Part}

    running.graph.before = refuse
    running.clock.advance(PAST_THE_WINDOW)
    await running.services.sweep.run()
    assert receiver.sums("b2b.sweep.problems")["follow",] == 1
    assert receiver.sums("b2b.sweep.left") == {(part,): 0 for part in Part}
    assert receiver.sums("b2b.sweep.behind") == {(part,): 0 for part in Part}


def refuse(_request: httpx.Request) -> None:
    raise httpx.ConnectError("refused")


async def test_the_app_works_while_the_metrics_endpoint_fails(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    receiver.status = 503
    await running.deliver("r1", USER)
    await running.services.sweep.run()
    assert running.request("r1")["stage"] == "invited"


async def test_two_simultaneous_sweeps_count_a_redemption_once(watched: Watched, receiver: Ingestion) -> None:
    running = await watched(account(1))
    await running.deliver("r1", USER)
    running.tenant.control.redeem(USER, "mail")
    await asyncio.gather(*(running.services.sweep.run() for _ in range(2)))
    assert sum(point.times for point in receiver.points("b2b.redemption.duration")) == 1
    assert receiver.sums("b2b.sweep.runs") == {(): 2}


def test_every_metric_occurs_in_a_test_of_this_file() -> None:
    text = Path(__file__).read_text("utf-8")
    assert [metric.name for metric in METRICS if f'"{metric.name}"' not in text] == []
