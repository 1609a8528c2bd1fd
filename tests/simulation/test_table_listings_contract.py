"""Listings of a table are the same in memory and in Azurite: order, pages, tokens, selections, filters."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableClient

from tests.simulation.storage_contract import Failed, all_rows, entity, found, pages, tried


async def test_rows_are_listed_in_the_order_of_their_keys(table: TableClient) -> None:
    for partition, row in [("b", "2"), ("a", "2"), ("b", "10"), ("a", "1"), ("B", "1")]:
        await table.create_entity(entity(row, partition))
    listed = [(row["PartitionKey"], row["RowKey"]) for row in await all_rows(table)]
    assert listed == [("B", "1"), ("a", "1"), ("a", "2"), ("b", "10"), ("b", "2")]


async def test_a_listing_continues_from_any_token(table: TableClient) -> None:
    await table.submit_transaction([("create", entity(f"r{number}", number=number)) for number in range(7)])
    await table.create_entity(entity("r0", "q", number=9))
    listed = await pages(table, "PartitionKey eq 'p'", results_per_page=3)
    assert [rows for rows, _ in listed] == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]
    assert [token is None for _, token in listed] == [False, False, True]
    assert await pages(table, "PartitionKey eq 'p'", listed[0][1]) == [(["r3", "r4", "r5", "r6"], None)]
    everywhere = await pages(table, "number ge 1", results_per_page=4)
    assert [rows for rows, _ in everywhere] == [["r1", "r2", "r3", "r4"], ["r5", "r6", "r0"]]


async def test_a_token_marks_a_position_even_if_its_row_is_deleted(table: TableClient) -> None:
    await table.submit_transaction([("create", entity(f"r{number}")) for number in range(5)])
    ((_, token), *_) = await pages(table, "PartitionKey eq 'p'", results_per_page=2)
    await table.delete_entity("p", "r2")
    await table.create_entity(entity("r1b"))
    await table.create_entity(entity("r2b"))
    assert await pages(table, "PartitionKey eq 'p'", token) == [(["r2b", "r3", "r4"], None)]


@pytest.mark.parametrize("size", [4, 5])
async def test_the_last_page_has_no_token_even_if_it_is_full(table: TableClient, size: int) -> None:
    await table.submit_transaction([("create", entity(f"r{number}")) for number in range(4)])
    assert await pages(table, "PartitionKey eq 'p'", results_per_page=size) == [(["r0", "r1", "r2", "r3"], None)]


async def test_a_query_without_matches_returns_one_empty_page(table: TableClient) -> None:
    assert await pages(table, "PartitionKey eq 'p'") == [([], None)]


async def test_a_malformed_token_is_refused(table: TableClient) -> None:
    assert await tried(pages(table, "PartitionKey eq 'p'", "token")) == Failed("ValueError")


async def test_a_page_has_at_most_a_thousand_rows(table: TableClient) -> None:
    for start in range(0, 1100, 100):
        rows = [("create", entity(f"{number:04d}")) for number in range(start, start + 100)]
        await table.submit_transaction(rows)
    assert [len(rows) for rows, _ in await pages(table, "PartitionKey eq 'p'")] == [1000, 100]
    assert len(await found(table, "PartitionKey eq 'p' and RowKey gt '0049'")) == 1050


SELECTIONS = [("a", {"a"}), ("a,RowKey", {"a", "RowKey"}), (["a", "PartitionKey"], {"a", "PartitionKey"})]


@pytest.mark.parametrize(("select", "names"), SELECTIONS)
async def test_a_selection_returns_the_named_properties_and_the_etag(
    table: TableClient, select: Any, names: set[str]
) -> None:
    etag = (await table.create_entity(entity(a=1, b=2)))["etag"]
    for row in (
        await table.get_entity("p", "r", select=select),
        *[row async for row in table.query_entities("a eq 1", select=select)],
        *[row async for row in table.list_entities(select=select)],
    ):
        assert row.keys() == names
        assert row.metadata == {"etag": etag, "timestamp": None}


async def test_the_timestamp_can_be_selected(table: TableClient) -> None:
    await table.create_entity(entity(a=1))
    row = await table.get_entity("p", "r", select=["Timestamp", "a"])
    assert row == {"a": 1}
    assert row.metadata["timestamp"] is not None


# Filters


DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Shade(StrEnum):
    DARK = "dark"


async def seed(table: TableClient) -> None:
    """Insert rows r0 to r5 in partition `p`, and in partition `q` a row r9 with a number only."""
    for number in range(6):
        optional = {"opt": "it's"} if number < 2 else {}
        await table.create_entity(
            entity(
                f"r{number}",
                number=number,
                text=f"s{number}",
                flag=number % 2 == 0,
                share=1.5 * number,
                at=DAY + timedelta(days=number),
                guid=UUID(int=number),
                data=bytes([number]),
                big=EntityProperty(2**40 + number, EdmType.INT64),
                **optional,
            )
        )
    await table.create_entity(entity("r9", "q", number=9))


FILTERS: list[tuple[str, dict[str, Any], str]] = [
    ("", {}, "0 1 2 3 4 5 9"),
    # the filters that the adapters send
    ("PartitionKey eq @name and RowKey gt @after", {"name": "p", "after": "r3"}, "4 5"),
    (
        "PartitionKey eq @key and RowKey ge @first and RowKey lt @last and number eq @number",
        {"key": "p", "first": "r1", "last": "r4", "number": 2},
        "2",
    ),
    ("PartitionKey eq @key", {"key": "q"}, "9"),
    # keys
    ("PartitionKey eq 'p' and RowKey gt ''", {}, "0 1 2 3 4 5"),
    ("PartitionKey eq 'p' and RowKey le 'r1'", {}, "0 1"),
    ("PartitionKey eq 'p' and RowKey eq 'r1'", {}, "1"),
    ("RowKey ge 'r5'", {}, "5 9"),
    ("RowKey gt 'r2' and RowKey ge 'r1' and RowKey lt 'r5' and RowKey le 'r5'", {}, "3 4"),
    ("RowKey gt 'r2' and RowKey ge 'r2' and RowKey le 'r4' and RowKey lt 'r4'", {}, "3"),
    ("RowKey eq 'r1' and RowKey eq 'r2'", {}, ""),
    ("RowKey gt 'r4' and RowKey lt 'r2'", {}, ""),
    ("RowKey ne 'r1' and PartitionKey ne 'q'", {}, "0 2 3 4 5"),
    ("PartitionKey ge 'p' and PartitionKey lt 'q'", {}, "0 1 2 3 4 5"),
    ("PartitionKey gt 'p'", {}, "9"),
    ("PartitionKey eq 'p' and (RowKey eq 'r2' or RowKey eq 'r4')", {}, "2 4"),
    ("PartitionKey eq 'q' or RowKey eq 'r0'", {}, "0 9"),
    ("not (PartitionKey eq 'p')", {}, "9"),
    # and, or, not, parentheses
    ("number eq 1 or number eq 2 and flag eq false", {}, "1"),
    ("(number eq 1 or number eq 2) and flag eq true", {}, "2"),
    ("((number ge 1) and ((number le 3)))", {}, "1 2 3"),
    ("not (number eq 1) and PartitionKey eq 'p'", {}, "0 2 3 4 5"),
    ("number ge 1 and not (number ge 3 or flag eq true)", {}, "1"),
    # every operator, with a value in the text and with a parameter
    ("number eq 1", {}, "1"),
    ("number ne 1", {}, "0 2 3 4 5 9"),
    ("number gt -1 and number lt 2", {}, "0 1"),
    ("number ge @least", {"least": 4}, "4 5 9"),
    ("number eq @zero", {"zero": 0}, "0"),
    ("number eq @one", {"one": 1}, "1"),
    ("number le 2.0", {}, "0 1 2"),
    ("share ge 3", {}, "2 3 4 5"),
    ("share eq @share", {"share": 4.5}, "3"),
    ("flag eq true", {}, "0 2 4"),
    ("flag eq @flag", {"flag": False}, "1 3 5"),
    ("flag ne true", {}, "1 3 5"),
    ("text gt 's3'", {}, "4 5"),
    ("text eq @text", {"text": "s1"}, "1"),
    ("opt eq 'it''s'", {}, "0 1"),
    ("opt eq @opt", {"opt": "it's"}, "0 1"),
    ("text eq @shade", {"shade": Shade.DARK}, ""),
    ("at gt @at", {"at": DAY + timedelta(days=3)}, "4 5"),
    ("at eq datetime'2026-01-03T00:00:00Z'", {}, "2"),
    ("guid eq @guid", {"guid": UUID(int=3)}, "3"),
    ("guid eq guid'00000000-0000-0000-0000-000000000003'", {}, "3"),
    ("data gt X'03'", {}, "4 5"),
    ("data eq @data", {"data": b"\x03"}, "3"),
    ("big eq 1099511627778L", {}, "2"),
    ("big ge @big", {"big": 2**40 + 4}, "4 5"),
    ("Timestamp gt datetime'2020-01-01T00:00:00Z' and RowKey lt 'r2'", {}, "0 1"),
    # A missing property matches only a negation, and a value of another kind is not equal.
    ("opt ne 'x'", {}, "0 1"),
    ("not (opt eq 'x')", {}, "0 1 2 3 4 5 9"),
    ("number eq '1'", {}, ""),
    ("number ne '1'", {}, "0 1 2 3 4 5 9"),
    ("text ne 1", {}, "0 1 2 3 4 5"),
    ("text eq 1", {}, ""),
    ("flag eq 1", {}, ""),
    ("at eq '2026-01-03T00:00:00Z'", {}, ""),
    ("Number eq 1", {}, ""),
]


@pytest.mark.parametrize(("text", "parameters", "expected"), FILTERS)
async def test_a_filter_finds_its_rows(
    table: TableClient, text: str, parameters: dict[str, Any], expected: str
) -> None:
    await seed(table)
    rows = await found(table, text, parameters or None)
    assert " ".join(row.removeprefix("r") for row in rows) == expected


UNREADABLE = Failed("HttpResponseError", 400, "InvalidInput")
WRONG: list[tuple[str, dict[str, Any], Failed]] = [
    ("number eq", {}, UNREADABLE),
    ("number is 1", {}, UNREADABLE),
    ("number eq 1 and", {}, UNREADABLE),
    ("(number eq 1", {}, UNREADABLE),
    ("number eq 1)", {}, UNREADABLE),
    ("number eq 1 number eq 2", {}, UNREADABLE),
    ("number add 1 eq 2", {}, UNREADABLE),
    ("startswith(text,'s')", {}, UNREADABLE),
    ("number eq (@number)", {"number": 1}, UNREADABLE),
    ("text eq 'a @text b'", {"text": "x"}, UNREADABLE),
    ("number eq @other", {"number": 1}, Failed("KeyError")),
    ("number eq  @number", {"number": 1}, Failed("IndexError")),
    ("text eq @text", {"text": None}, Failed("AttributeError")),
]


@pytest.mark.parametrize(("text", "parameters", "expected"), WRONG)
async def test_a_filter_that_cannot_be_parsed_is_refused(
    table: TableClient, text: str, parameters: dict[str, Any], expected: Failed
) -> None:
    async def ask() -> list[str]:
        return await found(table, text, parameters or None)

    assert await tried(ask()) == expected
