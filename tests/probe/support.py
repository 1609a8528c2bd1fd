"""Run the probe on a rehearsal tenant without a port, with an operator who opens links through the control plane."""

import asyncio
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
from azure.core.credentials import AccessToken, TokenCredential

from probe.operator import Opened
from probe.questions import QUESTIONS, Question
from probe.run import Options, Run
from rehearsal.tenant import create_app
from rehearsal.tenant.control.client import Control
from tests.rehearsal.tenant_support import SEED

GRAPH = "https://graph.microsoft.com"
ADDRESS, SECOND = "olga@fabrikam.com", "piet@fabrikam.com"
FULL = (
    "User.ReadWrite.All",
    "User.Invite.All",
    "Domain.Read.All",
    "Policy.Read.All",
    "Policy.Read.B2BManagementPolicy",
    "IdentityProvider.Read.All",
    "RoleEligibilitySchedule.Read.Directory",
    "LicenseAssignment.Read.All",
)
INVITER, WRITER, READER = "inviter", "writer", "reader"
OTHERS = {INVITER: ["User.Invite.All"], WRITER: ["User.ReadWrite.All"], READER: ["User.Read.All"]}
SKU = {
    "skuId": "4b9405b0-7788-4568-add1-99614e613b69",
    "skuPartNumber": "EXCHANGESTANDARD",
    "prepaidUnits": {"enabled": 1},
    "servicePlans": [
        {"servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "servicePlanName": "EXCHANGE_S_STANDARD"},
        {"servicePlanId": "113feb6c-3fe4-4440-bddc-54d774bf0318", "servicePlanName": "EXCHANGE_S_FOUNDATION"},
    ],
}
TENANT: dict[str, Any] = SEED | {"subscribedSkus": [SKU]}
RESTRICTED = TENANT | {"authorizationPolicy": {"allowInvitesFrom": "adminsAndGuestInviters"}}


class Killed(BaseException):
    """Raised in place of a kill of the probe's process."""


class Wire(httpx.BaseTransport):
    """A transport to the tenant without a port. Its hooks can end the probe at a call, or change calls and answers."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self.sent = 0
        self.let_through()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        graph = not request.url.path.startswith(("/_sim", "/msi"))
        self.sent += graph
        if graph:
            self.before(self.sent)
        served = self.rewrite(request) if graph else request
        response = self._loop.run_until_complete(self._served(served))
        if graph:
            response = self.answer(request, response)
        if graph:
            self.after(self.sent)
        return response

    def let_through(self) -> None:
        """Reset all hooks, so that every call passes unchanged."""
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None
        self.rewrite: Callable[[httpx.Request], httpx.Request] = lambda request: request
        self.answer: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda _, response: response

    async def _served(self, request: httpx.Request) -> httpx.Response:
        request.read()
        again = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        async with httpx.ASGITransport(self._app) as inside:
            response = await inside.handle_async_request(again)
            content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def close(self) -> None:
        """Stay open, because several clients share this transport."""

    def end(self) -> None:
        self._loop.close()


class TenantClock:
    """A clock that shows the tenant's time. Sleeping advances the tenant's clock."""

    def __init__(self, app: Any, control: Control) -> None:
        self._app = app
        self._control = control
        self.waited = 0.0

    def now(self) -> datetime:
        return self._app.state.tenant.clock.now()  # type: ignore[no-any-return]

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._control.advance(seconds)


@dataclass
class Person:
    """An operator who agrees and opens links, or does not."""

    control: Control
    opens: bool = True
    agrees: bool = True
    said: list[str] = field(default_factory=list)
    opened: list[tuple[str, Opened]] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.said.append(line)

    def agree(self, question: str) -> bool:
        self.said.append(question)
        return self.agrees

    def open_link(self, link: str, address: str) -> Opened:
        assert address == ADDRESS
        if not self.opens:
            return "nobody"
        try:
            self.control.open_link(link)
        except httpx.HTTPStatusError:
            self.opened.append((link, "refused"))
            return "refused"
        self.opened.append((link, "accepted"))
        return "accepted"


@dataclass
class Source:
    """A credential with tokens from the tenant's identity endpoint for one application."""

    lab: "Lab"
    client: str

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (f"{GRAPH}/.default",)
        query = {"api-version": "2019-08-01", "resource": GRAPH, "client_id": self.client}
        response = self.lab.http.get(f"{GRAPH}/msi/token", params=query, headers={"X-IDENTITY-HEADER": "any"})
        issued = response.raise_for_status().json()
        return AccessToken(issued["access_token"], int(issued["expires_on"]))


class Lab:
    """A tenant, an operator and a folder, in which a test runs the probe."""

    def __init__(self, folder: Path, seed: Mapping[str, Any] = TENANT) -> None:
        self.folder = folder
        self.app = create_app(seed)
        self.wire = Wire(self.app)
        self.control = Control(GRAPH, self.wire)
        self.http = httpx.Client(transport=self.wire)
        self.clock = TenantClock(self.app, self.control)
        self.person = Person(self.control)
        self.start_over()

    def start_over(self, seed: Mapping[str, Any] | None = None, **switches: str) -> None:
        """Reset the tenant and set these switch positions.

        The main sign-in gets all permissions, and three other sign-ins get fewer.
        """
        self.control.reset(seed)
        for name, position in switches.items():
            self.control.set_switch(name.replace("_", "-"), position)
        self.control.set_roles(FULL, "main")
        for client, roles in OTHERS.items():
            self.control.set_roles(roles, client)
        self.person = Person(self.control)
        self.wire.sent = 0

    def options(self, *only: str, **chosen: Any) -> Options:
        questions = [question for question in QUESTIONS if not only or question.id in only]
        assert len(questions) == (len(only) or len(QUESTIONS))
        options = Options(
            questions=questions,
            addresses=(ADDRESS, SECOND),
            sign_in="main",
            also=tuple(OTHERS),
            result=self.folder / "result.json",
            folder=self.folder / "notes",
        )
        return replace(options, **chosen)

    def run(self, *only: str, **chosen: Any) -> int:
        return self.perform(self.options(*only, **chosen))

    def perform(self, options: Options) -> int:
        def source(form: str) -> TokenCredential:
            return Source(self, form)

        return Run(options, self.person, self.clock, self.http, source).perform()

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "result.json").read_text("utf-8"))
        return found

    def belief(self, identifier: str) -> dict[str, Any]:
        return next(found for found in self.result()["beliefs"] if found["id"] == identifier)

    def strangers(self) -> list[dict[str, Any]]:
        """Return the users, including deleted ones, that are not in the seed."""
        first = {user["id"] for kind in ("users", "deletedUsers") for user in TENANT[kind]}
        return [user for user in self.control.users() if user["id"] not in first]

    def journal(self) -> list[dict[str, Any]]:
        return self.control.journal()

    def killed(self, options: Options, number: int, *, behind: bool) -> None:
        """Run until the call with this number and end as if killed: before the call is sent, or (`behind`) after its
        effect.

        Unlike a killed process, Python still runs the probe's clean-up code. What that writes is undone.
        """
        kept: list[dict[Path, bytes]] = []

        def end() -> None:
            kept.append({path: path.read_bytes() for path in options.folder.glob("*.json")})
            raise Killed

        def before(sent: int) -> None:
            if sent > number or (sent == number and not behind):
                end()

        def after(sent: int) -> None:
            if sent == number and behind:
                end()

        self.wire.sent, self.wire.before, self.wire.after = 0, before, after
        try:
            self.perform(options)
        except Killed:
            for path in options.folder.glob("*.json"):
                path.unlink()
            for path, content in kept[0].items():
                path.write_bytes(content)
        else:
            raise AssertionError(f"the run ended before its call {number}")
        finally:
            self.wire.let_through()

    def interrupted(self, options: Options, number: int) -> int:
        """Run with one Ctrl+C during the call with this number, and return the exit code."""

        def after(sent: int) -> None:
            if sent == number:
                raise KeyboardInterrupt

        self.wire.sent, self.wire.after = 0, after
        try:
            return self.perform(options)
        finally:
            self.wire.let_through()

    def noted(self) -> list[Any]:
        """Return the accounts in the probe's notes."""
        files = (self.folder / "notes").glob("*.json")
        return [entry for path in files for entry in json.loads(path.read_text("utf-8"))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.control.close()
        self.wire.end()


def switched() -> Sequence[tuple[Question, str]]:
    """Return every question with a switch, once for each position."""
    return [(question, position) for question in QUESTIONS if question.switch for position in question.positions]


def seed(**changes: Any) -> dict[str, Any]:
    """Return a copy of the tenant's seed with these changes."""
    return copy.deepcopy(TENANT | changes)
