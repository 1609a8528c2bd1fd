"""From a JSON object to a typed value: a problem is reported with the path of its field, in the words of JSON."""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import JSON_TYPES

Part = TypeVar("Part", bound=msgspec.Struct)


@dataclass(frozen=True)
class Shape:
    """The names that a document and its parts may have: all, those that may be left out, those that are trimmed."""

    known: frozenset[str]
    optional: frozenset[str]
    trimmed: frozenset[str]

    @classmethod
    def of(cls, *kinds: type[msgspec.Struct], trimmed: frozenset[str] = frozenset()) -> "Shape":
        """Take the names from the types that the document is read into."""
        fields = [field for kind in kinds for field in msgspec.structs.fields(kind)]
        known = frozenset(field.encode_name for field in fields)
        return cls(known, known - {field.encode_name for field in fields if field.required}, trimmed)


def convert(document: dict[str, Any], kind: type[Part], shape: Shape) -> Part:
    """Return a JSON object as ``kind``.

    A known name that is null is absent, and so is an empty text where it may be left out. An unknown one is refused.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    try:
        return msgspec.convert(_cleaned(document, shape), kind)
    except msgspec.ValidationError as error:
        raise _named(str(error), shape) from error


def _cleaned(value: Any, shape: Shape) -> Any:
    if isinstance(value, list):
        return [_cleaned(member, shape) for member in value]
    if not isinstance(value, dict):
        return value
    members = {name: _trimmed(member) if name in shape.trimmed else member for name, member in value.items()}
    return {name: _cleaned(member, shape) for name, member in members.items() if not _absent(name, member, shape)}


def _absent(name: str, value: Any, shape: Shape) -> bool:
    return (value is None and name in shape.known) or (value == "" and name in shape.optional)


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [_trimmed(member) for member in value]
    return value.strip() if isinstance(value, str) else value


_REFUSALS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL), "UnknownField", "not a known field"),
    (re.compile(r"Object missing required field `(?P<field>[^`]*)`"), "MissingField", "required"),
    (re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`"), "WrongType", "expected {wanted}, got {got}"),
)
"""msgspec's texts (pinned version, held by tests), our error code for each, and what the caller is told."""
_PLACED = re.compile(r"(?P<message>.*) - at `\$(?P<path>([.\[][\w.\[\]]*)?)`", re.DOTALL)
"""Where msgspec says it found the problem; a field's own name may look alike, but not start with a dot or bracket."""


def _named(text: str, shape: Shape) -> MalformedRequest:
    placed = _PLACED.fullmatch(text)
    message, path = (placed["message"], placed["path"].lstrip(".")) if placed else (text, "")
    for pattern, code, said in _REFUSALS:
        if match := pattern.fullmatch(message):
            words = match.groupdict()
            target = ".".join(part for part in (path, words.get("field")) if part)
            told = said.format(**{name: _in_json(word) for name, word in words.items()})
            return MalformedRequest(code, f"{target}: {told}{_spelled(words.get('field'), shape)}", target)
    return MalformedRequest("InvalidValue", text, path)


def _spelled(field: str | None, shape: Shape) -> str:
    """Say how a name is written that is known in other letters: many serialisers begin names with a capital."""
    wanted = next((name for name in shape.known if field and name != field and name.lower() == field.lower()), None)
    return f"; it is written {wanted}" if wanted else ""


def _in_json(types: str) -> str:
    """Name a type of msgspec as JSON does; that null is taken, too, goes without saying."""
    return JSON_TYPES.get(types.removesuffix(" | null"), types.removesuffix(" | null"))
