"""Tables in memory and in Azurite behave alike: modes, conditions, transactions, and a missing table."""

from datetime import datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableEntity, TableErrorCode, UpdateMode
from azure.data.tables.aio import TableClient

from tests.simulation.storage_contract import Failed, all_rows, entity, found, tried

IF_SAME = MatchConditions.IfNotModified
GONE = Failed("ResourceNotFoundError", 404, "ResourceNotFound")
STALE = Failed("ResourceModifiedError", 412, "UpdateConditionNotSatisfied")
EXISTS = Failed("ResourceExistsError", 409)
NO_TABLE = Failed("ResourceNotFoundError", 404, "TableNotFound")


def in_transaction(status: int, code: str, index: int) -> Failed:
    return Failed("TableTransactionError", status, code, index)


def code_of(error: Any) -> Any:
    return error.error_code


async def etag_of(table: TableClient, row: str = "r") -> str:
    return (await table.get_entity("p", row)).metadata["etag"] or ""


# One row


async def test_a_row_is_read_as_it_was_created(table: TableClient) -> None:
    result = await table.create_entity(entity(name="x"))
    row = await table.get_entity("p", "r")
    assert isinstance(row, TableEntity)
    assert row == entity(name="x")
    assert row.metadata["etag"] == result["etag"]
    assert isinstance(row.metadata["timestamp"], datetime)


async def test_a_missing_row_is_not_found(table: TableClient) -> None:
    assert await tried(table.get_entity("p", "r")) == GONE


async def test_creating_a_row_that_exists_is_refused(table: TableClient) -> None:
    await table.create_entity(entity(name="x"))
    assert await tried(table.create_entity(entity(name="y"))) == EXISTS
    assert await all_rows(table) == [entity(name="x")]


@pytest.mark.parametrize("mode", [UpdateMode.MERGE, UpdateMode.REPLACE, "merge", "replace"])
@pytest.mark.parametrize("verb", ["upsert_entity", "update_entity"])
async def test_a_merge_keeps_other_columns_and_a_replacement_does_not(table: TableClient, verb: str, mode: str) -> None:
    await table.create_entity(entity(a=1, b=2))
    before = await etag_of(table)
    result = await getattr(table, verb)(entity(b=3, c=4), mode=mode)
    kept: dict[str, Any] = {"a": 1} if UpdateMode(mode) is UpdateMode.MERGE else {}
    assert await all_rows(table) == [entity(**kept, b=3, c=4)]
    assert await etag_of(table) == result["etag"] != before


@pytest.mark.parametrize("mode", [UpdateMode.MERGE, UpdateMode.REPLACE])
async def test_an_upsert_creates_a_missing_row_and_an_update_does_not(table: TableClient, mode: UpdateMode) -> None:
    assert await tried(table.update_entity(entity(a=1), mode=mode)) == GONE
    await table.upsert_entity(entity(a=1), mode=mode)
    assert await all_rows(table) == [entity(a=1)]


async def test_the_default_mode_is_merge(table: TableClient) -> None:
    await table.create_entity(entity(a=1))
    await table.upsert_entity(entity(b=2))
    await table.update_entity(entity(c=3))
    assert await all_rows(table) == [entity(a=1, b=2, c=3)]


async def test_every_write_gives_a_new_etag_even_if_nothing_changes(table: TableClient) -> None:
    results = [await table.upsert_entity(entity(a=1)) for _ in range(5)]
    assert len({result["etag"] for result in results}) == 5


async def test_an_etag_allows_one_update_only(table: TableClient) -> None:
    etag = (await table.create_entity(entity(a=1)))["etag"]
    await table.update_entity(entity(a=2), etag=etag, match_condition=IF_SAME)
    assert await tried(table.update_entity(entity(a=3), etag=etag, match_condition=IF_SAME)) == STALE
    assert await all_rows(table) == [entity(a=2)]


async def test_a_delete_with_a_stale_etag_leaves_the_row(table: TableClient) -> None:
    etag = (await table.create_entity(entity(a=1)))["etag"]
    await table.upsert_entity(entity(a=2))
    assert await tried(table.delete_entity("p", "r", etag=etag, match_condition=IF_SAME)) == STALE
    await table.delete_entity("p", "r", etag=await etag_of(table), match_condition=IF_SAME)
    assert await all_rows(table) == []


async def test_an_update_of_a_deleted_row_fails_and_a_delete_does_not(table: TableClient) -> None:
    etag = (await table.create_entity(entity()))["etag"]
    await table.delete_entity("p", "r")
    assert await tried(table.update_entity(entity(a=3), etag=etag, match_condition=IF_SAME)) == GONE
    await table.delete_entity("p", "r", etag=etag, match_condition=IF_SAME)
    await table.delete_entity("p", "r")


async def test_a_row_that_is_created_again_has_another_etag(table: TableClient) -> None:
    etag = (await table.create_entity(entity()))["etag"]
    await table.delete_entity("p", "r")
    await table.create_entity(entity())
    assert await tried(table.update_entity(entity(a=3), etag=etag, match_condition=IF_SAME)) == STALE


async def test_the_etag_star_requires_that_the_row_exists(table: TableClient) -> None:
    assert await tried(table.update_entity(entity(a=1), etag="*", match_condition=IF_SAME)) == GONE
    await table.create_entity(entity())
    await table.update_entity(entity(a=1), etag="*", match_condition=IF_SAME)
    assert await all_rows(table) == [entity(a=1)]


async def test_the_etag_of_a_row_that_was_read_is_used_as_condition(table: TableClient) -> None:
    await table.create_entity(entity(a=1))
    row = await table.get_entity("p", "r")
    row["a"] = 2
    await table.update_entity(row, match_condition=IF_SAME)
    assert await tried(table.update_entity(row, match_condition=IF_SAME)) == STALE
    assert await tried(table.delete_entity(row, match_condition=IF_SAME)) == STALE
    await table.delete_entity(row)
    assert await all_rows(table) == []


@pytest.mark.parametrize("verb", ["update_entity", "delete_entity"])
@pytest.mark.parametrize(
    "options",
    [
        {"match_condition": IF_SAME},
        {"etag": "W/\"datetime'1'\""},
        {"etag": "*", "match_condition": MatchConditions.IfModified},
        {"etag": "*", "match_condition": MatchConditions.IfMissing},
    ],
)
async def test_a_condition_that_the_sdk_does_not_support_is_refused(
    table: TableClient, verb: str, options: Any
) -> None:
    assert await tried(getattr(table, verb)(entity(), **options)) == Failed("ValueError")


@pytest.mark.parametrize("keys", [{"row_key": "r", "partition_key": "p"}, {"entity": entity()}])
async def test_a_delete_accepts_keyword_arguments(table: TableClient, keys: Any) -> None:
    await table.create_entity(entity())
    await table.delete_entity(**keys)
    assert await all_rows(table) == []


# Transactions


async def test_a_transaction_carries_out_every_kind_of_operation(table: TableClient) -> None:
    for name in ("merged", "replaced", "updated", "deleted"):
        await table.create_entity(entity(name, a=1))
    results = await table.submit_transaction(
        [
            ("create", entity("created", b=2)),
            ("upsert", entity("merged", b=2)),
            ("UPSERT", entity("replaced", b=2), {"mode": UpdateMode.REPLACE}),
            ("update", entity("updated", b=2), {"mode": "merge"}),
            ("delete", entity("deleted")),
        ]
    )
    rows = {row["RowKey"]: row async for row in table.list_entities()}
    assert {name: {key: row[key] for key in row if key in "ab"} for name, row in rows.items()} == {
        "created": {"b": 2},
        "merged": {"a": 1, "b": 2},
        "replaced": {"b": 2},
        "updated": {"a": 1, "b": 2},
    }
    names = ("created", "merged", "replaced", "updated")
    assert [result.get("etag") for result in results] == [*(rows[name].metadata["etag"] for name in names), None]


FAILING: dict[str, tuple[list[Any], Failed]] = {
    "a row that exists": (
        [("create", entity("new")), ("create", entity("old"))],
        in_transaction(409, "EntityAlreadyExists", 1),
    ),
    "an update of what is missing": (
        [("upsert", entity("old", a=2)), ("upsert", entity("new")), ("update", entity("gone"))],
        in_transaction(404, "ResourceNotFound", 2),
    ),
    "a delete of what is missing": (
        [("delete", entity("gone")), ("upsert", entity("new"))],
        in_transaction(404, "ResourceNotFound", 0),
    ),
    "the same row twice": (
        [("upsert", entity("new")), ("upsert", entity("old")), ("delete", entity("new"))],
        in_transaction(400, "InvalidDuplicateRow", 2),
    ),
    "a property too large": (
        [("delete", entity("old")), ("upsert", entity("new", a="x" * 32_769))],
        in_transaction(400, "PropertyValueTooLarge", 1),
    ),
    "the first of two that fail": (
        [("create", entity("old")), ("delete", entity("gone"))],
        in_transaction(409, "EntityAlreadyExists", 0),
    ),
    "two partitions": ([("create", entity("new")), ("create", entity("new", "q"))], Failed("ValueError")),
    "an unknown operation": ([("create", entity("new")), ("insert", entity("newer"))], Failed("ValueError")),
    "an unknown mode": ([("upsert", entity("new"), {"mode": "insert"})], Failed("ValueError")),
    "a key missing": ([("create", {"PartitionKey": "p"})], Failed("ValueError")),
    "an ETag without a condition": ([("update", entity("old"), {"etag": "*"})], Failed("ValueError")),
}


@pytest.mark.parametrize("name", FAILING)
async def test_a_failed_transaction_names_the_operation_and_changes_nothing(table: TableClient, name: str) -> None:
    operations, expected = FAILING[name]
    etag = (await table.create_entity(entity("old", a=1)))["etag"]
    assert await tried(table.submit_transaction(operations)) == expected
    assert await all_rows(table) == [entity("old", a=1)]
    assert await etag_of(table, "old") == etag


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_a_stale_etag_fails_the_transaction(table: TableClient, verb: str) -> None:
    etag = (await table.create_entity(entity("old", a=1)))["etag"]
    await table.upsert_entity(entity("old", a=2))
    guarded = (verb, entity("old", a=3), {"etag": etag, "match_condition": IF_SAME})
    stale = in_transaction(412, "UpdateConditionNotSatisfied", 1)
    assert await tried(table.submit_transaction([("create", entity("new")), guarded])) == stale
    guarded[2]["etag"] = await etag_of(table, "old")
    await table.submit_transaction([("create", entity("new")), guarded])
    assert {row["RowKey"] for row in await all_rows(table)} == ({"new"} if verb == "delete" else {"new", "old"})


async def test_in_a_transaction_the_etag_of_a_row_is_used_for_a_delete_only(table: TableClient) -> None:
    await table.create_entity(entity(a=1))
    row = await table.get_entity("p", "r")
    assert await tried(table.submit_transaction([("update", row, {"match_condition": IF_SAME})])) == Failed(
        "ValueError"
    )
    await table.upsert_entity(entity(a=2))
    stale = in_transaction(412, "UpdateConditionNotSatisfied", 0)
    assert await tried(table.submit_transaction([("delete", row, {"match_condition": IF_SAME})])) == stale


async def test_a_transaction_accepts_100_operations_from_any_iterator(table: TableClient) -> None:
    async def operations() -> Any:
        for number in range(100):
            yield ("create", entity(f"{number:03d}"))

    assert len(await table.submit_transaction(operations())) == 100
    await table.submit_transaction(("delete", entity(f"{number:03d}")) for number in range(100))
    assert await all_rows(table) == []


# Missing table


async def test_every_call_except_a_delete_fails_if_the_table_is_missing(no_table: TableClient) -> None:
    assert await tried(no_table.get_entity("p", "r")) == NO_TABLE
    assert await tried(no_table.create_entity(entity())) == Failed("ResourceNotFoundError", 404)
    assert await tried(no_table.upsert_entity(entity())) == NO_TABLE
    assert await tried(no_table.update_entity(entity())) == NO_TABLE
    assert await tried(no_table.delete_entity("p", "r")) is None
    assert await tried(found(no_table, "PartitionKey eq 'p'")) == NO_TABLE
    expected = in_transaction(404, "TableNotFound", 0)
    assert await tried(no_table.submit_transaction([("create", entity())])) == expected


async def test_error_codes_are_enumeration_members_except_in_a_transaction(no_table: TableClient) -> None:
    with pytest.raises(HttpResponseError) as raised:
        await no_table.get_entity("p", "r")
    assert code_of(raised.value) is TableErrorCode.TABLE_NOT_FOUND
    with pytest.raises(HttpResponseError) as raised:
        await no_table.submit_transaction([("create", entity())])
    assert type(code_of(raised.value)) is str
