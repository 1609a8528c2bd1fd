"""Reads of the directory in memory: answers to queries, pages of collections, batches.

`lag` returns by how many seconds the state in an answer is old. It is called with the kind `object` for a read by id.
For a list it is called with the kind `list`, once for each account in all pages: all pages come from one replica.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import msgspec

from tests.simulation.directory_accounts import State
from tests.simulation.directory_query import Query, asked_addresses, matches, page_token, query_of
from tests.simulation.directory_state import Refused, TenantState, not_found
from tests.simulation.directory_tenant import DIRECTORY, GROUP, GROUPS, JSON, NEEDED, ROLE, ROLES

_JSON_HEADERS = {"Content-Type": "application/json"}
_PART_ERRORS = {
    401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    429: ("TooManyRequests", "Please retry again later."),
    500: ("InternalServerError", ""),
    503: ("ServiceUnavailable", ""),
}
_REFUSED_TO_APPS = frozenset({"manager", "owned objects", "registered devices"})
_ASK_AGAIN = frozenset({429, 503})
_PROXIES = frozenset({"proxyAddresses"})
_FILTERED = frozenset(
    {"mail", "userPrincipalName", "otherMails", "proxyAddresses", "companyName", "externalUserState", "principalId"}
)
"""The properties that a filter can name."""


class Part(msgspec.Struct, frozen=True):
    """One request of a batch."""

    id: str
    url: str
    method: str = "GET"
    headers: dict[str, str] = {}

    @property
    def eventual(self) -> bool:
        """Whether the request reads an index that may lag."""
        return is_eventual(self.headers)


class _Batch(msgspec.Struct):
    requests: list[Part]


@dataclass(slots=True)
class _Walk:
    """A walk through the pages of a collection. It gets its number when it returns its first link to a next page."""

    query: Query
    root: str
    eventual: bool
    until: float
    lags: dict[str, float] = field(default_factory=dict)
    number: int = 0


_parts = msgspec.json.Decoder(_Batch).decode
_json = msgspec.json.Encoder().encode


def is_eventual(headers: Mapping[str, str]) -> bool:
    """Tell whether the headers of a call contain the one for advanced queries."""
    return any(name.lower() == "consistencylevel" and value.lower() == "eventual" for name, value in headers.items())


def parts_of(content: bytes) -> list[Part]:
    """Return the requests of a batch, after the checks that Graph makes of the batch itself."""
    parts = _parts(content).requests
    assert 1 <= len(parts) <= 20, f"a batch has 1 to 20 parts, not {len(parts)}"
    assert len({part.id.lower() for part in parts}) == len(parts), "two parts of a batch have the same id"
    assert all(part.method == "GET" for part in parts), "the directory in memory takes only GET in a batch"
    return parts


class Reads:
    """Answers reads from the state of a tenant."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self._walks: dict[int, _Walk] = {}
        self._numbers = count(1)
        self._objects: Mapping[str, Callable[[Query], JSON]] = {
            "user": self._user,
            "deleted item": self._deleted_item,
            "home tenant": self._home_tenant,
            "manager": self._manager,
            "authorization policy": lambda _query: {"allowInvitesFrom": state.tenant.allow_invites_from},
            "cross-tenant default": lambda _query: {"b2bCollaborationInbound": state.tenant.inbound},
        }
        self._collections: Mapping[str, Callable[[_Walk], list[JSON]]] = {
            "users": lambda walk: self._listed(walk, state.accounts.live),
            "deleted users": lambda walk: self._listed(walk, state.accounts.binned),
            "groups": lambda walk: self._filtered(walk, state.tenant.groups),
            "contacts": lambda walk: self._filtered(walk, state.tenant.contacts),
            "memberships": self._memberships,
            "redemptions": self._redemptions,
            "direct groups": self._direct_groups,
            "app roles": self._app_roles,
            "sponsors": lambda walk: self._related(walk.query, "sponsors"),
            "owned objects": lambda walk: self._related(walk.query, "ownedObjects"),
            "registered devices": lambda walk: self._related(walk.query, "registeredDevices"),
            "role assignments": lambda walk: self._filtered(walk, state.tenant.role_assignments),
            "role eligibilities": lambda walk: self._filtered(walk, state.tenant.role_eligibilities),
            "domains": self._domains,
            "federations": lambda _walk: [{"domains": [{"id": name}]} for name in state.tenant.federated_partners],
            "cross-tenant partners": lambda _walk: state.tenant.partners,
            "b2b policies": lambda _walk: state.tenant.b2b_policy(),
        }

    def batch(self, root: str, parts: Sequence[Part]) -> bytes:
        """Answer a batch with 200, even if its parts fail. The answers of the parts come in reverse order."""
        version = root.rpartition("/")[2]
        answers = [self._part(root, part, query_of(version, part.url)) for part in parts]
        answers.reverse()
        return _json({"responses": answers})

    def page(self, url: str, *, eventual: bool) -> bytes:
        """Answer the next page of a listing. Raise `Refused` if the page token has expired."""
        token = page_token(url)
        walk = None if token is None else self._walks.get(token.walk)
        if token is None or walk is None or walk.until < self._state.moment() or walk.eventual != eventual:
            message = "The specified page token value has expired and can no longer be included in your request."
            raise Refused(400, "Directory_ExpiredPageToken", message)
        return _json(self._page(walk, token.start))

    def walked(self, url: str) -> Query | None:
        """Return the query that this address of a next page continues; None if its token is not known (any more)."""
        token = page_token(url)
        return self._walks[token.walk].query if token is not None and token.walk in self._walks else None

    def expire_pages(self) -> None:
        """Let all page tokens expire."""
        self._walks.clear()

    def _part(self, root: str, part: Part, query: Query) -> JSON:
        try:
            body = self._answer(root, part, query)
        except Refused as refused:
            error = {"code": refused.code, "message": refused.message}
            headers = {**_JSON_HEADERS, **refused.headers}
            return {"id": part.id, "status": refused.status, "headers": headers, "body": {"error": error}}
        return {"id": part.id, "status": 200, "headers": _JSON_HEADERS, "body": body}

    def _answer(self, root: str, part: Part, query: Query) -> JSON:
        proper = not query.advanced or (query.count and part.eventual)
        assert proper, f"GET {query.path} with this filter needs $count=true and ConsistencyLevel: eventual"
        status = self._state.part_fault(part.url)
        if status is None and NEEDED[query.kind].isdisjoint(self._state.permissions):
            status = 403
        if status is not None:
            code, message = _PART_ERRORS.get(status, ("UnknownError", ""))
            raise Refused(status, code, message, self._state.retry_after if status in _ASK_AGAIN else None)
        if query.kind in _REFUSED_TO_APPS and self._state.switches["relations-for-applications"] == "refused":
            raise Refused(403, *_PART_ERRORS[403])
        if query.kind == "role eligibilities" and self._state.switches["eligibility-licence"] == "absent":
            message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
            raise Refused(400, "AadPremiumLicenseRequired", message)
        if query.kind in self._objects:
            return self._objects[query.kind](query)
        until = self._state.moment() + self._state.page_lifetime
        return self._page(_Walk(query, root, part.eventual, until), None)

    def _page(self, walk: _Walk, start: int | None) -> JSON:
        found = self._collections[walk.query.kind](walk)
        size = min(walk.query.top, self._state.page_cap or walk.query.top)
        if self._state.switches["page-shape"] == "short":
            size = 0 if start is None else max(1, size // 2)
        first = start or 0
        body: JSON = {}
        if walk.query.count and walk.eventual and start is None:
            body["@odata.count"] = len(found)
        if first + size < len(found):
            body["@odata.nextLink"] = self._next_link(walk, first + size)
        body["value"] = found[first : first + size]
        return body

    def _next_link(self, walk: _Walk, start: int) -> str:
        if not walk.number:
            self._forget_expired()
            walk.number = next(self._numbers)
            self._walks[walk.number] = walk
        return f"{walk.root}{walk.query.path}?$skiptoken={walk.number}-{start}"

    def _forget_expired(self) -> None:
        now = self._state.moment()
        while self._walks and next(iter(self._walks.values())).until < now:
            del self._walks[next(iter(self._walks))]

    def _user(self, query: Query) -> JSON:
        return self._answered(_shown(self._existing(query), query.select))

    def _existing(self, query: Query) -> State:
        """Return the account with this id or user principal name, as this read sees it."""
        accounts, now = self._state.accounts, self._state.moment()
        keys: Iterable[str] = (query.subject,) if query.by_id else accounts.ever_holding([query.subject])
        for key in keys:
            state = accounts.live(key, now - self._state.lag(key, "object"))
            if state is not None and (query.by_id or state["userPrincipalName"].lower() == query.subject):
                return state
        raise not_found(query.subject)

    def _deleted_item(self, query: Query) -> JSON:
        moment = self._state.moment() - self._state.lag(query.subject, "object")
        state = self._state.accounts.binned(query.subject, moment)
        if state is None:
            raise not_found(query.subject)
        return {"@odata.type": "#microsoft.graph.user", **_shown(state, query.select)}

    def _home_tenant(self, query: Query) -> JSON:
        tenant_id = self._state.tenant.home_tenants.get(query.subject)
        if tenant_id is None:
            message = f"Unable to find a tenant for the domain '{query.subject}'."
            raise Refused(404, "Directory_ObjectNotFound", message)
        return {"tenantId": tenant_id, "defaultDomainName": query.subject}

    def _listed(self, walk: _Walk, at: Callable[[str, float], State | None]) -> list[JSON]:
        query, now = walk.query, self._state.moment()
        found = []
        for key in self._candidates(query):
            if key not in walk.lags:
                walk.lags[key] = self._state.lag(key, "list")
            state = at(key, now - walk.lags[key])
            if state is not None and matches(state, query.clauses, self._exact):
                shown = _shown(state, query.select)
                found.append(self._answered(shown) if query.kind == "users" else shown)
        return found

    def _candidates(self, query: Query) -> Iterable[str]:
        """Return the keys of all accounts that may pass a filter, or ever did, from the index for its property."""
        accounts, asked = self._state.accounts, query.clauses[0]
        if asked.name == "externalUserState":
            return accounts.ever_pending
        if asked.name == "companyName":
            return accounts.ever_of_company(asked.literal)
        if asked.name == "id":
            return [clause.folded for clause in query.clauses if clause.folded in accounts]
        return accounts.ever_holding(asked_addresses(query.clauses))

    def _filtered(self, walk: _Walk, things: Iterable[JSON]) -> list[JSON]:
        found = ({"proxyAddresses": [], "mail": None, **thing} for thing in things)
        return [_shown(thing, walk.query.select) for thing in found if matches(thing, walk.query.clauses, self._exact)]

    @property
    def _exact(self) -> frozenset[str]:
        """The properties in which a filter distinguishes upper and lower case."""
        if self._state.switches["filter-case"] == "exact":
            return _FILTERED
        return _PROXIES if self._state.switches["proxy-address-case"] == "exact" else frozenset()

    def _answered(self, user: JSON) -> JSON:
        """Return a user as Graph answers it. A switch decides whether selected properties without a value are in it."""
        if self._state.switches["selected-properties"] == "all":
            return user
        return {name: value for name, value in user.items() if value not in (None, [])}

    def _memberships(self, walk: _Walk) -> list[JSON]:
        user = self._existing(walk.query)
        return [self._shown_container(walk.query, *pair) for pair in self._state.tenant.containers(user["id"])]

    def _redemptions(self, walk: _Walk) -> list[JSON]:
        """Return the records of the audit log since a moment, newest first. A record appears after two minutes."""
        since = walk.query.clauses[0].literal
        latest = (self._state.now() - timedelta(minutes=2)).astimezone(UTC)
        logged = ((f"{each.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", each) for each in self._state.redemptions)
        return [
            {
                "activityDateTime": at,
                "initiatedBy": {"user": {"userPrincipalName": each.named}},
                "targetResources": [{"id": each.user_id}],
            }
            for at, each in reversed(list(logged))
            if since <= at <= f"{latest:%Y-%m-%dT%H:%M:%SZ}"
        ]

    def _shown_container(self, query: Query, kind: str, container: JSON) -> JSON:
        """Return a group or role with the properties that the token may read."""
        permissions, names = self._state.permissions, {"group": GROUP, "directoryRole": ROLE}[kind]
        readable = not {"group": GROUPS, "directoryRole": ROLES}[kind].isdisjoint(permissions)
        shown = [name for name in query.select or sorted(names) if name in names]
        values = {name: container.get(name) if readable or name == "id" else None for name in shown}
        return {"@odata.type": f"#microsoft.graph.{kind}", **values}

    def _direct_groups(self, walk: _Walk) -> list[JSON]:
        """Return the groups of an account as this read sees them, with its current roles."""
        key, moment = self._lagging(walk.query)
        tenant = self._state.tenant
        roles = [each for each in tenant.direct(key) if tenant.container(each)[0] != "group"]
        held = [*self._state.access.at(key, "groups", moment), *roles]
        return [self._shown_container(walk.query, *tenant.container(each)) for each in held]

    def _app_roles(self, walk: _Walk) -> list[JSON]:
        key, moment = self._lagging(walk.query)
        access = self._state.access
        held = (each.partition("/") for each in access.at(key, "appRoles", moment))
        found = (
            {"resourceId": application, "appRoleId": role, "resourceDisplayName": access.names.get(application)}
            for application, _, role in held
        )
        return [_shown(each, walk.query.select) for each in found]

    def _manager(self, query: Query) -> JSON:
        found = self._related(query, "manager")
        if not found:
            raise not_found("manager")
        return found[0]

    def _related(self, query: Query, relation: str) -> list[JSON]:
        key, moment = self._lagging(query)
        held = self._state.access.at(key, relation, moment)
        return [_shown({"id": each, "displayName": self._name(each)}, query.select) for each in held]

    def _name(self, key: str) -> str | None:
        """Return the name of a user or of another object; None if the token may not read that object."""
        user = self._state.account(key)
        if user is not None:
            return str(user["displayName"])
        if self._state.tenant.has(key):
            readable, name = GROUPS, self._state.tenant.container(key)[1]["displayName"]
        else:
            readable, name = DIRECTORY, self._state.access.names.get(key)
        return None if readable.isdisjoint(self._state.permissions) else name

    def _lagging(self, query: Query) -> tuple[str, float]:
        """Return the key of the account that a query names, and the moment whose state this read shows."""
        key = query.subject
        moment = self._state.moment() - self._state.lag(key, "object")
        if self._state.accounts.live(key, moment) is None:
            raise not_found(key)
        return key, moment

    def _domains(self, walk: _Walk) -> list[JSON]:
        defaults: dict[str, Any] = {"isVerified": True, "authenticationType": "Managed"}
        return [_shown({**defaults, **domain}, walk.query.select) for domain in self._state.tenant.domains]


def _shown(thing: State, names: tuple[str, ...] | None) -> JSON:
    return dict(thing) if names is None else {name: thing[name] for name in names}
