"""The lists of requests: in step with the rows, in a stable order, found by name, and never set back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from b2b.adapters.entities import MOST_CARRIED
from b2b.adapters.ledger import Ledger
from b2b.domain.actors import Actor, ActorKind
from b2b.domain.conversion.records import Change
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.errors import UnreadableRow
from b2b.domain.findings import Finding, Severity, Verdict
from b2b.domain.request.line import EVERY, Line, Place, Range, line_of, name_key, stage_list, waiting_list
from b2b.domain.request.record import RequestRecord, in_place_of, move, put_off
from tests.adapters.ledger_support import NOON, change, record, tables

LISTED = {"user_principal_name": "Anna@contoso.com", "invited_user_email_address": "anna@fabrikam.com"}


async def ids(ledger: Ledger, name: str = EVERY, **more: Any) -> list[str]:
    """The ids of a whole list, page by page."""
    found, after = list[str](), None
    while True:
        page = await ledger.lists.page(Range(name, **more), after, 2)
        found += [line.request_id for line in page.lines]
        after = page.next
        if after is None:
            return found


async def test_a_request_stands_in_the_lists_of_its_month_its_stage_and_its_wait(ledger: Ledger) -> None:
    row = await ledger.requests.write(change(record(**LISTED), "requested"))
    waits = put_off(row, Waiting(WaitReason.PAUSED, NOON, None), "t", NOON, "")
    row = await ledger.requests.write(waits)
    assert await ids(ledger) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == ["r-1"]
    assert await ids(ledger, waiting_list(WaitReason.PAUSED)) == ["r-1"]
    await ledger.requests.write(move(row, Stage.INVITED, NOON))
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == []
    assert await ids(ledger, waiting_list(WaitReason.PAUSED)) == []
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]
    assert await ids(ledger) == ["r-1"]


async def test_a_line_says_what_the_row_says(ledger: Ledger) -> None:
    finding = Finding("directory-role", Severity.REVIEW, "holds a role", "weigh it", "https://learn.microsoft.com/")
    row = record(
        stage=Stage.NEEDS_REVIEW,
        asked_by=Actor(ActorKind.PERSON, "0a000000-0000-4000-8000-0000000000a1"),
        verdict=Verdict.NEEDS_REVIEW,
        findings=(finding, replace_severity(finding, Severity.INFO)),
        waiting=Waiting(WaitReason.NOT_VISIBLE, NOON, None),
        user_id="0a000000-0000-4000-8000-000000000001",
        dry_run=True,
        **LISTED,
    )
    written = await ledger.requests.write(change(row, "needsReview"))
    (line,) = (await ledger.lists.page(Range(EVERY), None, 10)).lines
    assert line == line_of(written)
    assert (line.rules, line.waiting, line.dry_run) == (("directory-role",), WaitReason.NOT_VISIBLE, True)


def replace_name(row: RequestRecord, name: str) -> Change[RequestRecord]:
    return move(row, Stage.FAILED if row.stage is Stage.REQUESTED else row.stage, NOON, user_principal_name=name)


def replace_severity(finding: Finding, severity: Severity) -> Finding:
    return Finding("other", severity, finding.message, finding.fix, finding.source)


async def test_lists_go_by_the_time_at_which_requests_came_over_months_and_pages(ledger: Ledger) -> None:
    days = [datetime(2026, month, 15, tzinfo=UTC) for month in (3, 1, 2, 1, 12)]
    for number, day in enumerate(days):
        row = record(f"r-{number}", requested_at=day + timedelta(seconds=number))
        await ledger.requests.write(change(row, "requested"))
    assert await ids(ledger) == ["r-1", "r-3", "r-2", "r-0", "r-4"]
    since, until = datetime(2026, 1, 15, 0, 0, 2, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)
    assert await ids(ledger, since=since, until=until) == ["r-3", "r-2"]


async def test_what_comes_while_a_caller_pages_neither_hides_nor_repeats_anything(ledger: Ledger) -> None:
    for number in range(4):
        await ledger.requests.write(change(record(f"r-{number}"), "requested"))
    first = await ledger.lists.page(Range(EVERY), None, 2)
    await ledger.requests.write(change(record("r-9"), "requested"))
    second = await ledger.lists.page(Range(EVERY), first.next, 9)
    assert [line.request_id for line in (*first.lines, *second.lines)] == ["r-0", "r-1", "r-2", "r-3", "r-9"]


async def test_a_later_state_is_never_set_back(ledger: Ledger, storage: str) -> None:
    """A process that was frozen before it wrote the lines writes them when the request has long moved on."""
    first = await ledger.requests.write(change(record(), "requested"))
    await ledger.requests.write(move(first, Stage.INVITED, NOON))
    late = Ledger.from_connection_string(storage)
    await late.lists.show(line_of(first))
    await ledger.lists.show(line_of(first))
    await late.aclose()
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == []
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]


async def test_lines_that_a_dead_process_left_behind_are_written_anew(ledger: Ledger, storage: str) -> None:
    first = await ledger.requests.write(change(record(), "requested"))
    died = Ledger.from_connection_string(storage)
    invited = await died.requests._rows.write(move(first, Stage.INVITED, NOON))
    await died.aclose()
    assert await ids(ledger, stage_list(Stage.INVITED)) == []
    for _ in range(2):
        await ledger.lists.show(line_of(invited))
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == []


async def test_two_processes_that_write_the_same_lines_agree(ledger: Ledger, storage: str) -> None:
    other = Ledger.from_connection_string(storage)
    row = await ledger.requests.write(change(record(), "requested"))
    row = await other.requests.write(move(row, Stage.NEEDS_REVIEW, NOON))
    await ledger.requests.write(move(row, Stage.INVITED, NOON))
    await other.aclose()
    assert [await ids(ledger, stage_list(stage)) for stage in (Stage.REQUESTED, Stage.NEEDS_REVIEW)] == [[], []]
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]


async def test_a_request_in_place_of_a_draft_keeps_its_place(ledger: Ledger) -> None:
    draft = await ledger.requests.write(change(record(stage=Stage.REJECTED), "rejected"))
    later = record(requested_at=NOON + timedelta(days=40))
    await ledger.requests.write(in_place_of(change(later, "requested"), draft))
    assert await ids(ledger) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.REJECTED)) == []


async def test_a_request_that_is_purged_is_in_no_list_and_found_by_no_name(ledger: Ledger, storage: str) -> None:
    row = await ledger.requests.write(change(record(**LISTED), "requested"))
    row = await ledger.requests.write(move(row, Stage.FAILED, NOON))
    await ledger.purge(row)
    with tables(storage) as service:
        left = list(service.get_table_client("requests").list_entities())
    assert {entity["PartitionKey"] for entity in left} <= {"months~"}


async def test_an_id_that_comes_again_after_a_purge_by_another_process_is_listed(ledger: Ledger, storage: str) -> None:
    row = await ledger.requests.write(change(record(**LISTED), "requested"))
    row = await ledger.requests.write(move(row, Stage.FAILED, NOON))
    other = Ledger.from_connection_string(storage)
    await other.purge(row)
    await other.aclose()
    await ledger.requests.write(change(record(requested_at=NOON + timedelta(days=40), **LISTED), "requested"))
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.FAILED)) == []
    assert await ledger.lists.named(name_key("anna@contoso.com"), 10) == ["r-1"]


@pytest.mark.parametrize("by_another_process", [False, True])
async def test_a_name_that_a_request_had_before_leaves_with_it(
    ledger: Ledger, storage: str, *, by_another_process: bool
) -> None:
    row = await ledger.requests.write(change(record(**LISTED), "requested"))
    other = Ledger.from_connection_string(storage)
    for writer, name in ((other if by_another_process else ledger, "boris@contoso.com"), (ledger, "carla@contoso.com")):
        row = await writer.requests.write(replace_name(row, name))
    assert await ledger.lists.named(name_key("carla@contoso.com"), 10) == ["r-1"]
    await other.purge(row)
    await other.aclose()
    with tables(storage) as service:
        left = list(service.get_table_client("requests").list_entities())
    assert {entity["PartitionKey"] for entity in left} <= {"months~"}


@pytest.mark.parametrize("name", ["anna@contoso.com", " ANNA@Contoso.com", "Anna@FABRIKAM.com"])
async def test_a_request_is_found_by_either_name_without_regard_to_case(ledger: Ledger, name: str) -> None:
    await ledger.requests.write(change(record(**LISTED), "requested"))
    assert await ledger.lists.named(name_key(name), 10) == ["r-1"]
    assert await ledger.lists.named(name_key("boris@contoso.com"), 10) == []


async def test_no_key_holds_a_name(ledger: Ledger, storage: str) -> None:
    await ledger.requests.write(change(record(**LISTED), "requested"))
    with tables(storage) as service:
        keys = [
            f"{row['PartitionKey']} {row['RowKey']}" for row in service.get_table_client("requests").list_entities()
        ]
    assert len(keys) > 5
    assert [key for key in keys if "anna" in key.lower() or "@" in key] == []


async def test_a_line_of_a_newer_version_does_not_hide_those_behind_it(ledger: Ledger, storage: str) -> None:
    for number in range(3):
        await ledger.requests.write(change(record(f"r-{number}"), "requested"))
    with tables(storage) as service:
        client = service.get_table_client("requests")
        (row,) = client.query_entities("PartitionKey eq 'month~2026-05' and requestId eq 'r-1' and RowKey lt 'b'")
        client.upsert_entity({**row, "stage": "levitated"})
    assert await ids(ledger) == ["r-0", "r-2"]


async def test_the_events_of_a_row_come_in_order_and_in_parts(ledger: Ledger) -> None:
    actor = Actor(ActorKind.STATED, name="ops@contoso.com")
    written = change(record(), "one", "two", "three")
    events = tuple(replace(event, actor=actor) for event in written.events)
    await ledger.requests.write(replace(written, events=events))
    assert await ledger.requests.history("r-1", 0, 2) == list(events[:2])
    assert await ledger.requests.history("r-1", 2, 2) == list(events[2:])
    assert await ledger.requests.history("r-2", 0, 2) == []


@pytest.mark.parametrize("others", [0, MOST_CARRIED])
async def test_an_event_by_an_actor_of_a_newer_version_is_an_unreadable_row(
    ledger: Ledger, storage: str, others: int
) -> None:
    await ledger.requests.write(change(record(), "one", *["waits"] * others))
    with tables(storage) as service:
        client = service.get_table_client("requests")
        row = client.get_entity("r-1", "history-0000000001" if others else "request")
        column = "actor" if others else "recent"
        client.upsert_entity({**row, column: row[column].replace('"kind":"queue"', '"kind":"oracle"')})
    with pytest.raises(UnreadableRow):
        await ledger.requests.history("r-1", 0, 2)


async def test_a_page_goes_through_a_few_months_and_the_next_one_goes_on(ledger: Ledger) -> None:
    for month in range(1, 8):
        row = record(f"r-{month}", requested_at=datetime(2026, month, 1, tzinfo=UTC))
        row = await ledger.requests.write(change(row, "requested"))
        if month < 7:
            await ledger.requests.write(move(row, Stage.INVITED, NOON))
    page = await ledger.lists.page(Range(stage_list(Stage.REQUESTED)), None, 10)
    assert (page.lines, page.next, page.calls) == ((), Place("2026-05"), 5)
    rest = await ledger.lists.page(Range(stage_list(Stage.REQUESTED)), page.next, 10)
    assert [line.request_id for line in rest.lines] == ["r-7"]
    assert rest.next is None


def test_a_name_is_found_by_any_part() -> None:
    line: Line = line_of(record(**LISTED))
    assert line.has("NNA@c")
    assert line.has("fabrikam")
    assert not line.has("boris")
