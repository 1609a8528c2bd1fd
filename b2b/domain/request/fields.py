"""Convert a JSON object to a typed value. Each fault is reported with the path of its field, in JSON's terms."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import JSON_TYPES

MOST_FAULTS = 50
"""The most faults that are reported. A body of 48 KiB can hold thousands."""
Part = TypeVar("Part", bound=msgspec.Struct)


@dataclass(frozen=True)
class Shape:
    """The field names in a document and its parts.

    ``known``: all names; ``optional``: those that may be absent; ``trimmed``: those whose values lose surrounding white
    space.
    """

    known: frozenset[str]
    optional: frozenset[str]
    trimmed: frozenset[str]

    @classmethod
    def of(cls, *kinds: type[msgspec.Struct], trimmed: frozenset[str] = frozenset()) -> "Shape":
        """Return the shape with the field names of these types."""
        fields = [field for kind in kinds for field in msgspec.structs.fields(kind)]
        known = frozenset(field.encode_name for field in fields)
        return cls(known, known - {field.encode_name for field in fields if field.required}, trimmed)


def convert(document: dict[str, Any], kind: type[Part], shape: Shape) -> Part:
    """Return a JSON object as a value of the type ``kind``.

    A known field that is null counts as absent, and so does an optional field that is empty. An unknown field is
    refused.

    Raises:
        MalformedRequest: fields are wrong. The error and its ``others`` name each and what was expected.

    """
    try:
        return msgspec.convert(cleaned(document, shape), kind)
    except msgspec.ValidationError as error:
        first, *others = faults(document, kind, shape) or [_named(str(error), "")]
        raise first.with_others(others) from error


def faults(document: dict[str, Any], kind: type[msgspec.Struct], shape: Shape) -> list[MalformedRequest]:
    """Return up to `MOST_FAULTS` errors about names and types in a JSON object, one for each field."""
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
    """Yield the errors in the value of one field, and in the parts of the value."""
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
    """Return a document without absent fields, and without white space around names and addresses."""
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
"""The text of msgspec's errors about types. Its version is pinned, and tests check the text."""
_PLACED = re.compile(r"(?P<message>.*) - at `\$(?P<path>([.\[][\w.\[\]]*)?)`", re.DOTALL)
"""The path at the end of msgspec's errors."""


def _named(text: str, target: str) -> MalformedRequest:
    """Return msgspec's error about the value of a field, in JSON's terms."""
    placed = _PLACED.fullmatch(text)
    message, path = (placed["message"], placed["path"].lstrip(".")) if placed else (text, "")
    if path:
        target = _joined(target, path)
    if match := _EXPECTED.fullmatch(message):
        told = f"expected {_in_json(match['wanted'])}, got {_in_json(match['got'])}"
        return MalformedRequest("WrongType", f"{target}: {told}".removeprefix(": "), target)
    return MalformedRequest("InvalidValue", text, target)


def _spelled(field: str, known: Iterable[str]) -> str:
    """Return a hint for a name that is known in another case, such as with a capital; empty for any other name."""
    wanted = next((name for name in known if name.lower() == field.lower()), None)
    return f"; it is written {wanted}" if wanted else ""


def _in_json(types: str) -> str:
    """Return the JSON name of a type in msgspec's error, without the words that say that null is allowed, too."""
    return JSON_TYPES.get(types.removesuffix(" | null"), types.removesuffix(" | null"))
