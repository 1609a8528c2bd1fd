"""Read the bodies of HTTP calls, apart from conversion requests. An error reports all faults of a body at once."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from b2b.domain.characters import shown, unseen, visible
from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import MAX_BODY_BYTES, document
from b2b.domain.request.fields import Shape, cleaned, convert, faults
from b2b.domain.request.model import MAX_ADDRESS

LONGEST_NAME, LONGEST_REASON = 200, 1000
_DECEIVING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Not allowed in a text of several lines: control characters, and those that change the direction of writing.

Joiners are allowed, because some scripts need them.
"""
LONGEST = {
    "reason": LONGEST_REASON,
    "description": LONGEST_REASON,
    "continuationToken": LONGEST_REASON,
    "name": MAX_ADDRESS,
    "invitedUserEmailAddress": MAX_ADDRESS,
}
_OF_SEVERAL_LINES = frozenset({"reason", "description"})


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Base of all bodies: camelCase names, and no unknown fields."""


Why = Annotated[
    str,
    Meta(
        description="The reason; the app keeps it in the history.",
        extra_json_schema={"minLength": 1, "maxLength": LONGEST_REASON},
    ),
]


class Approval(Body, frozen=True, kw_only=True):
    """Approves a request that waits for a person's decision."""

    approved_by: Annotated[
        str | None,
        Meta(
            description="Who approves. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Refusal(Body, frozen=True, kw_only=True):
    """Refuses a request that waits for a person's decision."""

    refused_by: Annotated[
        str | None,
        Meta(
            description="Who refuses. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Acceptance(Body, frozen=True, kw_only=True):
    """Accepts the differences that the app found after a redemption."""

    accepted_by: Annotated[
        str | None,
        Meta(
            description="Who accepts the differences. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Release(Body, frozen=True, kw_only=True):
    """Turns a dry run into a real conversion."""

    released_by: Annotated[
        str | None,
        Meta(
            description="Who releases the dry run. A person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Annotated[
        str | None,
        Meta(
            description="The reason; the app keeps it in the history.", extra_json_schema={"maxLength": LONGEST_REASON}
        ),
    ] = None


class Search(Body, frozen=True, kw_only=True):
    """Searches for requests by the whole name of their account, or by a part of the name within one list."""

    name: Annotated[
        str | None,
        Meta(
            description="A whole user principal name or address, without regard to case.",
            extra_json_schema={"maxLength": MAX_ADDRESS},
        ),
    ] = None
    part: Annotated[
        str | None,
        Meta(
            description="A part of a user principal name or address, without regard to case.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    stage: Annotated[str | None, Meta(description="With part: only requests of this stage.")] = None
    waiting: Annotated[str | None, Meta(description="With part: only requests that wait for this reason.")] = None
    since: Annotated[str | None, Meta(description="With part: only requests accepted at this time or later.")] = (
        msgspec.field(default=None, name="from")
    )
    until: Annotated[str | None, Meta(description="With part: only requests accepted before this time.")] = (
        msgspec.field(default=None, name="to")
    )
    continuation_token: Annotated[str | None, Meta(description="The token of the last page.")] = None


Kind = TypeVar("Kind", bound=Body)


def read(raw: bytes, kind: type[Kind], *required: str, limit: int = MAX_BODY_BYTES) -> Kind:
    """Read a body of at most ``limit`` bytes. ``required`` names the fields that this caller must give.

    Raises:
        MalformedRequest: the body has faults. The error names every wrong field and what is expected.

    """
    shape, told = Shape.of(kind), document(raw, limit)
    said = cleaned(told, shape)
    missing = (MalformedRequest("MissingField", f"{name}: required", name) for name in required if name not in said)
    found = [*missing, *faults(told, kind, shape), *_texts(said, kind)]
    if found:
        raise found[0].with_others(found[1:])
    return convert(told, kind, shape)


def _texts(said: Mapping[str, Any], kind: type[Body]) -> Iterator[MalformedRequest]:
    """Yield a fault for each text that is not allowed."""
    for field in msgspec.structs.fields(kind):
        name, text = field.encode_name, said.get(field.encode_name)
        longest = LONGEST.get(name, LONGEST_NAME)
        if isinstance(text, str) and (problem := _problem(text, longest, several_lines=name in _OF_SEVERAL_LINES)):
            yield MalformedRequest("InvalidValue", f"{name}: {problem}", name)


def _problem(text: str, longest: int, *, several_lines: bool) -> str | None:
    """Return what is wrong with a text, or None. Hidden characters could mislead a reader of the history."""
    expected = f"expected 1 to {longest} characters"
    if not 0 < len(text.strip()) <= len(text) <= longest:
        return expected
    strange = _DECEIVING.search(text) if several_lines else None
    hidden = strange.group() if strange else None if several_lines else unseen(text.strip().replace(" ", ""))
    if hidden:
        return f"{expected}; the character {shown(hidden)} is not allowed"
    return None if visible(text) else f"{expected}, one of which can be seen"
