"""The bodies that the HTTP routes take besides a request, and how they are read: all faults of a body at once."""

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
"""Not in a text of several lines: controls, and what turns the direction of writing. Joiners belong to some scripts."""
LONGEST = {
    "reason": LONGEST_REASON,
    "description": LONGEST_REASON,
    "continuationToken": LONGEST_REASON,
    "name": MAX_ADDRESS,
    "invitedUserEmailAddress": MAX_ADDRESS,
}
_OF_SEVERAL_LINES = frozenset({"reason", "description"})


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A body: camelCase names, unknown ones refused."""


Why = Annotated[
    str,
    Meta(description="Why; it stays in the history.", extra_json_schema={"minLength": 1, "maxLength": LONGEST_REASON}),
]


class Approval(Body, frozen=True, kw_only=True):
    """Lets a request go on that waits for a person."""

    approved_by: Annotated[
        str | None,
        Meta(
            description="Who approves. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Refusal(Body, frozen=True, kw_only=True):
    """Ends a request that waits for a person."""

    refused_by: Annotated[
        str | None,
        Meta(
            description="Who refuses. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Acceptance(Body, frozen=True, kw_only=True):
    """Takes a change as it is that was found after a redemption."""

    accepted_by: Annotated[
        str | None,
        Meta(
            description="Who accepts it. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


class Release(Body, frozen=True, kw_only=True):
    """Lets a dry run become real."""

    released_by: Annotated[
        str | None,
        Meta(
            description="Who releases it. A person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Annotated[
        str | None, Meta(description="Why; it stays in the history.", extra_json_schema={"maxLength": LONGEST_REASON})
    ] = None


class Search(Body, frozen=True, kw_only=True):
    """Finds requests by the name of their account: by the whole of it, or by a part within one list."""

    name: Annotated[
        str | None,
        Meta(
            description="A whole user principal name or address, without regard to case.",
            extra_json_schema={"maxLength": MAX_ADDRESS},
        ),
    ] = None
    part: Annotated[
        str | None,
        Meta(description="A part of one, without regard to case.", extra_json_schema={"maxLength": LONGEST_NAME}),
    ] = None
    stage: Annotated[str | None, Meta(description="With part: only requests of this stage.")] = None
    waiting: Annotated[str | None, Meta(description="With part: only requests that wait for this reason.")] = None
    since: Annotated[str | None, Meta(description="With part: only requests that came at this time or later.")] = (
        msgspec.field(default=None, name="from")
    )
    until: Annotated[str | None, Meta(description="With part: only requests that came before this time.")] = (
        msgspec.field(default=None, name="to")
    )
    continuation_token: Annotated[str | None, Meta(description="Where the last page ended.")] = None


Kind = TypeVar("Kind", bound=Body)


def read(raw: bytes, kind: type[Kind], *required: str, limit: int = MAX_BODY_BYTES) -> Kind:
    """Read a body of at most ``limit`` bytes. ``required`` names fields that this caller may not leave out.

    Raises:
        MalformedRequest: names every field that is wrong and what was expected.

    """
    shape, told = Shape.of(kind), document(raw, limit)
    said = cleaned(told, shape)
    missing = (MalformedRequest("MissingField", f"{name}: required", name) for name in required if name not in said)
    found = [*missing, *faults(told, kind, shape), *_texts(said, kind)]
    if found:
        raise found[0].with_others(found[1:])
    return convert(told, kind, shape)


def _texts(said: Mapping[str, Any], kind: type[Body]) -> Iterator[MalformedRequest]:
    """Say what is wrong with each text."""
    for field in msgspec.structs.fields(kind):
        name, text = field.encode_name, said.get(field.encode_name)
        longest = LONGEST.get(name, LONGEST_NAME)
        if isinstance(text, str) and (problem := _problem(text, longest, several_lines=name in _OF_SEVERAL_LINES)):
            yield MalformedRequest("InvalidValue", f"{name}: {problem}", name)


def _problem(text: str, longest: int, *, several_lines: bool) -> str | None:
    """Say what is wrong with a text. It may stay as evidence in a history, where nothing may hide or pretend."""
    expected = f"expected 1 to {longest} characters"
    if not 0 < len(text.strip()) <= len(text) <= longest:
        return expected
    strange = _DECEIVING.search(text) if several_lines else None
    hidden = strange.group() if strange else None if several_lines else unseen(text.strip().replace(" ", ""))
    if hidden:
        return f"{expected}; the character {shown(hidden)} is not allowed"
    return None if visible(text) else f"{expected}, one of which can be seen"
