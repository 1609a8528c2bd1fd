"""What a row can hold, in memory and in Azurite: the SDK's types, and the limits of storage."""

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from azure.core import MatchConditions
from azure.data.tables import EdmType, EntityProperty, UpdateMode
from azure.data.tables.aio import TableClient

from tests.simulation.storage_contract import Failed, Memory, all_rows, entity, tried

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


class Shade(StrEnum):
    DARK = "dark"


VALUES: dict[str, tuple[Any, Any]] = {
    "text": ("Ü😀'\"\\", "Ü😀'\"\\"),
    "empty text": ("", ""),
    "lines": ("a\r\nb\n", "a\r\nb\n"),
    "NUL": ("a\0b", "a\0b"),
    "true": (True, True),
    "false": (False, False),
    "int": (-(2**31), -(2**31)),
    "Int32": (EntityProperty(7, EdmType.INT32), 7),
    "Int64": (EntityProperty(2**40, EdmType.INT64), EntityProperty(2**40, EdmType.INT64)),
    "small Int64": (EntityProperty(5, "Edm.Int64"), EntityProperty(5, EdmType.INT64)),
    "float": (1.5, 1.5),
    "whole float": (2.0, 2.0),
    "infinity": (float("-inf"), float("-inf")),
    "bytes": (b"\x00\xff", b"\x00\xff"),
    "UUID": (UUID(int=5), UUID(int=5)),
    "Guid": (EntityProperty(str(UUID(int=5)), EdmType.GUID), UUID(int=5)),
    "time": (NOON, NOON),
    "time elsewhere": (NOON.astimezone(timezone(timedelta(hours=2))), NOON),
    "naive time": (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None).astimezone(UTC)),
    "time as text": (EntityProperty("2026-05-04T12:00:00.123456Z", EdmType.DATETIME), NOON),
    "enumeration": (Colour.RED, "Colour.RED"),
    "text enumeration": (Shade.DARK, "dark"),
    "Boolean": (EntityProperty(value=True, edm_type=EdmType.BOOLEAN), True),
    "String": (EntityProperty("x", EdmType.STRING), "x"),
}


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_is_read_with_the_sdks_type(table: TableClient, name: str) -> None:
    written, expected = VALUES[name]
    await table.create_entity(entity(value=written))
    value = (await table.get_entity("p", "r"))["value"]
    assert value == expected
    assert type(value).__name__ == (
        "TablesEntityDatetime" if isinstance(expected, datetime) else type(expected).__name__
    )
    if isinstance(value, datetime):
        assert value.tzinfo is UTC
    await table.update_entity(await table.get_entity("p", "r"), mode=UpdateMode.REPLACE)
    assert (await table.get_entity("p", "r"))["value"] == expected


async def test_a_time_that_was_read_can_be_written_in_another_zone(table: TableClient) -> None:
    await table.create_entity(entity(value=NOON))
    row = await table.get_entity("p", "r")
    assert row["value"].utcoffset() == timedelta(0)
    await table.update_entity({**row, "value": row["value"].astimezone(timezone(timedelta(hours=2)))})
    value = (await table.get_entity("p", "r"))["value"]
    assert (value, value.tzinfo) == (NOON, UTC)


async def test_nan_is_kept(table: TableClient) -> None:
    await table.create_entity(entity(value=float("nan")))
    value = (await table.get_entity("p", "r"))["value"]
    assert value != value  # noqa: PLR0124  that is what NaN means


@pytest.mark.parametrize("empty", [None, EntityProperty(None, EdmType.STRING)])
async def test_none_is_not_sent(table: TableClient, empty: Any) -> None:
    await table.create_entity(entity(a=1, b=empty))
    assert await all_rows(table) == [entity(a=1)]
    await table.upsert_entity(entity(a=empty))
    assert await all_rows(table) == [entity(a=1)]
    await table.upsert_entity(entity(a=empty), mode=UpdateMode.REPLACE)
    assert await all_rows(table) == [entity()]


class Name(str):
    """A subclass of str."""

    __slots__ = ()


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, EntityProperty(2**63, EdmType.INT64), [1], {}, Name("x"), 1j])
async def test_a_value_that_the_sdk_cannot_send_raises_type_error(table: TableClient, value: Any) -> None:
    assert await tried(table.upsert_entity(entity(value=value))) == Failed("TypeError")
    assert await tried(table.submit_transaction([("create", entity(value=value))])) == Failed("TypeError")


@pytest.mark.parametrize("verb", ["upsert_entity", "update_entity"])
async def test_keys_must_be_present_and_strings(table: TableClient, verb: str) -> None:
    assert await tried(getattr(table, verb)({"PartitionKey": "p"})) == Failed("KeyError")
    assert await tried(getattr(table, verb)({"PartitionKey": "p", "RowKey": 1})) == Failed("TypeError")
    assert await tried(table.create_entity({"PartitionKey": "p"})) == Failed("ValueError")
    assert await tried(table.create_entity({"PartitionKey": None, "RowKey": "r"})) == Failed("ValueError")


async def test_the_timestamp_is_set_by_the_server(table: TableClient) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    await table.create_entity(entity(Timestamp=past))
    row = await table.get_entity("p", "r")
    assert row == entity()
    assert row.metadata["timestamp"] != past


# Limits


TOO_LARGE = Failed("HttpResponseError", 400, "PropertyValueTooLarge")
LIMITS: dict[str, tuple[Any, Any]] = {
    "text": ("x" * 32_768, "x" * 32_769),
    "text beyond the basic plane": ("😀" * 16_384, "😀" * 16_385),
    "bytes": (b"x" * 65_536, b"x" * 65_537),
}


@pytest.mark.parametrize("name", LIMITS)
async def test_a_property_may_have_at_most_64_kibibytes(table: TableClient, name: str) -> None:
    longest, too_long = LIMITS[name]
    await table.create_entity(entity(a=longest))
    assert await tried(table.upsert_entity(entity(a=too_long))) == TOO_LARGE
    assert await tried(table.create_entity(entity("s", a=too_long))) == Failed("HttpResponseError", 400)
    assert await all_rows(table) == [entity(a=longest)]


@pytest.mark.parametrize("character", [*"\\#?\t\n\x00\x1f\x7f\x85"])
@pytest.mark.parametrize("name", ["PartitionKey", "RowKey"])
async def test_a_key_must_not_contain_this_character(table: TableClient, name: str, character: str) -> None:
    bad = {**entity(), name: f"a{character}b"}
    for work in (table.create_entity(bad), table.upsert_entity(bad), table.submit_transaction([("create", bad)])):
        assert (await tried(work)).status == 400
    assert await tried(table.get_entity(bad["PartitionKey"], bad["RowKey"])) == Failed(
        "ResourceNotFoundError", 404, "ResourceNotFound"
    )


@pytest.mark.parametrize("character", [*"'%+ &:=~|Āß"])
async def test_a_key_may_contain_this_character(table: TableClient, character: str) -> None:
    row = entity(f"a{character}b", f"{character}p")
    await table.create_entity(row)
    await table.submit_transaction([("update", {**row, "a": 1})])
    assert await table.get_entity(row["PartitionKey"], row["RowKey"]) == {**row, "a": 1}
    found = table.query_entities("PartitionKey eq @p", parameters={"p": row["PartitionKey"]})
    assert [each["RowKey"] async for each in found] == [row["RowKey"]]
    await table.delete_entity(row["PartitionKey"], row["RowKey"])
    assert await all_rows(table) == []


async def test_a_key_may_be_empty_and_have_at_most_1_kibibyte(table: TableClient) -> None:
    await table.create_entity(entity("k" * 512))
    await table.create_entity(entity(""))
    assert (await tried(table.upsert_entity(entity("k" * 513)))).status == 400
    assert await table.get_entity("p", "") == entity("")


async def test_a_row_may_be_almost_a_mebibyte(table: TableClient) -> None:
    columns = {f"a{number}": "x" * 32_000 for number in range(16)}
    await table.create_entity(entity(**columns))
    assert await table.get_entity("p", "r") == entity(**columns)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_transaction_may_have_at_most_4_mebibytes(table: TableClient) -> None:
    columns = {f"a{number}": "x" * 30_000 for number in range(16)}
    rows = [("create", entity(f"r{number}", **columns)) for number in range(10)]
    expected = Failed("RequestTooLargeError", 413, "RequestBodyTooLarge", 0)
    assert await tried(table.submit_transaction(rows)) == expected
    await table.submit_transaction(rows[:8])


# Limits of Azure that Azurite lacks, or reports differently: tested in memory only.


async def test_a_row_may_have_at_most_1_mebibyte(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    columns = {f"a{number}": "x" * 32_000 for number in range(17)}
    too_large = Failed("HttpResponseError", 400, "EntityTooLarge")
    assert await tried(table.upsert_entity(entity(**columns))) == too_large
    del columns["a0"]
    await table.upsert_entity(entity(**columns))
    assert await tried(table.upsert_entity(entity(a0="x" * 32_000))) == too_large
    in_transaction = Failed("TableTransactionError", 400, "EntityTooLarge", 1)
    operations = [("upsert", entity("s")), ("upsert", entity(a0="x" * 32_000))]
    assert await tried(table.submit_transaction(operations)) == in_transaction
    assert await all_rows(table) == [entity(**columns)]


async def test_merging_the_same_columns_repeatedly_does_not_enlarge_a_row(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    for _ in range(100):
        await table.upsert_entity(entity(a="x" * 32_000, b=b"x" * 32_000))


async def test_a_row_may_have_at_most_252_properties(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    columns: dict[str, Any] = {f"a{number}": number for number in range(252)}
    await table.create_entity(entity(**columns))
    too_many = Failed("HttpResponseError", 400, "TooManyProperties")
    assert await tried(table.upsert_entity(entity(b=1))) == too_many
    assert await tried(table.upsert_entity(entity("s", b=1, **columns))) == too_many
    assert await all_rows(table) == [entity(**columns)]


NAMES = [("a-b", "PropertyNameInvalid"), ("1a", "PropertyNameInvalid"), ("", "PropertyNameInvalid")]


@pytest.mark.parametrize(("name", "code"), [*NAMES, ("a" * 256, "PropertyNameTooLong")])
async def test_a_property_name_must_be_an_identifier_of_at_most_255_characters(
    memory: Memory, name: str, code: str
) -> None:
    table = memory.tables.get_table_client("conversions")
    assert await tried(table.upsert_entity({**entity(), name: 1})) == Failed("HttpResponseError", 400, code)
    await table.upsert_entity({**entity(), "a" * 255: 1, "_b1": 2, "größe": 3})


async def test_a_key_with_a_slash_and_a_key_too_long_have_their_own_errors(memory: Memory) -> None:
    table = memory.tables.get_table_client("conversions")
    expected = Failed("HttpResponseError", 400, "OutOfRangeInput")
    assert await tried(table.upsert_entity(entity("a/b"))) == expected
    assert await tried(table.upsert_entity(entity("r", "a/b"))) == expected
    too_long = Failed("HttpResponseError", 400, "KeyValueTooLarge")
    assert await tried(table.upsert_entity(entity("ä" * 513))) == too_long


async def test_a_transaction_of_more_than_100_operations_is_refused(memory: Memory) -> None:
    """Azurite answers more than 100 with a malformed body, and an empty transaction with 500. Azure answers 400 to an
    empty one, which the SDK hides.
    """
    table = memory.tables.get_table_client("conversions")
    operations = [("upsert", entity(str(number))) for number in range(101)]
    expected = Failed("TableTransactionError", 400, "InvalidInput", 99)
    assert await tried(table.submit_transaction(operations)) == expected
    assert await all_rows(table) == []
    assert await table.submit_transaction([]) == []


@pytest.mark.parametrize("top", [0, 1001])
async def test_a_page_size_outside_1_to_1000_is_refused(memory: Memory, top: int) -> None:
    table = memory.tables.get_table_client("conversions")
    refused = Failed("HttpResponseError", 400, "InvalidInput")
    assert await tried(anext(aiter(table.list_entities(results_per_page=top)))) == refused


async def test_a_malformed_etag_is_refused(memory: Memory) -> None:
    """Azurite answers InvalidOperation to an update."""
    table = memory.tables.get_table_client("conversions")
    await table.create_entity(entity())
    work = table.update_entity(entity(), etag="1", match_condition=MatchConditions.IfNotModified)
    assert await tried(work) == Failed("HttpResponseError", 400, "InvalidInput")
