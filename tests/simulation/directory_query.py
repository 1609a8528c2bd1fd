"""Parses the address of a GET into a query, once for each address.

It knows only what the app asks today. For anything else it raises an AssertionError with the name of the unknown part,
because an empty answer would hide a mistake.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.simulation.directory_accounts import USER, State, plain
from tests.simulation.directory_tenant import APP_ROLE, CONTACT, GROUP, ROLE

LARGEST_PAGE, DEFAULT_PAGE = 999, 100
_MANY = frozenset({"$select", "$filter", "$top", "$count"})
_ONE = frozenset({"$select"})
_ADDRESSES = frozenset({"mail", "userPrincipalName", "otherMails", "proxyAddresses"})
_ADVANCED = frozenset({"companyName"})
"""The properties that only an advanced query can filter by (https://learn.microsoft.com/graph/aad-advanced-queries)."""
_TOPICS: Mapping[str, str] = {"id": "list", "externalUserState": "list", "companyName": "company"}
_SEVERAL = frozenset({"otherMails", "proxyAddresses"})
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLAUSE = re.compile(
    r"(?:(?P<single>\w+) eq |(?P<several>\w+)/any\((?P<it>\w+):(?P=it) eq )'(?P<literal>(?:[^']|'')*)'(?(several)\))"
)
_AMONG = re.compile(r"id in \((?P<ids>'[^']*'(?:,'[^']*')*)\)")
_SKIP_TOKEN = re.compile(r"(?P<root>https?://[^?]+?/(?:v1\.0|beta))/.*[?&]\$skiptoken=(?P<walk>\d+)-(?P<start>\d+)")


@dataclass(frozen=True, slots=True)
class _Route:
    pattern: re.Pattern[str]
    kind: str
    options: frozenset[str]
    names: frozenset[str]
    filters: frozenset[str]
    version: str


def _route(
    path: str,
    kind: str,
    options: frozenset[str] = frozenset(),
    names: frozenset[str] = frozenset(),
    filters: frozenset[str] = frozenset(),
    version: str = "v1.0",
) -> _Route:
    pattern = re.compile(re.escape(path).replace("/@", "/(?P<subject>[^/$][^/]*)").replace("@", "(?P<subject>[^/]+)"))
    return _Route(pattern, kind, options, names, filters, version)


_USER = frozenset(USER)
_NAMED = frozenset({"id", "displayName"})
_BIN = "/directory/deletedItems"
_FEDERATION = "/directory/federationConfigurations/microsoft.graph.samlOrWsFedExternalDomainFederation"
_ROLES = "/roleManagement/directory"
_CROSS_TENANT = "/policies/crossTenantAccessPolicy"
_LOGGED = frozenset({"activityDateTime"})
_REDEEMED_SINCE = re.compile(
    r"activityDisplayName eq 'Redeem external user invite' and activityDateTime ge (?P<since>[\d:TZ-]+)"
)
_PRINCIPAL = frozenset({"principalId"})
_ROUTES = (
    _route("/users", "users", _MANY, _USER, _ADDRESSES | {"id", "externalUserState", "companyName"}),
    _route(f"{_BIN}/graph.user", "deleted users", _MANY, _USER, _ADDRESSES),
    _route(f"{_BIN}/microsoft.graph.user", "deleted users", _MANY, _USER, _ADDRESSES),
    _route("/groups", "groups", _MANY, GROUP, frozenset({"id", "mail", "proxyAddresses"})),
    _route("/contacts", "contacts", _MANY, CONTACT, frozenset({"mail", "proxyAddresses"})),
    _route(f"{_ROLES}/roleAssignments", "role assignments", _MANY, frozenset(), _PRINCIPAL),
    _route(f"{_ROLES}/roleEligibilitySchedules", "role eligibilities", _MANY, frozenset(), _PRINCIPAL),
    _route("/domains", "domains", _ONE, frozenset({"id", "isVerified", "authenticationType"})),
    _route(_FEDERATION, "federations", frozenset({"$expand"})),
    _route("/policies/authorizationPolicy", "authorization policy"),
    _route(f"{_CROSS_TENANT}/default", "cross-tenant default"),
    _route(f"{_CROSS_TENANT}/partners", "cross-tenant partners"),
    _route("/policies/b2bManagementPolicies", "b2b policies", version="beta"),
    _route("/tenantRelationships/findTenantInformationByDomainName(domainName='@')", "home tenant"),
    _route("/auditLogs/directoryAudits", "redemptions", frozenset({"$filter", "$top"}), filters=_LOGGED),
    _route("/users/@/transitiveMemberOf", "memberships", _ONE | {"$top"}, GROUP | ROLE),
    _route("/users/@/memberOf", "direct groups", _ONE | {"$top"}, GROUP | ROLE),
    _route("/users/@/appRoleAssignments", "app roles", _ONE | {"$top"}, APP_ROLE),
    _route("/users/@/manager", "manager", _ONE, _NAMED),
    _route("/users/@/sponsors", "sponsors", _ONE, _NAMED),
    _route("/users/@/ownedObjects", "owned objects", _ONE | {"$top"}, _NAMED),
    _route("/users/@/registeredDevices", "registered devices", _ONE | {"$top"}, _NAMED),
    _route("/users/@", "user", _ONE, _USER),
    _route("/users('@')", "user", _ONE, _USER),
    _route(f"{_BIN}/@", "deleted item", _ONE, _USER),
)
RELATED = frozenset({"direct groups", "app roles", "manager", "sponsors", "owned objects", "registered devices"})
"""The kinds of read that show what an account is related to."""
ABOUT_ONE = frozenset({"user", "memberships", "deleted item"}) | RELATED
"""The kinds of read with an object id or a user principal name in the path."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison in a filter. The clauses of a filter are joined by `or`."""

    name: str
    literal: str
    folded: str


@dataclass(frozen=True, slots=True)
class Query:
    """One read. ``subject`` is an object id, a user principal name or a domain, in lower case, or empty."""

    kind: str
    path: str
    subject: str
    select: tuple[str, ...] | None
    clauses: tuple[Clause, ...]
    top: int
    count: bool

    @property
    def account(self) -> str:
        """The object id or user principal name of the account that the read concerns; empty if it concerns several."""
        if self.kind in ABOUT_ONE:
            return self.subject
        return self.clauses[0].folded if self.clauses and self.clauses[0].name == "principalId" else ""

    @property
    def topic(self) -> str:
        """The topic of a read that concerns no single account, in one word."""
        if not self.clauses:
            return "tenant"
        return _TOPICS.get(self.clauses[0].name, "address")

    @property
    def advanced(self) -> bool:
        """Whether the read needs `$count=true` and `ConsistencyLevel: eventual`."""
        return any(clause.name in _ADVANCED for clause in self.clauses)

    @property
    def by_id(self) -> bool:
        """Whether the subject is an object id."""
        return _GUID.fullmatch(self.subject) is not None


@dataclass(frozen=True, slots=True)
class PageToken:
    """The continuation of a listing: the root of its URL, the number of its walk, and the position in that walk."""

    root: str
    walk: int
    start: int


@lru_cache(maxsize=1 << 14)
def query_of(version: str, url: str) -> Query:
    """Parse the address of a read. ``url`` is relative to the root of ``version``."""
    raw_path, _, raw_options = url.partition("?")
    path, options = unquote(raw_path), dict(parse_qsl(raw_options, keep_blank_values=True))
    for route in _ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and route.version == version:
            return _query(route, path, match.groupdict().get("subject") or "", options)
    raise AssertionError(f"the directory in memory does not know GET /{version}{path}")


def page_token(url: str) -> PageToken | None:
    """Return the page token in the address of a next page; None if the address has none."""
    match = _SKIP_TOKEN.fullmatch(url)
    return None if match is None else PageToken(match["root"], int(match["walk"]), int(match["start"]))


def _query(route: _Route, path: str, subject: str, options: Mapping[str, str]) -> Query:
    known = options.keys() <= route.options
    assert known, f"GET {path} does not take {', '.join(sorted(options.keys() - route.options))}"
    assert options.get("$expand", "domains") == "domains", f"GET {path} does not expand {options['$expand']}"
    select = tuple(options["$select"].split(",")) if "$select" in options else None
    assert set(select or ()) <= route.names, f"GET {path} has no {', '.join(sorted(set(select or ()) - route.names))}"
    clauses = _clauses(options["$filter"]) if "$filter" in options else ()
    for clause in clauses:
        assert clause.name in route.filters, f"GET {path} is not filtered by {clause.name}"
    needs_filter = bool(route.filters)
    assert bool(clauses) is needs_filter, f"GET {path} is asked {'without' if needs_filter else 'with'} a filter"
    top = int(options.get("$top", DEFAULT_PAGE))
    assert 1 <= top <= LARGEST_PAGE, f"GET {path} takes pages of 1 to {LARGEST_PAGE}, not {top}"
    count = options.get("$count", "").lower() == "true"
    return Query(route.kind, path, subject.replace("''", "'").lower(), select, clauses, top, count)


def _clauses(text: str) -> tuple[Clause, ...]:
    if among := _AMONG.fullmatch(text):
        return tuple(Clause("id", literal, literal.casefold()) for literal in re.findall(r"'([^']*)'", among["ids"]))
    if logged := _REDEEMED_SINCE.fullmatch(text):
        return (Clause("activityDateTime", logged["since"], logged["since"]),)
    found: list[Clause] = []
    for part in re.split(r" or (?=\w+(?: eq |/any\())", text):
        match = _CLAUSE.fullmatch(part)
        assert match is not None, f"the directory in memory does not know the filter {part!r}"
        name = match["single"] or match["several"]
        assert (match["several"] is not None) is (name in _SEVERAL), f"{name} is compared in another way: {part!r}"
        literal = match["literal"].replace("''", "'")
        found.append(Clause(name, literal, literal.casefold()))
    if len(found) > 1:
        assert {clause.name for clause in found} <= _ADDRESSES, f"the filter {text!r} mixes addresses with other things"
    return tuple(found)


def matches(thing: State, clauses: tuple[Clause, ...], exact: Container[str]) -> bool:
    """Tell whether an object passes a filter. Case counts only in the properties in ``exact``."""
    for clause in clauses:
        value: Any = thing[clause.name]
        values = value if isinstance(value, list) else (value,)
        cased = clause.name in exact
        wanted = clause.literal if cased else clause.folded
        if any(one is not None and (one if cased else one.casefold()) == wanted for one in values):
            return True
    return False


def asked_addresses(clauses: tuple[Clause, ...]) -> list[str]:
    """Return the addresses that a filter asks for; empty if it asks for something else."""
    return [plain(clause.literal) for clause in clauses if clause.name in _ADDRESSES]
