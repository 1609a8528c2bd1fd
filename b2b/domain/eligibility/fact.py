"""What a fact is: one row with the question to Graph, the permission that answers it and what holds without an answer.

The rows stand in `facts`; docs/reference/permissions.md and infra/graph-permissions.json are generated from them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from b2b.domain.readings import NotReadable, NotThere

Value = TypeVar("Value")
Bodies = list[dict[str, Any]]
Values = Mapping[str, str | tuple[str, ...]]
"""What fills placeholders; several texts become a list of literals."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class About(StrEnum):
    """What a fact is about: the placeholder in its question, and the key under which its answer may be kept."""

    SELECTOR = "selector"
    """The account, by the one name that the request gives: `id`, `userPrincipalName` or `mail`."""
    ACCOUNT = "account"
    ADDRESS = "address"
    DOMAIN = "domain"
    COMPANY = "company"
    SPONSORS = "sponsors"
    """The object ids that the request names as sponsors."""
    SINCE = "since"
    """What has been logged since a moment, in Graph's notation."""
    TENANT = "tenant"
    LEDGER = "ledger"
    """The app's own rows: no question to Graph."""


@dataclass(frozen=True)
class Ask:
    """One GET. Placeholders in braces are filled with what the question is about."""

    path: str
    select: tuple[str, ...] = ()
    filter: str = ""
    expand: str = ""
    top: int = 0
    advanced: bool = False
    """Needs `$count=true` and `ConsistencyLevel: eventual` (https://learn.microsoft.com/graph/aad-advanced-queries)."""
    beta: bool = False

    @property
    def placeholders(self) -> frozenset[str]:
        """The names that have to be filled in."""
        return frozenset(_PLACEHOLDER.findall(self.path + self.filter))

    @property
    def text(self) -> str:
        """The question as one would write it, for documents."""
        options = "&".join(f"{name}={value}" for name, value in self._options())
        return f"GET {'/beta' if self.beta else ''}{self.path}{'?' if options else ''}{options}"

    def url(self, values: Values) -> str:
        """Return the address relative to the root of its version, escaped as the Graph SDK escapes it."""
        path = _PLACEHOLDER.sub(lambda found: quote(_in_literal(self.path, found, values), safe="$"), self.path)
        options = "&".join(
            f"%24{name[1:]}={quote(_filled(value, values), safe=',' if name == '$select' else '')}"
            for name, value in self._options()
        )
        return f"{path}{'?' if options else ''}{options}"

    def _options(self) -> Iterator[tuple[str, str]]:
        options = {
            "$count": "true" if self.advanced else "",
            "$expand": self.expand,
            "$filter": self.filter,
            "$select": ",".join(self.select),
            "$top": str(self.top or ""),
        }
        return ((name, value) for name, value in options.items() if value)


def _filled(text: str, values: Values) -> str:
    """Fill in OData literals, in which an apostrophe is doubled."""
    return _PLACEHOLDER.sub(lambda found: _literals(values[found[1]]), text)


def _literals(value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ",".join(f"'{_literals(each)}'" for each in value)
    return value.replace("'", "''")


def _in_literal(path: str, found: re.Match[str], values: Values) -> str:
    """A part of a path is escaped alone; inside apostrophes it is an OData literal as well."""
    value = str(values[found[1]])
    return value.replace("'", "''") if path[: found.start()].endswith("'") else value


@dataclass(frozen=True, eq=False)
class Fact(Generic[Value]):
    """One thing to know. A rule that is off does not ask for its facts: that is how to do without a permission."""

    name: str
    about: About
    default: Value
    """What rules see while the fact is not read, not readable, or not there."""
    permission: str = ""
    """The least application permission that reads it; empty for the app's own rows."""
    wider: frozenset[str] = frozenset()
    """Permissions that read it as well and allow more."""
    asks: tuple[Ask, ...] = ()
    """Those whose placeholders the question fills are sent, and their answers read together."""
    read: Callable[[Bodies], Value | NotReadable] | None = None
    comes_with: "Fact[Any] | None" = None
    """The fact whose answers hold this one, too."""
    may_be_absent: bool = False
    """A 404 says something; a collection that is always there gives none."""
    optional: bool = False
    """An account may have none: that a 404 says so does not mean that a replica lags behind the account."""
    licensed: bool = False
    """A tenant without the licence for the feature has nothing of it: the default holds."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Facts:
    """What was read. Each fact has its own type; without a value its default."""

    def __init__(self, read: Mapping[Fact[Any], Any] | None = None) -> None:
        self._read = dict(read or {})

    def __getitem__(self, fact: Fact[Value]) -> Value:
        value = self._read.get(fact, fact.default)
        return fact.default if isinstance(value, NotReadable | NotThere) else value

    def __contains__(self, fact: Fact[Any]) -> bool:
        """Tell whether the question was answered, if only with a refusal."""
        return fact in self._read

    def __bool__(self) -> bool:
        """Tell whether anything was asked."""
        return bool(self._read)

    def __or__(self, later: "Facts") -> "Facts":
        return Facts(self._read | later._read)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and self._read == other._read

    def __hash__(self) -> int:
        return hash(frozenset(self._read))

    def __repr__(self) -> str:
        return f"Facts({self._read})"

    def of(self, facts: Iterable[Fact[Any]]) -> "Facts":
        """Return the answers to these facts, as far as Graph was asked."""
        return Facts({fact: self._read[fact] for fact in facts if fact in self._read})

    def absent(self, fact: Fact[Any]) -> bool:
        """Tell whether Graph answered that there is no such object."""
        return isinstance(self._read.get(fact), NotThere)

    @property
    def unreadable(self) -> Mapping[Fact[Any], NotReadable]:
        """The facts that Graph did not let us know, and why."""
        return {fact: value for fact, value in self._read.items() if isinstance(value, NotReadable)}
