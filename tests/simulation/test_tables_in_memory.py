"""Tables in memory: calls pass the gate, switches change the pages, and oracles bypass the gate."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import EdmType, EntityProperty, UpdateMode
from azure.data.tables._deserialize import _convert_to_entity
from azure.data.tables._serialize import _add_entity_properties
from azure.data.tables.aio import TableClient, TableServiceClient
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.gate import Call
from tests.simulation.storage_contract import (
    OUTAGES,
    START,
    Failed,
    Memory,
    Recording,
    assert_takes_what_the_sdks_takes,
    entity,
    failed,
    found,
    pages,
    tried,
)
from tests.simulation.table_client import MemoryTableClient, MemoryTableService
from tests.simulation.table_rows import values

IF_SAME = MatchConditions.IfNotModified
Use = Callable[[TableClient], Awaitable[Any]]

CALLS: dict[str, tuple[Use, Call]] = {
    "get": (lambda table: table.get_entity("p", "r"), Call("tables", "read", "conversions/p", changes=False)),
    "create": (
        lambda table: table.create_entity(entity("new")),
        Call("tables", "write", "conversions/p", changes=True),
    ),
    "upsert": (lambda table: table.upsert_entity(entity()), Call("tables", "write", "conversions/p", changes=True)),
    "update": (lambda table: table.update_entity(entity()), Call("tables", "write", "conversions/p", changes=True)),
    "delete": (lambda table: table.delete_entity("p", "r"), Call("tables", "delete", "conversions/p", changes=True)),
    "transaction": (
        lambda table: table.submit_transaction([("upsert", entity())]),
        Call("tables", "write", "conversions/p", changes=True),
    ),
    "query of a partition": (
        lambda table: found(table, "PartitionKey eq @p and a eq 1", {"p": "p"}),
        Call("tables", "list", "conversions/p", changes=False),
    ),
    "query of many": (lambda table: found(table, "a eq 1"), Call("tables", "list", "conversions/*", changes=False)),
    "query of a range": (
        lambda table: found(table, "PartitionKey ge 'p'"),
        Call("tables", "list", "conversions/*", changes=False),
    ),
    "list": (
        lambda table: anext(aiter(table.list_entities())),
        Call("tables", "list", "conversions/*", changes=False),
    ),
}


def behind(gate: Recording) -> tuple[Memory, TableClient]:
    memory = Memory(gate)
    memory.stored_tables.open_client("conversions").write(entity(a=1))
    return memory, memory.tables.get_table_client("conversions")


@pytest.mark.parametrize("name", CALLS)
async def test_every_table_call_passes_the_gate_with_its_subject(name: str) -> None:
    use, expected = CALLS[name]
    gate = Recording()
    _, table = behind(gate)
    await use(table)
    assert gate.calls == [expected]


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.parametrize("name", CALLS)
async def test_each_kind_of_trouble_raises_what_the_table_sdk_raises(name: str, kind: str) -> None:
    use, call = CALLS[name]
    memory, table = behind(Recording(call.verb, f"{kind} before", f"{kind} after"))
    before = memory.stored_tables.fingerprint(), memory.stored_tables.writes
    error = await tried(use(table))
    assert (memory.stored_tables.fingerprint(), memory.stored_tables.writes) == before
    expected, status, code = OUTAGES[kind]
    with pytest.raises(expected) as raised:
        await use(table)
    assert failed(raised.value) == error
    assert (error.status, error.code) == (status, None if name == "create" else code)
    assert memory.stored_tables.writes == before[1] + call.changes


async def test_an_outage_with_an_answer_has_headers() -> None:
    _, table = behind(Recording("read", "busy before"))
    with pytest.raises(HttpResponseError) as raised:
        await table.get_entity("p", "r")
    answer: Any = raised.value.response
    assert answer.status_code == 503
    assert answer.headers.get("Retry-After") is None
    assert failed(raised.value).code == "ServerBusy"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("create", Failed("ResourceExistsError", 409)),
        ("transaction that creates", Failed("TableTransactionError", 409, "EntityAlreadyExists", 1)),
        ("guarded update", Failed("ResourceModifiedError", 412, "UpdateConditionNotSatisfied")),
        ("delete", None),
    ],
)
async def test_a_repeated_request_sees_the_effect_of_its_first_try(name: str, expected: Failed | None) -> None:
    """The SDK repeats a request after a 503, even if storage had carried it out."""
    memory, table = behind(Recording("delete" if name == "delete" else "write", "lost"))
    before = memory.stored_tables.open_client("conversions").read("p", "r")
    assert before is not None
    same: Any = {"etag": before.metadata["etag"], "match_condition": IF_SAME}
    uses: dict[str, Callable[[], Awaitable[Any]]] = {
        "create": lambda: table.create_entity(entity("new")),
        "transaction that creates": lambda: table.submit_transaction([("upsert", entity()), ("create", entity("new"))]),
        "guarded update": lambda: table.update_entity(entity(a=2), **same),
        "delete": lambda: table.delete_entity("p", "r", **same),
    }
    assert await tried(uses[name]()) == expected
    assert memory.stored_tables.writes == 3


async def test_changing_an_entity_in_the_app_does_not_change_storage(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    written = entity(a=1)
    await table.create_entity(written)
    written["a"] = 2
    (await table.get_entity("p", "r"))["a"] = 3
    (await anext(aiter(table.list_entities())))["a"] = 4
    memory.stored_tables.rows("conversions")[0]["a"] = 5
    assert await table.get_entity("p", "r") == entity(a=1)


async def test_a_page_shows_the_rows_at_the_time_of_its_request() -> None:
    gate = Recording()
    _, table = behind(gate)
    await table.create_entity(entity("s", a=1))
    paged = table.list_entities(results_per_page=1)
    first = await anext(paged)
    await table.upsert_entity(entity("s", a=2))
    assert [first, *[row async for row in paged]] == [entity(a=1), entity("s", a=2)]
    assert [call.verb for call in gate.calls] == ["write", "list", "write", "list"]


async def test_writes_at_the_same_time_have_different_etags(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    results = await table.submit_transaction([("upsert", entity(str(number))) for number in range(9)])
    results.append(await table.upsert_entity(entity("0")))
    assert len({result["etag"] for result in results}) == 10
    assert (await table.get_entity("p", "0")).metadata["timestamp"] == START


async def test_the_timestamp_of_a_write_is_the_servers_time(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    memory.clock.advance(60)
    await table.create_entity(entity())
    memory.clock.advance(60)
    written = (await table.get_entity("p", "r")).metadata["timestamp"]
    assert written is not None
    assert (written - START).total_seconds() == 60


async def test_the_page_size_can_be_lowered(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    await table.submit_transaction([("create", entity(str(number))) for number in range(5)])
    memory.stored_tables.page_size = 2
    assert [rows for rows, _ in await pages(table, "")] == [["0", "1"], ["2", "3"], ["4"]]
    assert [rows for rows, _ in await pages(table, "", results_per_page=3)] == [["0", "1"], ["2", "3"], ["4"]]
    assert [len(rows) for rows, _ in await pages(table, "", results_per_page=1)] == [1] * 5


async def test_an_empty_page_can_have_a_continuation_token(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    await table.submit_transaction([("create", entity(str(number), a=number % 2)) for number in range(4)])
    memory.stored_tables.short_pages = lambda _size: 0
    assert [rows for rows, _ in await pages(table, "")] == [[], ["0"], [], ["1"], [], ["2"], [], ["3"]]
    memory.stored_tables.short_pages = lambda _size: 1
    assert [rows for rows, _ in await pages(table, "a eq 1")] == [[], ["1"], [], ["3"]]
    memory.stored_tables.short_pages = lambda size: size
    assert [rows for rows, _ in await pages(table, "a eq 1")] == [["1", "3"]]


@pytest.mark.parametrize("seed", range(20))
async def test_every_row_is_returned_once_in_order_with_any_page_sizes(memory: Memory, seed: int) -> None:
    table = memory.tables.get_table_client("conversions")
    rows = [entity(f"{number:02d}", partition, a=number % 3) for partition in "abc" for number in range(9)]
    for row in rows:
        await table.create_entity(row)
    chance = random.Random(seed)  # noqa: S311
    memory.stored_tables.page_size = chance.choice((1, 3, 1000))
    memory.stored_tables.short_pages = lambda size: chance.choice((0, 1, 2, 5, size))
    assert [row async for row in table.list_entities()] == rows
    matching = [row["RowKey"] for row in rows if row["a"] == 1 and row["PartitionKey"] > "a" and row["RowKey"] > "02"]
    assert await found(table, "PartitionKey gt 'a' and RowKey gt '02' and a eq 1") == matching


async def test_oracles_read_tables_without_a_gate() -> None:
    gate = Recording()
    memory, table = behind(gate)
    await table.create_entity(entity("s", "a"))
    gate.calls.clear()
    stored = memory.stored_tables
    assert stored.partitions("conversions") == ["a", "p"]
    assert stored.rows("conversions") == [entity("s", "a"), entity(a=1)]
    assert stored.rows("conversions", "p") == [entity(a=1)]
    assert stored.rows("conversions", "q") == []
    assert (stored.reads, stored.writes) == (0, 2)
    with pytest.raises(HttpResponseError):
        await table.get_entity("q", "r")
    assert (stored.reads, stored.writes) == (1, 2)
    stored.open_client("conversions").delete("a", "s")
    assert stored.partitions("conversions") == ["p"]
    assert stored.open_client("conversions").read("p", "r") == entity(a=1)
    assert stored.open_client("conversions").read("a", "s") is None
    assert [call.verb for call in gate.calls] == ["read"]


async def test_the_fingerprint_depends_on_values_only(memory: Memory) -> None:
    stored, table = memory.stored_tables, memory.tables.get_table_client("conversions")
    prints = [stored.fingerprint()]
    await table.create_entity(entity(a=1, b=START, c=b"x", d=EntityProperty(5, EdmType.INT64)))
    prints.append(stored.fingerprint())
    await table.upsert_entity(entity(a=1))
    assert stored.fingerprint() == prints[-1]
    await table.upsert_entity(entity(a=2))
    prints.append(stored.fingerprint())
    await memory.tables.get_table_client("requests").create_entity(entity())
    prints.append(stored.fingerprint())
    assert len(set(prints)) == 4
    await memory.tables.get_table_client("requests").delete_entity("p", "r")
    assert stored.fingerprint() == prints[2]


async def test_a_deleted_table_can_be_made_again_and_is_empty(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    await table.create_entity(entity())
    memory.stored_tables.delete_table("conversions")
    assert (await tried(table.get_entity("p", "r"))).code == "TableNotFound"
    memory.stored_tables.create_table("conversions")
    assert [row async for row in table.list_entities()] == []


@pytest.mark.parametrize(
    ("ours", "theirs"), [(MemoryTableClient, TableClient), (MemoryTableService, TableServiceClient)]
)
def test_every_table_method_has_the_parameters_of_the_sdk(ours: type, theirs: type) -> None:
    # The SDK's `delete_entity` accepts any arguments and checks them itself.
    assert_takes_what_the_sdks_takes(ours, theirs, "delete_entity")


EPOCH = datetime(1601, 1, 1)  # noqa: DTZ001  the strategy adds the zone
PROPERTIES = st.one_of(
    st.none(),
    st.text(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=50),
    st.uuids(),
    st.datetimes(min_value=EPOCH),
    st.datetimes(min_value=EPOCH, timezones=st.timezones()),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: EntityProperty(number, EdmType.INT64)),
    st.sampled_from(list(UpdateMode)),
)


@given(st.dictionaries(st.sampled_from("abcdef"), PROPERTIES))
def test_values_are_stored_as_the_sdk_reads_them(columns: dict[str, Any]) -> None:
    kept, weight = values(columns)
    assert kept == _convert_to_entity(_add_entity_properties(columns))  # type: ignore[no-untyped-call]
    assert weight == sum(len(value) for value in kept.values() if isinstance(value, (str, bytes)))
