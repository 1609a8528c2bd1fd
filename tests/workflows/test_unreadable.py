"""Rows of a newer version: they are left unchanged and counted, and do not block other requests."""

from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from b2b.api.answers import Reply
from b2b.domain.sweep import Part
from tests.support.world import MakeWorld, World, account, tenant_of

ANNA, BEN = account(1), account(2)
USER, OTHER = ANNA["id"], BEN["id"]
BASE = "https://app.contoso.com"
NEWER = ({"stage": "archived"}, {"schemaVersion": 99})
"""A value that this version does not know, and a schema version that is newer."""


@pytest.fixture
async def ready(world: MakeWorld) -> World:
    return await world(tenant_of(ANNA, BEN))


def stored(world: World, table: str, partition: str, row: str) -> dict[str, Any]:
    with TableServiceClient.from_connection_string(world.storage) as service:
        return dict(service.get_table_client(table).get_entity(partition, row))


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


@pytest.mark.parametrize("columns", NEWER, ids=["value", "version"])
async def test_a_message_for_a_request_of_a_newer_version_is_queued_again(
    ready: World, columns: dict[str, Any]
) -> None:
    await ready.deliver_in_trouble(USER)
    record = await ready.services.ledger.requests.get("r1")
    assert record is not None
    written = ready.overwrite("requests", "r1", "request", columns)
    ready.lose_messages()
    await ready.receive(b'{"requestId": "r1", "invitedUser": {"id": "%s"}}' % USER.encode())
    assert (ready.waiting(), ready.posts()) == (1, [])
    assert stored(ready, "requests", "r1", "request") == written


@pytest.mark.parametrize("columns", NEWER, ids=["value", "version"])
async def test_nothing_is_sent_for_a_conversion_of_a_newer_version(ready: World, columns: dict[str, Any]) -> None:
    await ready.deliver("r1", USER)
    written = ready.overwrite("conversions", USER, "current", columns)
    posts = len(ready.posts())
    await ready.deliver("r2", USER)
    assert len(ready.posts()) == posts
    assert ready.waiting() == 1
    assert stored(ready, "conversions", USER, "current") == written


async def test_a_caller_gets_503_for_a_row_of_a_newer_version(ready: World) -> None:
    await ready.deliver(user=USER)
    ready.overwrite("requests", "r1", "request", NEWER[0])
    for reply in (
        await ready.api.status("r1", BASE),
        await ready.api.operation("r1", BASE),
        await ready.api.retry("r1", BASE),
    ):
        assert code(reply) == (503, "ServiceUnavailable")
        assert "newer version" in reply.body["error"]["message"]
        assert reply.headers["Retry-After"] == "3600"


async def test_an_unreadable_followed_account_does_not_block_the_others(ready: World) -> None:
    await ready.deliver("r1", USER)
    await ready.deliver("r2", OTHER)
    ready.overwrite("conversions", USER, "current", NEWER[0])
    ready.tenant.control.redeem(OTHER, "mail")
    report = (await ready.services.sweep.run()).of(Part.FOLLOW)
    assert (report.done, report.changed, report.unreadable, report.problems) == (2, 1, 1, 0)
    assert ready.request("r2")["stage"] == "completed"


async def test_an_unreadable_open_request_is_counted_and_does_not_block_the_others(ready: World) -> None:
    ready.services = await ready.restart(B2B_PAUSED="true")
    await ready.deliver("r1", USER)
    await ready.deliver("r2", OTHER)
    ready.overwrite("requests", "r1", "request", NEWER[1])
    ready.lose_messages()
    ready.clock.advance(50 * 60)
    report = (await ready.services.sweep.run()).of(Part.REPAIR)
    assert (report.unreadable, report.changed, report.problems) == (1, 1, 0)


async def test_a_member_takes_over_from_an_unreadable_leader_after_the_give_up_time(
    ready: World,
) -> None:
    await ready.deliver_in_trouble(USER)
    for request_id in ("r2", "r3"):
        await ready.deliver(request_id, USER)
        ready.clock.advance(1)
    before = ready.request("r1")
    written = ready.overwrite("requests", "r1", "request", NEWER[0])
    ready.lose_messages()
    ready.clock.advance(23 * 3600)
    assert (await ready.services.sweep.run()).of(Part.REPAIR).changed == 0
    ready.clock.advance(3600)
    assert (await ready.services.sweep.run()).of(Part.REPAIR).changed == 1
    assert ready.history("conversions", USER)[-1] == "handed-over"
    await ready.redeliver("r2")
    assert [ready.request(each)["stage"] for each in ("r2", "r3")] == ["invited", "invited"]
    assert stored(ready, "requests", "r1", "request") == written

    ready.overwrite("requests", "r1", "request", {"stage": before["stage"]})
    ready.clock.advance(31 * 60)
    await ready.services.sweep.run()
    assert (ready.request("r1")["stage"], len(ready.posts())) == ("invited", 1)


async def test_an_unreadable_member_does_not_block_its_conversion(ready: World) -> None:
    await ready.deliver_in_trouble(USER)
    await ready.deliver("r2", USER)
    written = ready.overwrite("requests", "r2", "request", NEWER[1])
    await ready.redeliver("r1")
    assert ready.request("r1")["stage"] == "invited"
    assert stored(ready, "requests", "r2", "request") == written


async def test_a_list_line_of_a_newer_version_does_not_block_repair(ready: World) -> None:
    """Only the line is of a newer version; an instance of this version has written the row since."""
    await ready.deliver(user=USER)
    (line,) = [row for row in month_of(ready) if row["RowKey"].startswith("all~")]
    ready.overwrite("requests", line["PartitionKey"], line["RowKey"], {"stage": "archived", "sequence": 99})
    body = b'{"requestId": "r2", "invitedUser": {"id": "%s"}}' % OTHER.encode()
    await ready.api.submit(body)
    ready.lose_messages()
    ready.services = await ready.restart()
    ready.pass_time(3600)
    report = await ready.services.sweep.run()
    assert report.of(Part.REPAIR).changed == 1
    assert ready.waiting() == 1


def month_of(world: World) -> list[dict[str, Any]]:
    with TableServiceClient.from_connection_string(world.storage) as service:
        rows = service.get_table_client("requests").query_entities(
            "PartitionKey gt 'month~' and PartitionKey lt 'month~~'"
        )
        return [dict(row) for row in rows]
