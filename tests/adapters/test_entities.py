"""Records as table entities: every field there and back, through the mapping alone and through storage."""

import json
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.adapters import entities
from b2b.adapters.ledger import Ledger
from b2b.domain.conversion import Change, Conversion, Event, RequestRecord, Source, Stage
from b2b.domain.findings import Finding, Severity, Verdict
from b2b.domain.pacing import Pace
from tests.adapters.ledger_support import NOON, USER, conversion, record, rows

texts = st.text(st.characters(codec="utf-8"), max_size=40)
moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001 - zoned next
    lambda when: when.replace(tzinfo=UTC)
)
numbers = st.integers(min_value=0, max_value=2**31 - 1)
findings = st.lists(st.builds(Finding, texts, st.sampled_from(Severity), texts, texts, texts), max_size=3).map(tuple)
KINDS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: numbers,
    bool: st.booleans(),
    bytes: st.binary(max_size=60),
    datetime: moments,
    datetime | None: st.none() | moments,
    Stage: st.sampled_from(Stage),
    Source: st.sampled_from(Source),
    Verdict | None: st.none() | st.sampled_from(Verdict),
    tuple[Finding, ...]: findings,
}


FULL: dict[Any, Any] = {
    str: 'Grüße, "€" & 😀 <b>\t\'',
    int: 2**31 - 1,
    bool: True,
    bytes: bytes(range(256)),
    datetime: NOON,
    datetime | None: NOON,
    Stage: Stage.NEEDS_REVIEW,
    Source: Source.SWEEP,
    Verdict | None: Verdict.NEEDS_REVIEW,
    tuple[Finding, ...]: (Finding("group-address", Severity.BLOCK, "ä", "b", "c"),) * 30,
}


def columns_of(kind: type[Any]) -> dict[str, Any]:
    """Field and type of all columns; the row's version is storage's."""
    return {item.name: item.type for item in fields(kind) if item.name != "etag"}


def records(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Records with any value in every field; what has no default is never empty."""
    needed = {item.name for item in fields(kind) if item.default is MISSING and item.type is str}
    return st.builds(
        kind, **{name: KINDS[of].filter(bool) if name in needed else KINDS[of] for name, of in columns_of(kind).items()}
    )


@given(records(Conversion))
def test_a_conversion_survives_the_mapping(row: Conversion) -> None:
    assert entities.conversion(entities.to_entity(row)) == row


@given(records(RequestRecord))
def test_a_request_survives_the_mapping(row: RequestRecord) -> None:
    assert entities.request_record(entities.to_entity(row)) == row


@pytest.mark.parametrize("row", [conversion(), Conversion(**{n: FULL[t] for n, t in columns_of(Conversion).items()})])
async def test_every_field_of_a_conversion_survives_storage(ledger: Ledger, row: Conversion) -> None:
    row = replace(row, user_id=USER, sequence=0)
    written = await ledger.conversions.write(Change(row))
    assert await ledger.conversions.get(USER) == written == replace(row, etag=written.etag)


@pytest.mark.parametrize("row", [record(), RequestRecord(**{n: FULL[t] for n, t in columns_of(RequestRecord).items()})])
async def test_every_field_of_a_request_survives_storage(ledger: Ledger, row: RequestRecord) -> None:
    row = replace(row, request_id="r-1", sequence=0)
    written = await ledger.requests.write(Change(row))
    assert await ledger.requests.get("r-1") == written == replace(row, etag=written.etag)


@pytest.mark.parametrize("row", [conversion(), record()])
def test_what_is_empty_has_no_column(row: Conversion | RequestRecord) -> None:
    columns = entities.to_entity(row)
    assert None not in columns.values()
    assert "" not in columns.values()
    assert columns["schemaVersion"] == 1
    assert "etag" not in columns


def test_columns_are_camel_case_and_findings_are_a_json_list() -> None:
    finding = Finding("account-disabled", Severity.REVIEW, "It is disabled.", "Enable it.", "https://example.org")
    columns = entities.to_entity(conversion(findings=(finding,), invited_user_email_address="anna@fabrikam.com"))
    assert columns["invitedUserEmailAddress"] == "anna@fabrikam.com"
    assert json.loads(columns["findings"]) == [
        {
            "rule": "account-disabled",
            "severity": "review",
            "message": "It is disabled.",
            "fix": "Enable it.",
            "source": "https://example.org",
        }
    ]


async def test_every_field_of_the_pace_survives_storage(ledger: Ledger) -> None:
    full = Pace(**{name: FULL[of] for name, of in columns_of(Pace).items()})
    row = replace(full, sequence=0)
    written = await ledger.pace.write(Change(row))
    assert await ledger.pace.get("pace") == written == replace(row, etag=written.etag)


async def test_moments_of_any_zone_are_stored_in_utc_to_the_microsecond(ledger: Ledger, storage: str) -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=2)))
    await ledger.requests.write(Change(record(requested_at=berlin)))
    stored = await ledger.requests.get("r-1")
    assert stored is not None
    assert stored.requested_at == NOON
    assert stored.requested_at.tzinfo is UTC
    assert str(rows(storage, "requests", "r-1")["request"]["requestedAt"]) == "2026-05-04 12:00:00.123456+00:00"


def test_a_row_of_a_later_version_with_more_columns_can_be_read() -> None:
    written = entities.to_entity(conversion()) | {"hardenedAt": NOON, "schemaVersion": 2}
    assert entities.conversion(written) == conversion(schema_version=2)


def test_the_keys_of_a_history_sort_as_their_numbers_do() -> None:
    event = Event("invited", NOON, Stage.INVITED, "r-1", "PendingAcceptance")
    keys = [entities.event_entity("p", number, event)["RowKey"] for number in (1, 2, 9, 10, 99, 100, 12345)]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("event", "columns"),
    [
        (
            Event("invited", NOON, Stage.INVITED, "r-1", "PendingAcceptance"),
            {"stage": "invited", "requestId": "r-1", "detail": "PendingAcceptance"},
        ),
        (Event("parked", NOON), {}),
    ],
)
def test_an_event_has_the_columns_that_it_needs(event: Event, columns: dict[str, str]) -> None:
    keys = {"PartitionKey": "p", "RowKey": "history-0000000007", "kind": event.kind, "at": NOON}
    assert entities.event_entity("p", 7, event) == {**keys, **columns}
