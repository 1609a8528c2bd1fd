"""Any history of requests, deliveries, people and trouble; what it must never lead to stands in `invariants`."""

import asyncio
import json
import sys
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from b2b.domain.answers import Reply
from rehearsal.tenant import RunningTenant
from tests.faults.points import KINDS
from tests.stateful.calls import HANG, Trouble
from tests.stateful.host import Host, Storage
from tests.stateful.invariants import Scene, at_any_time, at_rest, told
from tests.stateful.people import OVERRIDES, PEOPLE, Person

LONG = 4_000
"""Seconds: longer than the sweep lets a pointer stand that points nowhere."""
MOST_ROUNDS = 12
"""Wait, deliver all, sweep: a history that is not at rest after so many rounds goes in circles."""
WORD = json.dumps({"approvedBy": "ops@contoso.example", "reason": "known supplier"}).encode()
PICKS = st.integers(0, 11)
"""Which of those that there are, counted round."""
FLAVOURS: dict[str, dict[str, Any]] = {"plain": {}, "dry": {"dryRun": True}, "silent": {"sendInvitationMessage": False}}


class Ask(NamedTuple):
    """A request: for whom, under which of its names, what else it says, and by which way."""

    person: Person
    name: str
    flavour: str
    way: str


ASKS = st.builds(
    Ask,
    st.sampled_from(PEOPLE),
    st.sampled_from(["id", "id", "userPrincipalName", "mail"]),
    st.sampled_from(["plain", "plain", *FLAVOURS]),
    st.sampled_from(["queue", "http", "queue without an id"]),
)
SIDES = [(kind, when) for kind, sides in (*KINDS.items(), (HANG, ("before", "after"))) for when in sides]
TROUBLES = st.builds(
    lambda side, first, length: Trouble(side[0], side[1], first, 1 if side[0] in {HANG, "kill"} else length),
    st.sampled_from(SIDES),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
)
THROTTLES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["429-integer", "429-fraction", "429-date", "503-retry-after"]),
        "seconds": st.sampled_from([2, 45, 700]),
        "when": st.sampled_from(["before", "after"]),
        "path": st.sampled_from(["/invitations", "batch", ""]),
        "nth": st.just(1),
    }
)
"""Graph asks for a wait and remembers it, though it may have done the work."""
Ill = Trouble | dict[str, Any] | None
ILLS: st.SearchStrategy[Ill] = st.none() | TROUBLES | TROUBLES | THROTTLES


class Conversions(RuleBasedStateMachine):
    """One tenant, one storage account, one app whose instances come and go."""

    def __init__(self, tenant: RunningTenant, storage: Storage) -> None:
        super().__init__()
        storage.empty()
        tenant.control.reset()
        self.loop = asyncio.Runner()
        self.host = Host(
            tenant,
            storage,
            {
                "B2BStorage": storage.connection_string,
                "GRAPH_BASE_URL": tenant.graph_url,
                "B2B_MODE": "convert",
                "B2B_SWEEP_SCHEDULE": "0 */10 * * * *",
                "B2B_RULE_OVERRIDES": OVERRIDES,
            },
        )
        self.control, self.storage = tenant.control, storage
        self.bodies: list[dict[str, Any]] = []
        self.taken: set[str] = set()
        self.scene = Scene(storage.ledger(), tenant.control)

    @initialize(asks=st.lists(ASKS, min_size=1, max_size=4), lag=st.sampled_from([0, 20, 250]))
    def begin(self, asks: list[Ask], lag: int) -> None:
        """Some requests are there, and reads lag behind writes; within the replication window of 300 seconds."""
        self.control.set_lag(lag, lag + 40 if lag else 0)
        for ask in asks:
            self._ask(ask)

    @rule(ask=ASKS, ill=ILLS)
    def request(self, ask: Ask, ill: Ill) -> None:
        self._fall(ill)
        self._ask(ask)

    @rule(pick=PICKS, ill=ILLS)
    def repeat(self, pick: int, ill: Ill) -> None:
        """The caller did not hear the answer, or presses the button twice."""
        self._fall(ill)
        self._post(self._of(self.bodies, pick))

    @precondition(lambda self: self.host.messages)
    @rule(pick=PICKS, ill=ILLS)
    def deliver(self, pick: int, ill: Ill) -> None:
        self._fall(ill)
        self.loop.run(self.host.deliver(self._of(self.host.messages, pick)))

    @precondition(lambda self: self.host.messages)
    @rule(ill=ILLS)
    def deliver_all(self, ill: Ill) -> None:
        """Each of those that are there now, in order of their time."""
        self._fall(ill)
        self._deliver_all()

    def _deliver_all(self) -> None:
        for message in sorted(self.host.messages, key=lambda message: message.due):
            if message in self.host.messages:
                self.loop.run(self.host.deliver(message))

    @precondition(lambda self: self.host.messages)
    @rule(pick=PICKS)
    def duplicate(self, pick: int) -> None:
        """The queue delivers at least once."""
        self.host.duplicate(self._of(self.host.messages, pick))

    @precondition(lambda self: self.host.messages)
    @rule(pick=PICKS)
    def poison(self, pick: int) -> None:
        """Its neighbours crash the process every time that this message is at work."""
        self.host.give_up(self._of(self.host.messages, pick))

    @precondition(lambda self: self.host.slow is not None)
    @rule(dead=st.booleans())
    def resume(self, *, dead: bool) -> None:
        """The call that hangs is answered, or its instance dies over it."""
        self.loop.run(self.host.resume(dead=dead))

    @precondition(lambda self: self._pending())
    @rule(pick=PICKS)
    def redeem(self, pick: int) -> None:
        self.control.redeem(self._of(self._pending(), pick))

    @rule(ill=ILLS)
    def sweep(self, ill: Ill) -> None:
        self._fall(ill)
        self.loop.run(self.host.sweep())

    @rule(seconds=st.sampled_from([20, 70, 310, 2_000, 7_200, 90_000]))
    def pass_time(self, seconds: int) -> None:
        self.loop.run(self.host.pass_time(seconds))

    @rule(paused=st.sampled_from(["false", "true"]), mode=st.sampled_from(["convert", "convert", "assess"]))
    def restart(self, paused: str, mode: str) -> None:
        self.loop.run(self.host.restart(B2B_PAUSED=paused, B2B_MODE=mode))

    @precondition(lambda self: self._undecided())
    @rule(pick=PICKS)
    def decide(self, pick: int) -> None:
        """A person retries what failed or was blocked, or approves what needs review."""
        key, stage = self._of(self._undecided(), pick)
        if stage == "needsReview":
            self.loop.run(self.host.ask(lambda app: app.api.approve(key, WORD, ""), self._heard))
        else:
            self.loop.run(self.host.ask(lambda app: app.api.retry(key, ""), self._heard))

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.scene = Scene(self.storage.ledger(), self.control)
        self._blame([*at_any_time(self.scene), *self.host.breakages])

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._run_on()
                wrong = [*at_any_time(self.scene), *at_rest(self.scene, self.taken), *self.host.breakages]
                self._blame([*wrong, *self._unheard(), *self.loop.run(self._told())])
        finally:
            self.loop.run(self.host.close())
            self.loop.close()

    def _run_on(self) -> None:
        """No more trouble, all in order, and time: until a round finds nothing to do."""
        self.host.weather.set(None)
        self.control.clear_faults()
        self.loop.run(self.host.resume())
        self.loop.run(self.host.restart(B2B_PAUSED="false", B2B_MODE="convert"))
        for _ in range(MOST_ROUNDS):
            self.loop.run(self.host.pass_time(LONG))
            busy = bool(self.host.messages)
            while self.host.messages:
                self._deliver_all()
            self.loop.run(self.host.poison_is_visible())
            before = self.storage.ledger()
            self.loop.run(self.host.sweep())
            self.scene = Scene(self.storage.ledger(), self.control)
            if not busy and not self.host.messages and self.scene.ledger == before:
                return
        self._blame(["it goes in circles"])

    def _unheard(self) -> list[str]:
        """Requests without an id of their own are found by their body."""
        kept = [json.loads(row["body"]) for row in self.scene.requests().values() if row.get("body")]
        return [f"{body} is lost" for body in self.bodies if "requestId" not in body and body not in kept]

    async def _told(self) -> list[str]:
        """Ask over HTTP about everything in the ledger."""
        api = self.host.running().services.api
        wrong: list[str] = []
        for key, row in self.scene.requests().items():
            replies = await api.status(key, ""), await api.operation(key, "")
            wrong += told(*replies, row, self.scene.state(row.get("userId", "")))
        return wrong

    def _ask(self, ask: Ask) -> None:
        body: dict[str, Any] = {"invitedUser": {ask.name: ask.person.named_by(ask.name)}, **FLAVOURS[ask.flavour]}
        if ask.way != "queue without an id":
            body["requestId"] = f"r{len(self.bodies) + 1}"
        self.bodies.append(body)
        if ask.way == "http":
            self._post(body)
        else:
            self.host.send(json.dumps(body))
            self.taken |= {body["requestId"]} if "requestId" in body else set()

    def _fall(self, ill: Ill) -> None:
        """Let trouble lie ahead; what lay there before stays, unless this is of the same sort."""
        if isinstance(ill, dict):
            self.control.set_faults([ill])
        elif ill is not None:
            if ill.kind == HANG:
                self.loop.run(self.host.resume())
            self.host.weather.set(ill)

    def _pending(self) -> list[str]:
        users = self.control.users()
        return sorted(user["id"] for user in users if user["externalUserState"] == "PendingAcceptance")

    def _post(self, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.loop.run(self.host.ask(lambda app: app.api.submit(raw, ""), self._heard))

    def _heard(self, reply: Reply) -> None:
        if reply.status == 202:
            self.taken.add(reply.body["requestId"])

    def _undecided(self) -> list[tuple[str, str]]:
        found = {key: row["stage"] for key, row in self.scene.requests().items()}
        return sorted((key, stage) for key, stage in found.items() if stage in {"failed", "blocked", "needsReview"})

    def _blame(self, wrong: list[str]) -> None:
        assert not wrong, "\n".join(wrong)

    def _of(self, things: list[Any], pick: int) -> Any:
        return things[pick % len(things)]
