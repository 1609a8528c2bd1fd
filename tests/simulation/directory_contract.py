"""One interface for the directory in memory and the rehearsal's double over HTTP, so that tests can compare them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from b2b.adapters.graph import Graph
from rehearsal.tenant import create_app
from rehearsal.tenant.protocol import auth
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from rehearsal.tenant.tenant import Tenant
from tests.adapters.graph_support import GRAPH, TenantCredential, graph_over
from tests.rehearsal.tenant_support import SEED
from tests.simulation.directory import Directory
from tests.simulation.directory_accounts import USER
from tests.simulation.directory_asking import REDIRECT, Client
from tests.simulation.directory_state import SWITCHES
from tests.simulation.gate import OPEN, Gate
from tests.simulation.graph_client import MemoryGraphAdapter


class World(Client, Protocol):
    """A tenant and a client of it, with what people do to the tenant."""

    @property
    def now(self) -> datetime:
        """Return the time of the tenant, which is also the app's."""

    def advance(self, seconds: float) -> None:
        """Move the clock forward. It stands still otherwise."""

    def set_lag(self, seconds: float) -> None:
        """From the next write on, let reads of accounts and lists of accounts lag by so many seconds."""

    async def act(self, name: str, user_id: str, *given: Any, **more: Any) -> bool:
        """Perform one of the acts of `Directory`; return whether it was possible."""

    def truth(self, user_id: str) -> dict[str, Any] | None:
        """Return the account as the primary holds it."""

    def deleted(self, user_id: str) -> dict[str, Any] | None:
        """Return the account from the recycle bin."""

    def newest_link(self, user_id: str) -> str:
        """Return the secret of the account's newest redeem link."""

    def mails(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return the mails that were sent: account, address, copies."""

    def posts(self) -> list[tuple[str, str, bool, int]]:
        """Return the app's invitations: account, address, whether a mail was asked for, HTTP status."""


Script = Callable[[World], Awaitable[Any]]
POSITIONS: list[dict[str, str]] = [
    {},
    *({name: position} for name, positions in SWITCHES.items() for position in positions[1:]),
]
"""Every position of every switch, one at a time; the other switches are in their default."""


class MemoryWorld:
    """The directory in memory."""

    def __init__(
        self,
        seed: Mapping[str, Any],
        start: datetime,
        switches: Mapping[str, str] | None = None,
        permissions: Iterable[str] | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self.now = start
        granted = {} if permissions is None else {"permissions": permissions}
        deleted = seed.get("deletedUsers", ())
        self.directory = Directory(
            lambda: self.now, seed["users"], switches, deleted=deleted, **granted, **_facts(seed)
        )
        _relate(self.directory, seed)
        self.adapter = MemoryGraphAdapter(self.directory, gate)
        self.graph = Graph(self.adapter, 30.0, lambda: self.now)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def set_lag(self, seconds: float) -> None:
        self.directory.lag = lambda _subject, _kind: seconds

    async def act(self, name: str, user_id: str, *given: Any, **more: Any) -> bool:
        return bool(getattr(self.directory, name)(user_id, *given, **more))

    def truth(self, user_id: str) -> dict[str, Any] | None:
        return self.directory.truth(user_id)

    def deleted(self, user_id: str) -> dict[str, Any] | None:
        return self.directory.deleted(user_id)

    def newest_link(self, user_id: str) -> str:
        return self.directory.tickets_of(user_id)[-1].secret

    def mails(self) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(mail.user_id, mail.address, mail.cc) for mail in self.directory.mails]

    def posts(self) -> list[tuple[str, str, bool, int]]:
        return [(post.user_id, post.address, post.send_message, post.status) for post in self.directory.posts]


class HttpWorld:
    """The rehearsal's double over HTTP. Administrators use Graph, and people use its control plane."""

    def __init__(self, tenant: Tenant, graph: Graph, http: httpx.AsyncClient) -> None:
        self.graph, self._tenant, self._http = graph, tenant, http
        self._by_hand: set[int] = set()

    @property
    def now(self) -> datetime:
        return self._tenant.clock.now()

    def advance(self, seconds: float) -> None:
        self._tenant.clock.advance(seconds)

    def set_lag(self, seconds: float) -> None:
        self._tenant.trouble.replicas.set({"byId": seconds}, self._tenant.directory)

    async def act(self, name: str, user_id: str, *given: Any, **more: Any) -> bool:
        return bool(await getattr(self, f"_{name}")(user_id, *given, **more))

    def truth(self, user_id: str) -> dict[str, Any] | None:
        return _known(self._tenant.directory.users.get(user_id))

    def deleted(self, user_id: str) -> dict[str, Any] | None:
        self._tenant.directory.empty_recycle_bin()
        return _known(self._tenant.directory.deleted_users.get(user_id))

    def newest_link(self, user_id: str) -> str:
        return self._tenant.tickets.of(user_id)[-1].secret

    def mails(self) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(mail.userId, mail.address, tuple(mail.cc)) for mail in self._tenant.outbox.mails]

    def posts(self) -> list[tuple[str, str, bool, int]]:
        return [
            (
                entry.body["invitedUser"]["id"],
                entry.body["invitedUserEmailAddress"],
                entry.body["sendInvitationMessage"],
                entry.status or 0,
            )
            for entry in self._tenant.journal.entries
            if entry.path.endswith("/invitations") and entry.number not in self._by_hand
        ]

    async def _redeem(
        self,
        user_id: str,
        secret: str | None = None,
        provider: str = "ExternalAzureAD",
        signed_in: str | None = None,
    ) -> bool:
        more = {"ticket": secret, "signedIn": signed_in}
        body = {"userId": user_id, "identityProvider": provider, **{name: text for name, text in more.items() if text}}
        return (await self._http.post(f"{GRAPH}/_sim/redeem", json=body)).is_success

    async def _delete(self, user_id: str) -> bool:
        return await self._send("DELETE", f"users/{user_id}")

    async def _restore(self, user_id: str) -> bool:
        return await self._send("POST", f"directory/deletedItems/{user_id}/restore")

    async def _purge(self, user_id: str) -> bool:
        return await self._send("DELETE", f"directory/deletedItems/{user_id}")

    async def _rename(self, user_id: str, upn: str) -> bool:
        return await self._change(user_id, userPrincipalName=upn)

    async def _change(self, user_id: str, **properties: Any) -> bool:
        return await self._send("PATCH", f"users/{user_id}", properties)

    async def _disable(self, user_id: str) -> bool:
        return await self._change(user_id, accountEnabled=False)

    async def _enable(self, user_id: str) -> bool:
        return await self._change(user_id, accountEnabled=True)

    async def _reset_redemption(self, user_id: str) -> bool:
        return await self._invited(user_id, resetRedemption=True)

    async def _invite_by_hand(self, user_id: str, *, mail: bool) -> bool:
        return await self._invited(user_id, sendInvitationMessage=mail)

    async def _relate(self, user_id: str, relation: str, held: Sequence[str]) -> bool:
        """Change a relation for which the double serves no call of Graph."""
        self._tenant.directory.relate(user_id, {"manager": "managers"}[relation], next(iter(held), None))
        return True

    async def _set_groups(self, user_id: str, groups: Sequence[str]) -> bool:
        self._tenant.directory.relate(user_id, "parents", list(groups))
        return True

    async def _invited(self, user_id: str, **more: Any) -> bool:
        user = self._tenant.directory.users.get(user_id, {"mail": None})
        body = {"invitedUserEmailAddress": user["mail"], "inviteRedirectUrl": REDIRECT, "invitedUser": {"id": user_id}}
        self._by_hand.add(len(self._tenant.journal.entries) + 1)
        return await self._send("POST", "invitations", {**body, **more})

    async def _send(self, method: str, path: str, body: Any = None) -> bool:
        clock, tenant_id = self._tenant.clock, self._tenant.policies.tenant_id
        token = auth.issue(GRAPH, tenant_id=tenant_id, client_id=None, roles=DEFAULT_ROLES, clock=clock)
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return (await self._http.request(method, f"{GRAPH}/v1.0/{path}", json=body, headers=headers)).is_success


def _relate(directory: Directory, seed: Mapping[str, Any]) -> None:
    """Give the accounts the relations that a seed of the rehearsal contains."""
    names = directory.access.names
    for user_id, manager in seed.get("managers", {}).items():
        directory.relate(user_id, "manager", [manager], ever=True)
    for user_id, sponsors in seed.get("sponsors", {}).items():
        directory.relate(user_id, "sponsors", sponsors, ever=True)
    for relation in ("ownedObjects", "registeredDevices"):
        for user_id, things in seed.get(relation, {}).items():
            names |= {thing["id"]: thing["displayName"] for thing in things if "displayName" in thing}
            directory.relate(user_id, relation, [thing["id"] for thing in things], ever=True)
    for user_id, roles in seed.get("appRoleAssignments", {}).items():
        names |= {role["resourceId"]: role["resourceDisplayName"] for role in roles}
        held = [f"{role['resourceId']}/{role['appRoleId']}" for role in roles]
        directory.relate(user_id, "appRoles", held, ever=True)


def _known(user: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if user is None else {name: user[name] for name in USER}


def _facts(seed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a seed of the rehearsal, under the names that the directory in memory uses."""
    lists, cross_tenant = seed.get("b2bManagementPolicy") or {}, seed.get("crossTenantAccessPolicy") or {}
    given = {
        "tenant_id": seed["tenantId"],
        "domains": seed["domains"],
        "federated_partners": seed.get("samlOrWsFedDomains"),
        "home_tenants": seed.get("homeTenants"),
        "allow_invites_from": (seed.get("authorizationPolicy") or {}).get("allowInvitesFrom"),
        "inbound": (cross_tenant.get("default") or {}).get("b2bCollaborationInbound"),
        "partners": cross_tenant.get("partners"),
        "allowed_domains": lists.get("allowedDomains"),
        "blocked_domains": lists.get("blockedDomains"),
        "contacts": seed.get("contacts"),
        "groups": seed.get("groups"),
        "roles": seed.get("directoryRoles"),
        "role_assignments": seed.get("roleAssignments"),
        "role_eligibilities": seed.get("roleEligibilitySchedules"),
    }
    return {
        name: list(value) if isinstance(value, list) else value for name, value in given.items() if value is not None
    }


@asynccontextmanager
async def http_world(
    seed: Mapping[str, Any], switches: Mapping[str, str] | None = None, permissions: Iterable[str] | None = None
) -> AsyncIterator[tuple[HttpWorld, Tenant]]:
    """Yield the double, served over HTTP without a port. Its clock stands still."""
    app = create_app(seed, switches=switches, roles=permissions)
    tenant: Tenant = app.state.tenant
    tenant.clock.freeze()
    transport = httpx.ASGITransport(app)
    async with (
        graph_over(transport, credential=TenantCredential(app), clock=tenant.clock.now) as graph,
        httpx.AsyncClient(transport=transport) as http,
    ):
        yield HttpWorld(tenant, graph, http), tenant


async def both(
    script: Script,
    seed: Mapping[str, Any] = SEED,
    switches: Mapping[str, str] | None = None,
    permissions: Iterable[str] | None = None,
) -> Any:
    """Run a script against the double and against the directory in memory; assert equal outcomes, and return one."""
    async with http_world(seed, switches, permissions) as (world, tenant):
        memory = MemoryWorld(seed, tenant.clock.now(), switches, permissions)
        expected = await script(world)
        assert tenant.journal.violations == []
    found = await script(memory)
    assert found == expected
    return found
