"""The lists of requests: they follow the rows, have a stable order, are searchable by name, and never go back to an
older state.
"""

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
    """Return the ids of a whole list, read page by page."""
    found, after = list[str](), None
    while True:
        page = await ledger.lists.page(Range(name, **more), after, 2)
        found += [line.request_id for line in page.lines]
        after = page.next
        if after is None:
            return found


async def test_a_request_is_listed_among_all_requests_and_by_its_stage_and_wait_reason(ledger: Ledger) -> None:
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


async def test_a_line_has_the_values_of_its_row(ledger: Ledger) -> None:
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


async def test_lists_are_ordered_by_arrival_over_months_and_pages(ledger: Ledger) -> None:
    days = [datetime(2026, month, 15, tzinfo=UTC) for month in (3, 1, 2, 1, 12)]
    for number, day in enumerate(days):
        row = record(f"r-{number}", requested_at=day + timedelta(seconds=number))
        await ledger.requests.write(change(row, "requested"))
    assert await ids(ledger) == ["r-1", "r-3", "r-2", "r-0", "r-4"]
    since, until = datetime(2026, 1, 15, 0, 0, 2, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)
    assert await ids(ledger, since=since, until=until) == ["r-3", "r-2"]


async def test_a_new_request_between_two_pages_hides_and_repeats_no_line(ledger: Ledger) -> None:
    for number in range(4):
        await ledger.requests.write(change(record(f"r-{number}"), "requested"))
    first = await ledger.lists.page(Range(EVERY), None, 2)
    await ledger.requests.write(change(record("r-9"), "requested"))
    second = await ledger.lists.page(Range(EVERY), first.next, 9)
    assert [line.request_id for line in (*first.lines, *second.lines)] == ["r-0", "r-1", "r-2", "r-3", "r-9"]


async def test_a_line_never_returns_to_an_older_state(ledger: Ledger, storage: str) -> None:
    """A process that was frozen before it wrote its lines writes them when the request has changed long since."""
    first = await ledger.requests.write(change(record(), "requested"))
    await ledger.requests.write(move(first, Stage.INVITED, NOON))
    late = Ledger.from_connection_string(storage)
    await late.lists.show(line_of(first))
    await ledger.lists.show(line_of(first))
    await late.aclose()
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == []
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]


async def test_lines_that_a_killed_process_did_not_write_are_written_later(ledger: Ledger, storage: str) -> None:
    first = await ledger.requests.write(change(record(), "requested"))
    died = Ledger.from_connection_string(storage)
    invited = await died.requests._rows.write(move(first, Stage.INVITED, NOON))
    await died.aclose()
    assert await ids(ledger, stage_list(Stage.INVITED)) == []
    for _ in range(2):
        await ledger.lists.show(line_of(invited))
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.REQUESTED)) == []


async def test_two_processes_can_write_the_lines_of_one_request(ledger: Ledger, storage: str) -> None:
    other = Ledger.from_connection_string(storage)
    row = await ledger.requests.write(change(record(), "requested"))
    row = await other.requests.write(move(row, Stage.NEEDS_REVIEW, NOON))
    await ledger.requests.write(move(row, Stage.INVITED, NOON))
    await other.aclose()
    assert [await ids(ledger, stage_list(stage)) for stage in (Stage.REQUESTED, Stage.NEEDS_REVIEW)] == [[], []]
    assert await ids(ledger, stage_list(Stage.INVITED)) == ["r-1"]


async def test_a_request_that_replaces_a_draft_keeps_its_place_in_the_lists(ledger: Ledger) -> None:
    draft = await ledger.requests.write(change(record(stage=Stage.REJECTED), "rejected"))
    later = record(requested_at=NOON + timedelta(days=40))
    await ledger.requests.write(in_place_of(change(later, "requested"), draft))
    assert await ids(ledger) == ["r-1"]
    assert await ids(ledger, stage_list(Stage.REJECTED)) == []


async def test_a_purged_request_is_in_no_list_and_cannot_be_found_by_name(ledger: Ledger, storage: str) -> None:
    row = await ledger.requests.write(change(record(**LISTED), "requested"))
    row = await ledger.requests.write(move(row, Stage.FAILED, NOON))
    await ledger.purge(row)
    with tables(storage) as service:
        left = list(service.get_table_client("requests").list_entities())
    assert {entity["PartitionKey"] for entity in left} <= {"months~"}


async def test_an_id_that_is_used_again_after_a_purge_is_listed(ledger: Ledger, storage: str) -> None:
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
async def test_purging_a_request_removes_its_former_names_too(
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
async def test_a_request_is_found_by_name_or_address_in_any_case(ledger: Ledger, name: str) -> None:
    await ledger.requests.write(change(record(**LISTED), "requested"))
    assert await ledger.lists.named(name_key(name), 10) == ["r-1"]
    assert await ledger.lists.named(name_key("boris@contoso.com"), 10) == []


async def test_no_key_contains_a_name_or_an_address(ledger: Ledger, storage: str) -> None:
    await ledger.requests.write(change(record(**LISTED), "requested"))
    with tables(storage) as service:
        keys = [
            f"{row['PartitionKey']} {row['RowKey']}" for row in service.get_table_client("requests").list_entities()
        ]
    assert len(keys) > 5
    assert [key for key in keys if "anna" in key.lower() or "@" in key] == []


async def test_a_line_of_a_newer_version_does_not_hide_later_lines(ledger: Ledger, storage: str) -> None:
    for number in range(3):
        await ledger.requests.write(change(record(f"r-{number}"), "requested"))
    with tables(storage) as service:
        client = service.get_table_client("requests")
        (row,) = client.query_entities("PartitionKey eq 'month~2026-05' and requestId eq 'r-1' and RowKey lt 'b'")
        client.upsert_entity({**row, "stage": "levitated"})
    assert await ids(ledger) == ["r-0", "r-2"]


async def test_the_events_of_a_row_are_read_in_order_and_in_pages(ledger: Ledger) -> None:
    actor = Actor(ActorKind.STATED, name="ops@contoso.com")
    written = change(record(), "one", "two", "three")
    events = tuple(replace(event, actor=actor) for event in written.events)
    await ledger.requests.write(replace(written, events=events))
    assert await ledger.requests.history("r-1", 0, 2) == list(events[:2])
    assert await ledger.requests.history("r-1", 2, 2) == list(events[2:])
    assert await ledger.requests.history("r-2", 0, 2) == []


@pytest.mark.parametrize("others", [0, MOST_CARRIED])
async def test_an_unknown_kind_of_actor_in_a_history_raises_unreadable_row(
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


async def test_a_page_covers_at_most_five_months_and_the_next_one_continues(ledger: Ledger) -> None:
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


def test_a_line_matches_any_part_of_its_name_or_address() -> None:
    line: Line = line_of(record(**LISTED))
    assert line.has("NNA@c")
    assert line.has("fabrikam")
    assert not line.has("boris")
