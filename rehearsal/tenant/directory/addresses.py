"""Index addresses, so that the objects that hold one are found without scanning the directory."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self

JSON = dict[str, Any]

ADDRESS_PROPERTIES = frozenset({"mail", "userPrincipalName", "otherMails", "proxyAddresses"})

_TEXT = r"'(?P<{}>(?:[^']|'')*)'"
_CLAUSE = re.compile(
    rf"\s*(?:(?:mail|userPrincipalName)\s+eq\s+{_TEXT.format('single')}"
    rf"|(?:otherMails|proxyAddresses)/any\(\s*(?P<it>\w+)\s*:\s*(?P=it)\s+eq\s+{_TEXT.format('several')}\s*\))\s*"
)
_OR = re.compile(r"or\b", re.IGNORECASE)


def plain(address: str) -> str:
    """Return an address in the form that is compared: case-folded, without the `smtp:` of a proxy address."""
    return address.casefold().removeprefix("smtp:")


def addresses_of(thing: Mapping[str, Any]) -> set[str]:
    """Return every address that an object holds, in the form of `plain`."""
    single: Iterable[str | None] = (thing.get("mail"), thing.get("userPrincipalName"))
    several = [*thing.get("otherMails", ()), *thing.get("proxyAddresses", ())]
    return {plain(address) for address in [*single, *several] if address}


def holders(things: Iterable[JSON], address: str) -> list[JSON]:
    """Return the objects among `things` that hold an address."""
    wanted = plain(address)
    return [thing for thing in things if wanted in addresses_of(thing)]


def asked_addresses(condition: str) -> list[str] | None:
    """Return the addresses that a `$filter` asks for. None if it has anything but address clauses joined by `or`."""
    found: list[str] = []
    position = 0
    while clause := _CLAUSE.match(condition, position):
        found.append((clause["single"] or clause["several"] or "").replace("''", "'"))
        position = clause.end()
        if position == len(condition):
            return found
        joint = _OR.match(condition, position)
        if joint is None:
            return None
        position = joint.end()
    return None


class AddressIndex:
    """Maps each address to the keys of its holders, in the order in which they got it."""

    def __init__(self) -> None:
        self._holders: dict[str, dict[str, None]] = {}

    @classmethod
    def of(cls, *collections: Mapping[str, JSON]) -> Self:
        """Return an index of the objects in some collections, each a mapping from key to object."""
        index = cls()
        for things in collections:
            for key, thing in things.items():
                index.add(key, thing)
        return index

    def add(self, key: str, thing: Mapping[str, Any]) -> None:
        """Add the addresses of an object."""
        for address in addresses_of(thing):
            self._holders.setdefault(address, {})[key] = None

    def remove(self, key: str, thing: Mapping[str, Any]) -> None:
        """Remove the addresses of an object."""
        for address in addresses_of(thing):
            self._holders.get(address, {}).pop(key, None)

    def find(self, addresses: Iterable[str]) -> dict[str, None]:
        """Return the keys of the objects that hold one of these addresses."""
        found: dict[str, None] = {}
        for address in addresses:
            found |= self._holders.get(plain(address), {})
        return found

    def copy(self) -> Self:
        """Return a copy with the same content."""
        twin = type(self)()
        twin._holders = {address: dict(keys) for address, keys in self._holders.items()}  # noqa: SLF001 - its own kind
        return twin
