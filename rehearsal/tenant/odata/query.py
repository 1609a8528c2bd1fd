"""Check and apply query options, and divide collections into pages."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from rehearsal.tenant.directory.schema import ResourceType
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.odata.filters import compile_filter
from rehearsal.tenant.protocol import errors

DEFAULT_PAGE, MAX_PAGE = 100, 999
"""Objects on a page: 100 unless `$top` sets another number, 999 at most."""
PAGE_TOKEN_LIFETIME = timedelta(minutes=30)
"""How long a page token is valid. Graph's own time is not documented; this suffices to read a collection in one go."""

READ_ONE = frozenset({"$select"})
READ_MANY = frozenset({"$select", "$filter", "$top", "$count", "$orderby", "$skiptoken"})


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one call, checked against those that its path accepts."""

    given: Mapping[str, str]
    eventual: bool

    @classmethod
    def of(cls, query: Mapping[str, str], headers: Mapping[str, str], allowed: frozenset[str]) -> "Options":
        """Check and return the options.

        Raises `GraphError` for an option the path does not accept, or a bad page size.
        """
        options = cls(query, headers.get("consistencylevel", "").lower() == "eventual")
        if "$search" in query and not options.eventual:
            raise errors.unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        for name in query:
            if name not in allowed:
                raise errors.unknown_option(name)
        if options.top is not None and not 1 <= options.top <= MAX_PAGE:
            raise errors.unsupported_query(
                f"Invalid page size specified: '{options.top}'. Must be between 1 and {MAX_PAGE} inclusive."
            )
        return options

    @property
    def advanced(self) -> bool:
        """Whether this is an advanced query: it has `ConsistencyLevel: eventual` and `$count=true`."""
        return self.eventual and self.given.get("$count", "").lower() == "true"

    @property
    def top(self) -> int | None:
        """The value of `$top`, or None. Raises `GraphError` if it is no number."""
        raw = self.given.get("$top")
        if raw is None:
            return None
        if not raw.lstrip("-").isdigit():
            raise errors.malformed(f"Invalid value '{raw}' for $top query option found.")
        return int(raw)

    @property
    def names(self) -> list[str] | None:
        """The names in `$select`, or None. Raises `GraphError` for an empty name."""
        raw = self.given.get("$select")
        if raw is None:
            return None
        names = [name.strip() for name in raw.split(",")]
        if not all(names):
            raise errors.malformed("The $select query option has an empty name.")
        return names

    @property
    def expansions(self) -> list[str]:
        """The names in `$expand`; empty without it."""
        return [name.strip() for name in self.given.get("$expand", "").split(",") if name.strip()]


def project(thing: Mapping[str, Any], resource: ResourceType, names: Sequence[str] | None) -> JSON:
    """Return an object with the selected properties only. `names` None: those that Graph returns without `$select`."""
    chosen = names if names is not None else (resource.plain or tuple(resource.properties))
    for name in chosen:
        if name not in resource.properties:
            raise errors.unknown_property(name, resource.name)
    return {name: thing[name] for name in chosen}


def select(
    things: Iterable[JSON], resource: ResourceType, options: Options, exact: Callable[[str], bool]
) -> list[JSON]:
    """Apply `$filter` and `$orderby` to a collection. `exact` is as in `compile_filter`."""
    found = list(things)
    if "$filter" in options.given:
        condition = compile_filter(options.given["$filter"], resource, exact)
        if condition.advanced and not options.advanced:
            raise errors.needs_advanced(condition.advanced)
        found = [thing for thing in found if condition.matches(thing)]
    if "$orderby" in options.given:
        if "$filter" in options.given and not options.advanced:
            raise errors.unsupported_query("Sorting not supported for current query.")
        found = _sorted(found, resource, options.given["$orderby"])
    return found


def _sorted(things: list[JSON], resource: ResourceType, clause: str) -> list[JSON]:
    name, _, direction = clause.strip().partition(" ")
    if name not in resource.properties:
        raise errors.unknown_property(name, resource.name)
    if name not in resource.sortable or direction not in ("", "asc", "desc"):
        raise errors.unsupported_query("Sorting not supported for current query.")
    return sorted(things, key=lambda thing: (thing[name] or "").casefold(), reverse=direction == "desc")


@dataclass(frozen=True, slots=True)
class Paging:
    """Divides the collection at `url` into pages. `short`: the first page is empty, the others are half as long."""

    url: str
    now: datetime
    short: bool = False

    def page(self, things: Sequence[Any], options: Options, shape: Callable[[Any], JSON]) -> JSON:
        """Return one page, with `@odata.nextLink` if more follow and `@odata.count` if the call asks for it."""
        start = self.start(options)
        size = options.top or DEFAULT_PAGE
        if self.short:
            size = 0 if start is None else max(1, size // 2)
        first = start or 0
        body: JSON = {}
        if options.advanced and start is None:
            body["@odata.count"] = len(things)
        if first + size < len(things):
            body["@odata.nextLink"] = self._next_link(options, first + size)
        body["value"] = [shape(thing) for thing in things[first : first + size]]
        return body

    def start(self, options: Options) -> int | None:
        """Return the index at which the page of a token starts, or None without a token. Raises `GraphError` for a
        token that has expired or is of another query.
        """
        raw = options.given.get("$skiptoken")
        if raw is None:
            return None
        try:
            token = json.loads(base64.urlsafe_b64decode(raw))
        except ValueError:
            raise errors.expired_page_token() from None
        if token["until"] < self.now.timestamp() or token["eventual"] != options.eventual or token["url"] != self.url:
            raise errors.expired_page_token()
        return int(token["start"])

    def _next_link(self, options: Options, start: int) -> str:
        token = {
            "start": start,
            "until": (self.now + PAGE_TOKEN_LIFETIME).timestamp(),
            "eventual": options.eventual,
            "url": self.url,
        }
        encoded = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
        parameters = {**options.given, "$skiptoken": encoded}
        return f"{self.url}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
