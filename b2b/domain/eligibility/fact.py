"""Define facts: what the app asks Graph, the permission that it needs, and the default without an answer.

`facts` has the rows. docs/reference/permissions.md and infra/graph-permissions.json are generated from them.
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
"""The values of placeholders, by name. A tuple becomes a list of OData literals."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class About(StrEnum):
    """The subject of a fact. The value is the placeholder in its question."""

    SELECTOR = "selector"
    """The account, by the one name that the request gives: `id`, `userPrincipalName` or `mail`."""
    ACCOUNT = "account"
    ADDRESS = "address"
    DOMAIN = "domain"
    COMPANY = "company"
    SPONSORS = "sponsors"
    """The object ids that the request names as sponsors."""
    SINCE = "since"
    """Log records since a time, in Graph's notation."""
    TENANT = "tenant"
    LEDGER = "ledger"
    """The app's own rows. Graph is not asked."""


@dataclass(frozen=True)
class Ask:
    """One GET request to Graph. The fact's subject fills the placeholders in braces."""

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
        """The names of the placeholders."""
        return frozenset(_PLACEHOLDER.findall(self.path + self.filter))

    @property
    def text(self) -> str:
        """The request without escapes, for the documentation."""
        options = "&".join(f"{name}={value}" for name, value in self._options())
        return f"GET {'/beta' if self.beta else ''}{self.path}{'?' if options else ''}{options}"

    def url(self, values: Values) -> str:
        """Return the URL below `/v1.0` or `/beta`, escaped as the Graph SDK escapes it."""
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
    """Fill in placeholders as OData literals, which double an apostrophe."""
    return _PLACEHOLDER.sub(lambda found: _literals(values[found[1]]), text)


def _literals(value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ",".join(f"'{_literals(each)}'" for each in value)
    return value.replace("'", "''")


def _in_literal(path: str, found: re.Match[str], values: Values) -> str:
    """Return the value of a placeholder in a path. Inside apostrophes it is an OData literal."""
    value = str(values[found[1]])
    return value.replace("'", "''") if path[: found.start()].endswith("'") else value


@dataclass(frozen=True, eq=False)
class Fact(Generic[Value]):
    """One value that rules use. If a rule is off, the app does not read its facts and needs no permission for them."""

    name: str
    about: About
    default: Value
    """The value that rules get if the fact was not read, is not readable, or does not exist."""
    permission: str = ""
    """The least privileged application permission that reads the fact; empty for the app's own rows."""
    wider: frozenset[str] = frozenset()
    """Permissions that read the fact too, but allow more."""
    asks: tuple[Ask, ...] = ()
    """The requests. The app sends those whose placeholders the subject fills, and `read` gets all answers."""
    read: Callable[[Bodies], Value | NotReadable] | None = None
    comes_with: "Fact[Any] | None" = None
    """Another fact whose answers contain this fact too."""
    may_be_absent: bool = False
    """Whether a 404 is an answer. For a collection that always exists, a 404 is an error."""
    optional: bool = False
    """Whether an account may lack the object. If so, a 404 does not suggest that a replica lags."""
    licensed: bool = False
    """Whether the feature needs a licence. If the tenant lacks it, the default holds."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Facts:
    """The facts that were read. A fact without a value gives its default."""

    def __init__(self, read: Mapping[Fact[Any], Any] | None = None) -> None:
        self._read = dict(read or {})

    def __getitem__(self, fact: Fact[Value]) -> Value:
        value = self._read.get(fact, fact.default)
        return fact.default if isinstance(value, NotReadable | NotThere) else value

    def __contains__(self, fact: Fact[Any]) -> bool:
        """Tell whether Graph answered the fact's question. A refusal counts as an answer."""
        return fact in self._read

    def __bool__(self) -> bool:
        """Tell whether there is an answer to any question."""
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
        """Return only these facts, as far as Graph was asked for them."""
        return Facts({fact: self._read[fact] for fact in facts if fact in self._read})

    def absent(self, fact: Fact[Any]) -> bool:
        """Tell whether Graph answered that the object does not exist."""
        return isinstance(self._read.get(fact), NotThere)

    @property
    def unreadable(self) -> Mapping[Fact[Any], NotReadable]:
        """The facts that the app could not read, and why."""
        return {fact: value for fact, value in self._read.items() if isinstance(value, NotReadable)}
