"""From a JSON object to a typed value: a problem is reported with the path of its field, in the words of JSON."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import JSON_TYPES

MOST_FAULTS = 50
"""A body of 48 KiB has room for thousands of faults; more than this are not reported."""
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
        MalformedRequest: names every field that is wrong, and what was expected.

    """
    try:
        return msgspec.convert(cleaned(document, shape), kind)
    except msgspec.ValidationError as error:
        first, *others = faults(document, kind, shape) or [_named(str(error), "")]
        raise first.with_others(others) from error


def faults(document: dict[str, Any], kind: type[msgspec.Struct], shape: Shape) -> list[MalformedRequest]:
    """Return what is wrong with the names and types of a JSON object, field by field."""
    return list(islice(_faults(cleaned(document, shape), kind, ""), MOST_FAULTS))


def _faults(members: dict[str, Any], kind: type[msgspec.Struct], path: str) -> Iterator[MalformedRequest]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in members.items():
        target = _joined(path, name)
        if name in known:
            yield from _wrong(value, known[name].type, target)
        else:
            yield MalformedRequest("UnknownField", f"{target}: not a known field{_spelled(name, known)}", target)
    for name, field in known.items():
        if field.required and name not in members:
            target = _joined(path, name)
            yield MalformedRequest("MissingField", f"{target}: required", target)


def _wrong(value: Any, wanted: Any, target: str) -> Iterator[MalformedRequest]:
    """Say what is wrong with the value of one field; look into the parts that it has."""
    if get_origin(wanted) is Annotated:
        wanted = get_args(wanted)[0]
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        part = next((each for each in (wanted, *get_args(wanted)) if _is_part(each)), None)
        if part is not None and isinstance(value, dict):
            yield from _faults(value, part, target)
        elif part is not None and isinstance(value, list) and part is not wanted:
            for number, member in enumerate(value):
                yield from _wrong(member, part, f"{target}[{number}]")
        else:
            yield _named(str(error), target)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _joined(path: str, name: str) -> str:
    return name if not path else f"{path}{name}" if name.startswith("[") else f"{path}.{name}"


def cleaned(value: Any, shape: Shape) -> Any:
    """Return a document without what is absent, and without white space around names and addresses."""
    if isinstance(value, list):
        return [cleaned(member, shape) for member in value]
    if not isinstance(value, dict):
        return value
    members = {name: _trimmed(member) if name in shape.trimmed else member for name, member in value.items()}
    return {name: cleaned(member, shape) for name, member in members.items() if not _absent(name, member, shape)}


def _absent(name: str, value: Any, shape: Shape) -> bool:
    return (value is None and name in shape.known) or (value == "" and name in shape.optional)


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [_trimmed(member) for member in value]
    return value.strip() if isinstance(value, str) else value


_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")
"""msgspec's text (pinned version, held by tests)."""
_PLACED = re.compile(r"(?P<message>.*) - at `\$(?P<path>([.\[][\w.\[\]]*)?)`", re.DOTALL)
"""Where msgspec says it found the problem."""


def _named(text: str, target: str) -> MalformedRequest:
    """Say in the words of JSON what msgspec found wrong with the value of a field."""
    placed = _PLACED.fullmatch(text)
    message, path = (placed["message"], placed["path"].lstrip(".")) if placed else (text, "")
    if path:
        target = _joined(target, path)
    if match := _EXPECTED.fullmatch(message):
        told = f"expected {_in_json(match['wanted'])}, got {_in_json(match['got'])}"
        return MalformedRequest("WrongType", f"{target}: {told}".removeprefix(": "), target)
    return MalformedRequest("InvalidValue", text, target)


def _spelled(field: str, known: Iterable[str]) -> str:
    """Say how a name is written that is known in other letters: many serialisers begin names with a capital."""
    wanted = next((name for name in known if name.lower() == field.lower()), None)
    return f"; it is written {wanted}" if wanted else ""


def _in_json(types: str) -> str:
    """Name a type of msgspec as JSON does; that null is taken, too, goes without saying."""
    return JSON_TYPES.get(types.removesuffix(" | null"), types.removesuffix(" | null"))
