"""The control plane under `/_sim`: what a rehearsal does to the tenant from outside, and what it may look at.

None of it is Graph. Answers are JSON; a request that makes no sense is 400, an unknown user 404, nothing to redeem 409.
"""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.tenant.control.endpoints import reader, refused, writer
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.directory.tickets import ticket_of
from rehearsal.tenant.invitations.redemption import NothingToRedeemError, redeem
from rehearsal.tenant.switches import Switches
from rehearsal.tenant.tenant import Tenant

DEFAULT_PROVIDER = "ExternalAzureAD"


def user_state(tenant: Tenant, identifier: str) -> JSON | None:
    """A user as the primary holds it, deleted or not, with all it is related to and its redeem links."""
    directory = tenant.directory
    key = identifier.lower()
    user = directory.users.get(key) or directory.deleted_users.get(key)
    if user is None:
        return None
    containers = list(directory.containers(key, transitive=False))
    return {
        **user,
        "groups": [thing["id"] for kind, thing in containers if kind == "group"],
        "directoryRoles": [thing["id"] for kind, thing in containers if kind == "directoryRole"],
        "roleAssignments": [a for a in directory.role_assignments if a["principalId"].lower() == key],
        "appRoleAssignments": directory.app_role_assignments.get(key, []),
        "sponsors": directory.sponsors.get(key, []),
        "manager": directory.managers.get(key),
        "ownedObjects": [thing["object"]["id"] for thing in directory.owned_objects.get(key, [])],
        "registeredDevices": [thing["object"]["id"] for thing in directory.registered_devices.get(key, [])],
        "tickets": [asdict(ticket) for ticket in tenant.tickets.of(user["id"])],
    }


class ControlPlane:
    """The endpoints over one tenant. What it reads is looked up at each call, since a reset replaces the state."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """The control plane as routes."""
        readers = {
            "totals": self.totals,
            "violations": self.violations,
            "mails": self.mails,
            "users": self.users,
            "changes": self.changes,
            "switches": self.switches,
            "roles": self.roles,
            "clock": self.clock,
        }
        writers = {
            "redeem": self.redeem,
            "switches": self.set_switches,
            "roles": self.set_roles,
            "clock": self.set_clock,
            "reset": self.reset,
        }
        return [
            *(Route(f"/_sim/{name}", reader(read), methods=["GET"]) for name, read in readers.items()),
            *(Route(f"/_sim/{name}", writer(write), methods=["POST"]) for name, write in writers.items()),
            Route("/_sim/journal", self.journal, methods=["GET"]),
            Route("/_sim/users/{id}", self.user, methods=["GET"]),
            Route("/_sim/", self.listing, methods=["GET"]),
        ]

    async def listing(self, request: Request) -> Response:
        """Every route of the control plane, with its methods."""
        routes = [route for route in request.app.routes if isinstance(route, Route) and route.path.startswith("/_sim/")]
        listed = sorted(
            (route.path, method) for route in routes for method in (route.methods or ()) if method != "HEAD"
        )
        return JSONResponse([f"{method} {path}" for path, method in listed])

    async def journal(self, request: Request) -> Response:
        """Every Graph call, in order; with `?after=n` those behind the n-th."""
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            return refused(400, "after is the number of a call")
        return JSONResponse(self._tenant.journal.as_json(int(after)))

    def totals(self) -> dict[str, int]:
        """How many Graph calls there were."""
        return self._tenant.journal.totals()

    def violations(self) -> list[JSON]:
        """Calls that no right client makes."""
        return self._tenant.journal.violations_as_json()

    def mails(self) -> list[JSON]:
        """Invitation mails that went out."""
        return self._tenant.outbox.as_json()

    def users(self) -> list[JSON]:
        """All users, those in the recycle bin as well."""
        directory = self._tenant.directory
        return [*directory.users.values(), *directory.deleted_users.values()]

    def changes(self) -> list[JSON]:
        """Every write to a user."""
        return [asdict(change) for change in self._tenant.directory.log]

    def switches(self) -> dict[str, str]:
        """Positions of all switches."""
        return self._tenant.switches.positions()

    def roles(self) -> list[str]:
        """Application permissions of new tokens."""
        return sorted(self._tenant.roles)

    def clock(self) -> JSON:
        """The tenant's time, and whether it stands still."""
        return {"now": self._tenant.clock.stamp(), "frozen": self._tenant.clock.frozen}

    async def user(self, request: Request) -> Response:
        """One user, whole."""
        state = user_state(self._tenant, request.path_params["id"])
        return refused(404, "there is no such user") if state is None else JSONResponse(state)

    def redeem(self, body: JSON) -> Response:
        """Open a redeem link: the `link` itself, or of `userId` the newest one or that with the `ticket`.

        `signedIn` is the address of another account than the invited one.
        """
        if "link" in body:
            body = body | ticket_of(str(body["link"]))
        user_id = str(body["userId"])
        if user_id.lower() not in self._tenant.directory.users:
            return refused(404, f"there is no user {user_id!r}")
        provider = body.get("identityProvider", DEFAULT_PROVIDER)
        try:
            secret, signed_in = body.get("ticket"), body.get("signedIn")
            user = redeem(self._tenant, user_id=user_id, provider=provider, secret=secret, signed_in=signed_in)
        except NothingToRedeemError as error:
            return refused(409, str(error))
        return JSONResponse(user)

    def set_switches(self, body: JSON) -> Response:
        """Put switches into positions: all of them, or none if one is wrong."""
        Switches(self.switches() | body)
        for name, position in body.items():
            self._tenant.switches.set(name, position)
        return JSONResponse(self.switches())

    def set_roles(self, body: JSON) -> Response:
        """Change the permissions of tokens issued from now on: everybody's, or those of one `clientId`."""
        client_id = body.get("clientId")
        if client_id is not None:
            self._tenant.roles_by_client[str(client_id)] = frozenset(body["roles"])
            return JSONResponse(sorted(body["roles"]))
        self._tenant.roles = frozenset(body["roles"])
        return JSONResponse(self.roles())

    def set_clock(self, body: JSON) -> Response:
        """Move the clock forward by `advance` seconds; let it stand still or run (`frozen`)."""
        if not body or body.keys() - {"advance", "frozen"}:
            raise ValueError("the clock takes advance, frozen, or both")
        clock = self._tenant.clock
        clock.advance(float(body.get("advance", 0)))
        if body.get("frozen", clock.frozen):
            clock.freeze()
        else:
            clock.run()
        return JSONResponse(self.clock())

    def reset(self, body: JSON) -> Response:
        """Start over."""
        self._tenant.reset(body.get("seed"))
        return JSONResponse(self.clock())
