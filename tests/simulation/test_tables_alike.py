"""Random operations and queries give the same results on a table in memory and in Azurite."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.storage_contract import Emulator, Memory, entity, found, tried

IF_SAME = MatchConditions.IfNotModified
DAY = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Both:
    """A table in memory and one in Azurite, with the event loop of their clients."""

    def __init__(self, connection_string: str) -> None:
        self._runner, self._stack = asyncio.Runner(), AsyncExitStack()
        self.tables: list[TableClient] = self._runner.run(self._opened(connection_string))
        self.example = 0

    async def _opened(self, connection_string: str) -> list[TableClient]:
        return [await each.new_table() for each in (Memory(), Emulator(connection_string, self._stack))]

    def run(self, work: Any) -> list[Any]:
        """Do the work on each table; return both results."""
        self.example += 1
        return [self._runner.run(work(table)) for table in self.tables]

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()


@pytest.fixture
def both(shared_account: str) -> Iterator[Both]:
    opened = Both(shared_account)
    yield opened
    opened.close()


class Step(NamedTuple):
    """One operation: its row, its columns, and which of the row's ETags it requires."""

    verb: str
    row: str
    columns: dict[str, Any]
    mode: UpdateMode
    guard: str


STEPS = st.builds(
    Step,
    st.sampled_from(["create", "upsert", "update", "update", "delete"]),
    st.sampled_from("xyz"),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | st.text("ü'\"", max_size=3) | st.none(), max_size=2),
    st.sampled_from(UpdateMode),
    st.sampled_from(["none", "newest", "first", "any"]),
)


class Hand:
    """Carries out steps on one table, and remembers the ETags of its rows."""

    def __init__(self, table: TableClient, partition: str) -> None:
        self.table, self._partition = table, partition
        self._etags: dict[str, list[str]] = {}

    def _options(self, step: Step) -> dict[str, Any]:
        seen = self._etags.get(step.row)
        etag = {"none": None, "any": "*", "newest": seen and seen[-1], "first": seen and seen[0]}[step.guard]
        return {"etag": etag, "match_condition": IF_SAME} if etag else {}

    def _operation(self, step: Step) -> tuple[Any, ...]:
        options: dict[str, Any] = {"mode": step.mode} if step.verb in ("upsert", "update") else {}
        options |= self._options(step) if step.verb in ("update", "delete") else {}
        return step.verb, entity(step.row, self._partition, **step.columns), options

    async def alone(self, step: Step) -> Any:
        verb, row, options = self._operation(step)
        return self._remember([step], await tried(getattr(self.table, f"{verb}_entity")(row, **options)))

    async def together(self, steps: list[Step]) -> Any:
        operations = [self._operation(step) for step in steps]
        return self._remember(steps, await tried(self.table.submit_transaction(operations)))

    def _remember(self, steps: list[Step], outcome: Any) -> Any:
        """Remember the ETags of the written rows. Return for each row whether it got an ETag, or return the error."""
        if outcome is not None and not isinstance(outcome, (dict, list)):
            return outcome
        results = outcome if isinstance(outcome, list) else [outcome or {}]
        for step, result in zip(steps, results, strict=True):
            if "etag" in result:
                self._etags.setdefault(step.row, []).append(result["etag"])
        return ["etag" in result for result in results]

    async def rows(self) -> list[dict[str, Any]]:
        query = self.table.query_entities("PartitionKey eq @key", parameters={"key": self._partition})
        return [{key: value for key, value in row.items() if key != "PartitionKey"} async for row in query]


@QUICK
@given(st.lists(STEPS | st.lists(STEPS, min_size=1, max_size=4), max_size=12))
def test_random_operations_have_the_same_outcomes_and_rows(both: Both, steps: list[Step | list[Step]]) -> None:
    partition = f"example{both.example}"

    async def work(table: TableClient) -> list[Any]:
        hand, told = Hand(table, partition), list[Any]()
        for step in steps:
            told.append(await (hand.alone(step) if isinstance(step, Step) else hand.together(step)))
            told.append(await hand.rows())
        return told

    in_memory, in_azurite = both.run(work)
    assert in_memory == in_azurite


COLUMNS: dict[str, list[Any]] = {
    "number": [0, 1, 2, -1, 3.0],
    "text": ["a", "b", "it's", ""],
    "flag": [True, False],
    "at": [DAY, DAY + timedelta(days=1)],
    "PartitionKey": ["p", "q", "p'"],
    "RowKey": ["0", "1", "2", ""],
}
ANY_ORDER = ["eq", "ne", "gt", "ge", "lt", "le"]
COMPARISONS = st.one_of(
    *(
        st.tuples(st.just(name), st.sampled_from(["eq", "ne"] if name == "flag" else ANY_ORDER), st.sampled_from(few))
        for name, few in COLUMNS.items()
    ),
    st.tuples(st.just("guid"), st.just("eq"), st.just(UUID(int=1))),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
        | st.tuples(st.just("not"), inner)
    ),
    max_leaves=6,
)


def written(node: Any, parameters: dict[str, Any]) -> str:
    """Return the text of a filter; its values are added to `parameters`."""
    if node[0] in ("and", "or"):
        return f"( {f' {node[0]} '.join(written(part, parameters) for part in node[1])} )"
    if node[0] == "not":
        return f"not ( {written(node[1], parameters)} )"
    name = f"v{len(parameters)}"
    parameters[name] = node[2]
    return f"{node[0]} {node[1]} @{name}"


async def fill(table: TableClient) -> None:
    for partition in ("p", "p'", "q"):
        for number in range(3):
            row = entity(str(number), partition, text="ab"[number % 2], flag=number == 1, guid=UUID(int=number))
            rest = {} if partition == "q" else {"number": number, "at": DAY + timedelta(days=number)}
            await table.upsert_entity(row | rest)


@QUICK
@given(FILTERS, st.integers(1, 4))
def test_random_filters_find_the_same_rows(both: Both, node: Any, size: int) -> None:
    if not both.example:
        both.run(fill)
    parameters: dict[str, Any] = {}
    text = written(node, parameters)
    in_memory, in_azurite = both.run(lambda table: found(table, text, parameters, results_per_page=size))
    assert in_memory == in_azurite
