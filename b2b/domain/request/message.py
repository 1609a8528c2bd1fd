"""Messages on the work queue: a caller's request, or our own word that a request is to go on.

Our messages carry no request: ``{"resume": {"requestId", "token", "due"}}``. The row holds what was taken in, so a
request is never judged again by a policy that came after it.
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
    """Our own message: continue this request, if the token is still its newest."""

    request_id: str
    token: str
    due: datetime

    def message(self) -> bytes:
        """Return the message as it stands on the queue."""
        return msgspec.json.encode({RESUME: self})


@dataclass(frozen=True)
class Asked:
    """A caller's request."""

    request: ConversionRequest
    request_id: str
    made: bool
    """The app made the id, because neither caller nor envelope gave one."""


@dataclass(frozen=True)
class Refused:
    """A message that is no request."""

    request_id: str
    body_hash: str
    error: RequestRefused


Incoming = Resume | PartMessage | Asked | Refused


def incoming(raw: bytes, message_id: str, policy: IntakePolicy) -> Incoming:
    """Read a queue message, once. ``message_id`` becomes the id of a request that brings none."""
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
    """Return when one of our own messages is due; None for a caller's."""
    if b'"resume"' not in raw:
        return None
    try:
        document = msgspec.json.decode(raw)
    except ValueError:
        return None
    resume = _resume(document.get(RESUME)) if isinstance(document, dict) else None
    return resume.due if resume is not None else None


def _resume(value: Any) -> Resume | None:
    """Return our own message, or None if the id in it is not one that a row could have."""
    try:
        found = msgspec.convert(value, Resume)
    except ValueError:
        return None
    if not REQUEST_ID.fullmatch(found.request_id):
        return None
    return msgspec.structs.replace(found, due=found.due if found.due.tzinfo else found.due.replace(tzinfo=UTC))


def _made_id(raw: bytes, message_id: str) -> str:
    """Return the id of a request that brings none: a second delivery must be the same request.

    A body with a reserved name makes the host report that name's value as the message's id, so there the body counts.
    """
    own = leftover.keeps_metadata(raw) and GUID.fullmatch(message_id)
    return f"queue-{message_id}" if own else f"body-{digest(raw)[:48]}"
