"""The control plane under `/_sim`: with it a rehearsal changes the tenant from outside, and looks into it.

Graph has none of these routes. Answers are JSON. A request that makes no sense gets 400, an unknown user 404, and 409
if there is nothing to redeem.
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
    """Return a user of the primary, deleted or not, with its relations and its redeem links; None if unknown."""
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
    """The endpoints of one tenant. Each call looks the state up again, because a reset replaces it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """Return the routes of the control plane."""
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
        """List every route of the control plane, with its methods."""
        routes = [route for route in request.app.routes if isinstance(route, Route) and route.path.startswith("/_sim/")]
        listed = sorted(
            (route.path, method) for route in routes for method in (route.methods or ()) if method != "HEAD"
        )
        return JSONResponse([f"{method} {path}" for path, method in listed])

    async def journal(self, request: Request) -> Response:
        """Return every Graph call in order; with `?after=n` only the calls after the n-th."""
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            return refused(400, "after is the number of a call")
        return JSONResponse(self._tenant.journal.as_json(int(after)))

    def totals(self) -> dict[str, int]:
        """Return the number of Graph calls."""
        return self._tenant.journal.totals()

    def violations(self) -> list[JSON]:
        """Return the calls that no correct client makes."""
        return self._tenant.journal.violations_as_json()

    def mails(self) -> list[JSON]:
        """Return the invitation mails that were sent."""
        return self._tenant.outbox.as_json()

    def users(self) -> list[JSON]:
        """Return all users, including those in the recycle bin."""
        directory = self._tenant.directory
        return [*directory.users.values(), *directory.deleted_users.values()]

    def changes(self) -> list[JSON]:
        """Return every write to a user."""
        return [asdict(change) for change in self._tenant.directory.log]

    def switches(self) -> dict[str, str]:
        """Return the positions of all switches."""
        return self._tenant.switches.positions()

    def roles(self) -> list[str]:
        """Return the application permissions that new tokens hold."""
        return sorted(self._tenant.roles)

    def clock(self) -> JSON:
        """Return the tenant's time, and whether the clock stands still."""
        return {"now": self._tenant.clock.stamp(), "frozen": self._tenant.clock.frozen}

    async def user(self, request: Request) -> Response:
        """Return one user, with everything that `user_state` knows."""
        state = user_state(self._tenant, request.path_params["id"])
        return refused(404, "there is no such user") if state is None else JSONResponse(state)

    def redeem(self, body: JSON) -> Response:
        """Open a redeem link: the given `link`, or the one of `userId` with the given `ticket`, else its newest.

        `signedIn` is the address of the account that redeems, if it is not the invited one.
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
        """Change the permissions in all tokens issued from now on, or only in those of one `clientId`."""
        client_id = body.get("clientId")
        if client_id is not None:
            self._tenant.roles_by_client[str(client_id)] = frozenset(body["roles"])
            return JSONResponse(sorted(body["roles"]))
        self._tenant.roles = frozenset(body["roles"])
        return JSONResponse(self.roles())

    def set_clock(self, body: JSON) -> Response:
        """Move the clock forward by `advance` seconds; stop it or let it run (`frozen`)."""
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
        """Reset the tenant to a seed: the given one, or else the one it was made from."""
        self._tenant.reset(body.get("seed"))
        return JSONResponse(self.clock())
