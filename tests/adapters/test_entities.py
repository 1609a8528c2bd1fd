"""Records as table entities: every field survives the mapping, and storage."""

import json
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.adapters import entities
from b2b.adapters.ledger import Ledger
from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import Campaign, CampaignState, ImportState, ListImport
from b2b.domain.campaign.runs import Run, RunKind
from b2b.domain.conversion.records import SCHEMA_VERSION, Absence, Change, Conversion, Doubt, Event, Source
from b2b.domain.conversion.sendings import Fate, Purpose, Sending
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.errors import UnreadableRow
from b2b.domain.findings import Finding, Severity, Verdict
from b2b.domain.pacing import Pace
from b2b.domain.request.record import RequestRecord
from tests.adapters.ledger_support import NOON, USER, conversion, record, rows, tables

texts = st.text(st.characters(codec="utf-8"), max_size=40)
moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001 - zoned next
    lambda when: when.replace(tzinfo=UTC)
)
numbers = st.integers(min_value=0, max_value=2**31 - 1)
findings = st.lists(st.builds(Finding, texts, st.sampled_from(Severity), texts, texts, texts), max_size=3).map(tuple)
flags = st.booleans()
doubts = st.lists(
    st.builds(Doubt, texts, moments, moments, flags, address=texts, waived=flags, elsewhere=flags), max_size=3
).map(tuple)
sendings = st.lists(
    st.builds(
        Sending,
        texts,
        st.sampled_from(Purpose),
        st.sampled_from(Fate),
        moments,
        moments,
        address=texts,
        by=texts,
        earlier=texts,
        again=flags,
        said=texts,
    ),
    max_size=3,
).map(tuple)
waits = st.builds(Waiting, st.sampled_from(WaitReason), moments, st.none() | moments)
versions = st.integers(min_value=1, max_value=SCHEMA_VERSION)
actors = st.builds(Actor, st.sampled_from(ActorKind), texts, texts)
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
    Actor: actors,
    tuple[Event, ...]: st.lists(
        st.builds(Event, texts, moments, st.none() | st.sampled_from(Stage), texts, texts, actors), max_size=3
    ).map(tuple),
    tuple[Finding, ...]: findings,
    tuple[Doubt, ...]: doubts,
    tuple[Sending, ...]: sendings,
    tuple[str, ...]: st.lists(texts, max_size=3).map(tuple),
    Waiting | None: st.none() | waits,
    Absence | None: st.none() | st.sampled_from(Absence),
    RunKind: st.sampled_from(RunKind),
    CampaignState: st.sampled_from(CampaignState),
    ImportState: st.sampled_from(ImportState),
    MemberStage: st.sampled_from(MemberStage),
    tuple[tuple[str, str], ...]: st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
}


FULL: dict[Any, Any] = {
    str: 'Grüße, "€" & 😀 <b>\t\'',
    int: 2**31 - 1,
    bool: True,
    bytes: bytes(range(256)),
    datetime: NOON,
    datetime | None: NOON,
    Stage: Stage.NEEDS_REVIEW,
    Source: Source.HTTP,
    Verdict | None: Verdict.NEEDS_REVIEW,
    Actor: Actor(ActorKind.STATED, "id", "Zoë"),
    tuple[Event, ...]: (
        Event("approved", NOON, Stage.INVITED, "r", "ä", Actor(ActorKind.STATED, "id", "Zoë"), "graph-id"),
    )
    * 3,
    tuple[Finding, ...]: (Finding("group-address", Severity.BLOCK, "ä", "b", "c"),) * 30,
    tuple[Doubt, ...]: (
        Doubt("a-1", NOON, NOON + timedelta(microseconds=1), silent=True, address="k", waived=True, elsewhere=True),
    )
    * 5,
    tuple[Sending, ...]: (
        Sending(
            "s-1", Purpose.CORRECTION, Fate.NOT_SENT, NOON, NOON, "a@ä.com", "Zoë", "b@ä.com", again=True, said="€"
        ),
    )
    * 5,
    tuple[str, ...]: ("group-address", "Grüße"),
    Waiting | None: Waiting(WaitReason.NOT_VISIBLE, NOON, NOON),
    Absence | None: Absence.BIN,
    CampaignState: CampaignState.PAUSED,
    ImportState: ImportState.FINISHED,
    MemberStage: MemberStage.JUDGED,
    tuple[tuple[str, str], ...]: (("Lieferant", "Grüße"), ("Nr", "=1")),
}


def columns_of(kind: type[Any]) -> dict[str, Any]:
    """Return name and type of every field that is stored in a column. The ETag is not; storage has its own."""
    return {item.name: item.type for item in fields(kind) if item.name != "etag"}


def records(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for records with any value in every field; text fields without a default are not empty."""
    needed = {item.name for item in fields(kind) if item.default is MISSING and item.type is str}
    columns = {name: KINDS[of].filter(bool) if name in needed else KINDS[of] for name, of in columns_of(kind).items()}
    return st.builds(kind, **{**columns, **({"schema_version": versions} if "schema_version" in columns else {})})


def full(kind: type[Any], **columns: Any) -> Any:
    """Return a record with a value in every field."""
    known = {name: FULL[of] for name, of in columns_of(kind).items()}
    versioned = {"schema_version": SCHEMA_VERSION} if "schema_version" in known else {}
    return kind(**{**known, **versioned, **columns})


@given(records(Conversion))
def test_a_conversion_survives_the_mapping(row: Conversion) -> None:
    read = entities.conversion(entities.to_entity(row))
    assert (read, read.recent) == (row, row.recent)


@given(records(Pace))
def test_the_pace_survives_the_mapping(row: Pace) -> None:
    assert entities.pace(entities.to_entity(row)) == row


@given(records(Campaign))
def test_a_campaign_survives_the_mapping(row: Campaign) -> None:
    assert entities.campaign(entities.to_entity(row)) == row


@given(records(ListImport))
def test_a_list_survives_the_mapping(row: ListImport) -> None:
    assert entities.list_import(entities.to_entity(row)) == row


@given(records(Member))
def test_a_member_survives_the_mapping(row: Member) -> None:
    assert entities.member(entities.to_entity(row)) == row


@given(records(Run))
def test_a_run_survives_the_mapping(row: Run) -> None:
    assert entities.run(entities.to_entity(row)) == row


@given(records(RequestRecord))
def test_a_request_survives_the_mapping(row: RequestRecord) -> None:
    read = entities.request_record(entities.to_entity(row))
    assert (read, read.recent) == (row, row.recent)


@pytest.mark.parametrize("row", [conversion(), full(Conversion)])
async def test_every_field_of_a_conversion_survives_storage(ledger: Ledger, row: Conversion) -> None:
    row = replace(row, user_id=USER, sequence=0)
    written = await ledger.conversions.write(Change(row))
    assert await ledger.conversions.get(USER) == written == replace(row, etag=written.etag)


@pytest.mark.parametrize("row", [record(), full(RequestRecord)])
async def test_every_field_of_a_request_survives_storage(ledger: Ledger, row: RequestRecord) -> None:
    row = replace(row, request_id="r-1", sequence=0)
    written = await ledger.requests.write(Change(row))
    assert await ledger.requests.get("r-1") == written == replace(row, etag=written.etag)


async def test_every_field_of_a_member_survives_storage(ledger: Ledger) -> None:
    row = full(Member, campaign_id="spring", key="anna", sequence=0)
    written = await ledger.campaigns.write(Change(row), None)
    assert await ledger.campaigns.member(row.campaign_id, row.key) == written == replace(row, etag=written.etag)


@pytest.mark.parametrize("row", [conversion(), record()])
def test_an_empty_field_has_no_column(row: Conversion | RequestRecord) -> None:
    columns = entities.to_entity(row)
    assert None not in columns.values()
    assert "" not in columns.values()
    assert columns["schemaVersion"] == SCHEMA_VERSION
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
    row = full(Pace, sequence=0)
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


def test_an_unknown_column_is_ignored() -> None:
    assert entities.conversion(entities.to_entity(conversion()) | {"hardenedAt": NOON}) == conversion()


def test_a_row_of_schema_version_1_is_read_with_defaults() -> None:
    written = {name: value for name, value in entities.to_entity(record()).items() if name != "schemaVersion"}
    assert entities.request_record(written | {"schemaVersion": 1}) == record(schema_version=1)


READERS = ((entities.conversion, conversion()), (entities.request_record, record()))


@pytest.mark.parametrize(("read", "row"), READERS, ids=["conversion", "request"])
@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, SCHEMA_VERSION + 7])
def test_a_row_of_a_newer_version_is_unreadable(read: Any, row: Any, version: int) -> None:
    """Its columns may have another meaning even if their names look familiar."""
    with pytest.raises(UnreadableRow, match="r-9 was written by a newer version"):
        read(entities.to_entity(row) | {"PartitionKey": "r-9", "schemaVersion": version})


@pytest.mark.parametrize(
    ("read", "row", "column", "value"),
    [
        (entities.conversion, conversion(), "stage", "archived"),
        (entities.conversion, conversion(), "verdict", "perhaps"),
        (entities.conversion, conversion(), "absence", "on the moon"),
        (entities.conversion, conversion(), "waiting", '{"reason": "full-moon", "since": "2026-05-04T12:00:00Z"}'),
        (entities.conversion, conversion(), "doubts", '[{"attempt": "a-1"}]'),
        (entities.conversion, conversion(), "findings", "not json"),
        (entities.request_record, record(), "source", "carrier pigeon"),
        (entities.request_record, record(), "stage", "archived"),
        (entities.request_record, record(), "judgedRules", "{}"),
    ],
)
def test_an_unknown_value_makes_a_row_unreadable(read: Any, row: Any, column: str, value: str) -> None:
    with pytest.raises(UnreadableRow, match="r-9 cannot be read"):
        read(entities.to_entity(row) | {"PartitionKey": "r-9", column: value})


@pytest.mark.parametrize("missing", ["stage", "requestId", "bodyHash", "requestedAt"])
def test_a_row_without_a_required_column_is_unreadable(missing: str) -> None:
    with pytest.raises(UnreadableRow):
        entities.request_record({name: each for name, each in entities.to_entity(record()).items() if name != missing})


async def test_an_unreadable_row_in_storage_is_no_outage(ledger: Ledger, storage: str) -> None:
    await ledger.conversions.write(Change(conversion()))
    with tables(storage) as service:
        table = service.get_table_client("conversions")
        table.update_entity({"PartitionKey": USER, "RowKey": "current", "stage": "archived"})
    with pytest.raises(UnreadableRow, match=USER):
        await ledger.conversions.get(USER)


def test_the_row_keys_of_events_sort_by_number() -> None:
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
        (Event("waits", NOON), {}),
    ],
)
def test_an_event_has_only_columns_with_a_value(event: Event, columns: dict[str, str]) -> None:
    keys = {"PartitionKey": "p", "RowKey": "history-0000000007", "kind": event.kind, "at": NOON}
    assert entities.event_entity("p", 7, event) == {**keys, **columns, "actor": '{"kind":"queue"}'}
