"""The largest request that the app accepts fits into the row and the message, whatever characters it contains."""

import json

import pytest

from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue
from b2b.domain.conversion.records import Change
from b2b.domain.request import IntakePolicy, parse
from b2b.domain.request.body import MAX_BODY_BYTES
from tests.adapters.ledger_support import USER, record

TEXTS = {"ASCII": "x", "umlauts": "ü", "Japanese": "神", "emoji": "😀", "XML": "&", "quotes": '"', "lines": "\n"}


def largest(character: str) -> bytes:
    """Return a request of at most 48 KiB that is filled with one character."""
    request = {"invitedUser": {"id": USER}, "invitedUserMessageInfo": {"customizedMessageBody": ""}}
    room = MAX_BODY_BYTES - len(json.dumps(request))
    each = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    request["invitedUserMessageInfo"]["customizedMessageBody"] = character * (room // each)
    return json.dumps(request, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", TEXTS)
async def test_the_largest_request_is_recorded_and_queued(ledger: Ledger, queue: Queue, name: str) -> None:
    raw = largest(TEXTS[name])
    assert MAX_BODY_BYTES - 8 < len(raw) <= MAX_BODY_BYTES
    request, _ = parse(raw, IntakePolicy(frozenset()))
    await ledger.requests.write(Change(record(body=request.body())))
    await queue.send(request.message("r" * 64))
