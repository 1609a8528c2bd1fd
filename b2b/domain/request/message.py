"""Read messages on the work queue: a caller's request, or the app's own message that a request is to continue.

The app's own message does not carry the request: ``{"resume": {"requestId", "token", "due"}}``. The row holds the
request as it was accepted, so a policy that is changed later does not apply to it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from b2b.domain.campaign.runs import PartMessage, part_message
from b2b.domain.errors import RequestRefused
from b2b.domain.hashing import digest
from b2b.domain.request import body, leftover
from b2b.domain.request.body import MAX_BODY_BYTES, ROOM_FOR_ID
from b2b.domain.request.ids import GUID, REQUEST_ID
from b2b.domain.request.model import ConversionRequest
from b2b.domain.request.parse import IntakePolicy, parse_document

RESUME = "resume"


class Resume(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The app's own message: continue this request, if ``token`` is still its newest."""

    request_id: str
    token: str
    due: datetime

    def message(self) -> bytes:
        """Return the message as the bytes that go on the queue."""
        return msgspec.json.encode({RESUME: self})


@dataclass(frozen=True)
class Asked:
    """A caller's request that was understood."""

    request: ConversionRequest
    request_id: str
    made: bool
    """Whether the app made the id, because neither the caller nor the envelope gave one."""


@dataclass(frozen=True)
class Refused:
    """A message that is not a valid request, and the reason."""

    request_id: str
    body_hash: str
    error: RequestRefused


Incoming = Resume | PartMessage | Asked | Refused


def incoming(raw: bytes, message_id: str, policy: IntakePolicy) -> Incoming:
    """Parse a queue message. ``message_id`` is used for the id of a request that has none."""
    try:
        document = body.document(raw, MAX_BODY_BYTES + ROOM_FOR_ID)
    except RequestRefused as error:
        return Refused(leftover.told_request_id(raw) or _made_id(raw, message_id), digest(raw), error)
    if set(document) == {RESUME} and (resume := _resume(document[RESUME])) is not None:
        return resume
    if (part := part_message(document)) is not None:
        return part
    try:
        request, told = parse_document(document, policy)
    except RequestRefused as error:
        return Refused(leftover.told_id(document) or _made_id(raw, message_id), digest(raw), error)
    return Asked(request, told or _made_id(raw, message_id), made=told is None)


def due_of(raw: bytes) -> datetime | None:
    """Return when one of the app's own messages is due; None for a caller's message."""
    if b'"resume"' not in raw:
        return None
    try:
        document = msgspec.json.decode(raw)
    except ValueError:
        return None
    resume = _resume(document.get(RESUME)) if isinstance(document, dict) else None
    return resume.due if resume is not None else None


def _resume(value: Any) -> Resume | None:
    """Return the app's own message; None if the value is not one, or if no row can have its request id."""
    try:
        found = msgspec.convert(value, Resume)
    except ValueError:
        return None
    if not REQUEST_ID.fullmatch(found.request_id):
        return None
    return msgspec.structs.replace(found, due=found.due if found.due.tzinfo else found.due.replace(tzinfo=UTC))


def _made_id(raw: bytes, message_id: str) -> str:
    """Return an id for a request that has none. A second delivery of the message gets the same id.

    The id is made from the message's id, unless a reserved name in the body makes the host report another value for it.
    Then it is made from the body.
    """
    own = leftover.keeps_metadata(raw) and GUID.fullmatch(message_id)
    return f"queue-{message_id}" if own else f"body-{digest(raw)[:48]}"
