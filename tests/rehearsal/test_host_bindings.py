"""How a message body changes the trigger's metadata, as Microsoft's own decoder reads it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions.queue import QueueMessage, QueueMessageInConverter

from rehearsal.host.bindings import Datum, QueueItem, http_answer, queue_metadata

MOMENT = datetime(2026, 11, 22, 17, 56, tzinfo=UTC)


def message(body: str) -> QueueMessage:
    item = QueueItem(
        queue="work",
        text=body,
        id="the-id",
        dequeue_count=2,
        pop_receipt="the-receipt",
        inserted=MOMENT,
        expires=MOMENT,
        next_visible=MOMENT,
    )
    decoded = QueueMessageInConverter.decode(Datum(body, "string"), trigger_metadata=queue_metadata(item))
    assert isinstance(decoded, QueueMessage)
    return decoded


@pytest.mark.parametrize(
    "body",
    ["plain", "", "[1]", '"text"', "7", "{broken", '{"id": null}', '{"id": ["a"]}', '{"other": 1}', "[" * 100_000],
)
def test_a_body_without_metadata_names_leaves_the_metadata_unchanged(body: str) -> None:
    got = message(body)
    assert (got.id, got.dequeue_count, got.pop_receipt, got.insertion_time) == ("the-id", 2, "the-receipt", MOMENT)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("X", "X"),
        (7, "7"),
        (1.5, "1.5"),
        (2.0, "2"),
        (True, "True"),
        ("2026-11-22T10:00:00Z", "11/22/2026 10:00:00"),
        ("2026-11-22T10:00:00+02:00", "11/22/2026 08:00:00"),
        ("2026-99-22T10:00:00Z", "2026-99-22T10:00:00Z"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_body_property_overrides_metadata_in_dotnets_text_form(value: Any, expected: str) -> None:
    assert message(json.dumps({"iD": value})).id == expected


@pytest.mark.parametrize(
    "content",
    [
        {"dequeueCount": "many"},
        {"DEQUEUECOUNT": 1.5},
        {"insertionTime": "yesterday"},
        {"expirationTime": "2026-11-22T10:00:00Z"},
        {"nextVisibleTime": 5},
    ],
)
def test_a_body_with_invalid_metadata_values_cannot_be_decoded(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"field|time data|not match"):
        message(json.dumps(content))


def test_a_function_that_returns_none_answers_204() -> None:
    assert http_answer(None).status == 204
