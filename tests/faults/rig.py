"""A rig for the fault sweep: one app, one tenant and one storage account; the app can die at any call and restart."""

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from b2b import settings as app_settings
from b2b.api.answers import Reply
from b2b.bootstrap import Services, build
from b2b.connection import Storage
from b2b.domain.errors import Transient
from b2b.workflows.intake.receive import Delivery
from rehearsal.history import PREFIX, history
from rehearsal.rig import Rig
from rehearsal.rig.rig import POISON
from rehearsal.storage import QUEUES
from rehearsal.tenant import RunningTenant
from tests.faults.points import Fault, GraphWay, Killed, Points
from tests.faults.storage_way import StorageWay
from tests.faults.tenants import address_of, number_of
from tests.support.breakages import Breakages
from tests.support.client import Client
from tests.support.storage import Message, signed
from tests.support.world import MovingClock, account

MAX_DEQUEUE = 5
LEASE, RETRY = 600.0, 60.0
"""Seconds until the host delivers a message again: after its process died, and after its handler raised."""
TOO_LONG = 60
"""Deliveries after which a case counts as an endless loop."""
MAY_CHANGE = {"externalUserState", "externalUserStateChangeDateTime", "identities"}
"""Properties that an invitation and its redemption may change. The app must not change any other."""
ENDED_UNINVITED = {"blocked", "failed"}

Result = TypeVar("Result")


class BothClocks(MovingClock):
    """Moves the app's clock and the tenant's clock together, so that replicas catch up as the app's time passes."""

    def __init__(self, tenant: RunningTenant) -> None:
        super().__init__()
        self._tenant = tenant

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._tenant.control.advance(seconds)


class FaultRig(Rig):
    """Plays the host: delivers messages when they are due, takes them back after a failure, and moves the clock to
    wait.
    """

    def __init__(self, tenant: RunningTenant, storage: str, settings: Mapping[str, str]) -> None:
        super().__init__(tenant, storage)
        self._settings = settings
        self.clock = BothClocks(tenant)
        self.points = Points(clock=self.clock)
        self.services: Services | None = None
        self.messages: list[Message] = []
        self.breakages = Breakages()
        """Unexpected errors: what the app raised to the host (except `Transient`), and what it caught and logged."""
        self.address = ""
        """The invitation address of the case's account."""
        self.asked_again = 0
        """How often a person approved a review which said that an invitation may have been sent already."""
        self._delays: dict[str, float] = {}
        self._accounts = Counter[str]()
        self._journal = 0
        """The length of the tenant's journal when the case began."""
        logging.getLogger("b2b").addHandler(self.breakages)

    async def close(self) -> None:
        """Stop the process, and stop listening to its log."""
        logging.getLogger("b2b").removeHandler(self.breakages)
        await self.stop()

    async def meet(self, fault: Fault | None, name: str = "") -> None:
        """Stop the app and set up the next case: arm `fault`, if any, for requests called `name`, and forget the last
        case.
        """
        await self.stop()
        self.points = Points(fault, self.clock, name)
        self.breakages.found.clear()
        self.messages.clear()
        self.asked_again = 0
        self._journal += len(self.tenant.control.journal(self._journal))

    def next_account(self, kind: str = "plain") -> str:
        """Return the object id of an account of this kind that no case has used."""
        self._accounts[kind] += 1
        number = number_of(kind, self._accounts[kind])
        self.address = address_of(number)
        return str(account(number)["id"])

    async def stop(self) -> None:
        """Stop the process, if it runs."""
        if self.services is not None:
            services, self.services = self.services, None
            await services.aclose()

    async def post(self, body: bytes) -> None:
        """Send a request by HTTP, as a caller does; repeat it until the app has accepted it."""
        reply = await self._asked(lambda app: Client(app.api).submit(body, ""))
        assert reply.status == 202, reply

    async def approve(self, request_id: str) -> None:
        """Approve the request's review, as an administrator does."""
        findings = {finding["rule"] for finding in (await self.shown(request_id))["findings"]}
        self.asked_again += "outcome-unknown" in findings
        body = b'{"approvedBy": "admin", "reason": "known"}'
        reply = await self._asked(lambda app: Client(app.api).approve(request_id, body, ""))
        # If the answer to the first call was lost, the second call finds that the review is over.
        assert reply.status == 202 or reply.body["error"]["code"] == "NotAwaitingApproval", reply

    async def resend(self, user_id: str) -> None:
        """Resend an invitation as the administrator. A call without an answer is repeated; it is still one decision.

        The answer to the repeated call may be that a mail was just sent, or may have been.
        """
        self.asked_again += 1
        body = b'{"resentBy": "admin", "reason": "it did not arrive"}'
        reply = await self._asked(lambda app: Client(app.api).call("resend_invitation", "", body, "", userId=user_id))
        assert reply.status == 200 or reply.body["error"]["code"] in {"SentJustNow", "GraphRefused"}, reply

    async def shown(self, request_id: str) -> dict[str, Any]:
        """Return what the app answers about a request, without any fault."""
        self.points.observed = True
        try:
            reply = await self._asked(lambda app: Client(app.api).status(request_id, ""))
        finally:
            self.points.observed = False
        return reply.body if reply.status in {200, 202} else {"stage": f"HTTP {reply.status}", "findings": []}

    async def _asked(self, work: Callable[[Services], Awaitable[Reply]]) -> Reply:
        """Call the app by HTTP, and repeat the call while the app answers 503 or dies."""
        for _ in range(TOO_LONG):
            with suppress(Killed):
                reply = await self._let(work)
                if reply.status != 503:
                    return reply
                self.clock.advance(float(reply.headers["Retry-After"]))
        raise AssertionError("the call was never answered")

    def redeem(self, user_id: str) -> None:
        """Redeem the invitation as the invited person, if there is a live link and the account may sign in."""
        user = self.tenant.control.user(user_id)
        live = [ticket for ticket in user["tickets"] if ticket["alive"] and not ticket["redeemed"]]
        if live and user["accountEnabled"]:
            self.tenant.control.redeem(user_id, "ExternalAzureAD")

    async def sweep(self) -> None:
        """Run the sweep once. If the process dies, the next run continues."""
        with suppress(Killed):
            await self._let(lambda app: app.sweep.run())

    async def deliver_all(self) -> None:
        """Deliver every message until the queue is empty."""
        for _ in range(TOO_LONG):
            if not await self.deliver_one():
                return
        raise AssertionError(f"the queue does not get empty: {self.points.calls[-20:]}")

    async def deliver_one(self) -> bool:
        """Move the clock to the next message and deliver it; return False if there is none."""
        self._collect()
        if not self.messages:
            return False
        message = min(self.messages, key=lambda message: message.due)
        self.clock.advance(max((message.due - self.clock()).total_seconds(), 0.0))
        self.messages.remove(message)
        message.tries += 1
        try:
            delivery = Delivery(message.body.encode(), message.id, message.tries)
            await self._let(lambda app: app.receiver.receive(delivery))
        except Killed:
            self._back(message, LEASE)
        except Exception as error:  # noqa: BLE001  whatever the app raises, the host delivers again
            if not isinstance(error, Transient):
                self.breakages.found.append(error)
            self._back(message, RETRY)
        return True

    async def _let(self, work: Callable[[Services], Awaitable[Result]]) -> Result:
        """Run work in the app's process; start the process first if it is not running.

        Raises:
            Killed: the process died, no matter how the app handled that.
        """
        if self.services is None:
            reached = Storage(connection_string=signed(self.storage))
            settings = replace(app_settings.load(self._settings), storage=reached)
            way = partial(StorageWay, self.points, self._delays)
            self.services = build(settings, self.clock, GraphWay(self.points), way)
        try:
            return await work(self.services)
        finally:
            if self.points.dead:
                await self.stop()
                self.points.dead = False
                raise Killed

    def _back(self, message: Message, delay: float) -> None:
        if message.tries >= MAX_DEQUEUE:
            self.send(message.body, POISON)
        else:
            message.due = self.clock() + timedelta(seconds=delay)
            self.messages.append(message)

    def _collect(self) -> None:
        """Fetch all messages from the queue. Each becomes due after the delay that the app asked for."""
        arrived = list(self.queue().receive_messages(messages_per_page=32, visibility_timeout=3600))
        if arrived:
            self.lose_messages()
        now = self.clock()
        self.messages += [
            Message(new.id, new.content, now + timedelta(seconds=self._delays.pop(new.id, 0.0))) for new in arrived
        ]

    async def verdict(self, user_id: str, request_ids: list[str]) -> list[str]:
        """Return what is wrong at the end of a case, as seen from outside; empty if nothing is."""
        wrong, control = list[str](), self.tenant.control
        user, posts = control.user(user_id), self._posts(user_id)
        taken = [post for post in posts if post["status"] == 201]
        mails = [mail for mail in control.mails() if mail["userId"] == user_id]
        if len(mails) > 1 + self.asked_again:
            wrong.append(f"{len(mails)} invitation mails, and {self.asked_again} were asked for again")
        if len(taken) != len(mails):
            wrong.append(f"Graph took {len(taken)} invitations and sent {len(mails)} mails")
        if not posts:
            wrong.append("Graph was not asked to invite anybody")
        expected = ENDED_UNINVITED
        if taken:
            expected = {"completed"} if user["externalUserState"] == "Accepted" else {"invited"}
        if taken and user["accountEnabled"] and expected != {"completed"}:
            wrong.append("the person could not redeem")
        for request_id in request_ids:
            answer = await self.shown(request_id)
            if answer["stage"] not in expected:
                wrong.append(f"{request_id} is {answer['stage']}: {answer.get('waiting') or answer.get('lastError')}")
            wrong += gaps(self.rows("requests", request_id), request_id, answer["stage"])
        wrong += gaps(self.rows("conversions", user_id), "the conversion", *(expected if taken else ()))
        for name in QUEUES:
            if left := self.waiting(name):
                wrong.append(f"{left} messages left in {name}")
        return [*wrong, *self._unlawful(user_id), *self._misbehaved()]

    def _posts(self, user_id: str) -> list[dict[str, Any]]:
        """Return the journal's entries of the POSTs for this account's invitation, with Graph's answers."""
        calls = self.tenant.control.journal(self._journal)
        posts = [call for call in calls if call["method"] == "POST" and call["path"].endswith("/invitations")]
        return [post for post in posts if post["body"]["invitedUser"]["id"].lower() == user_id]

    def _unlawful(self, user_id: str) -> list[str]:
        """Return the forbidden changes that the app made to the directory, and its violations of Graph's API."""
        control = self.tenant.control
        changes = [change for change in control.changes() if change["id"] == user_id]
        wrong = [f"unlawful change: {each}" for each in changes if each["after"].keys() - MAY_CHANGE]
        return [*wrong, *(f"violation: {violation}" for violation in control.violations())]

    def _misbehaved(self) -> list[str]:
        """Return the app's errors and its calls within a wait of Graph; also report a fault that never took place."""
        wrong = [f"the app broke: {error!r}" for error in self.breakages.found]
        wrong += [f"Graph had asked to wait before {label}" for label in self.points.early]
        if self.points.fault is not None and not self.points.reached:
            wrong.append(f"the fault was never met: {len(self.points.calls)} calls were made")
        return wrong


def gaps(rows: list[dict[str, Any]], what: str, *ends: str) -> list[str]:
    """Return what is missing in a history: numbers without gaps, and as last stage one of `ends`, if any are given."""
    events = history(rows)
    numbers = [int(event["RowKey"].removeprefix(PREFIX)) for event in events]
    wrong = [] if numbers == list(range(1, len(numbers) + 1)) else [f"history of {what} has gaps: {numbers}"]
    stages = [event["stage"] for event in events if event.get("stage")]
    if ends and stages[-1:] != list(ends):
        wrong.append(f"history of {what} ends with {stages[-1:]}")
    return wrong


def request_body(request_id: str, user_id: str, address: str | None = None) -> str:
    """Return the body of a request for one account."""
    named = {} if address is None else {"invitedUserEmailAddress": address}
    return json.dumps({"requestId": request_id, "invitedUser": {"id": user_id}, **named})
