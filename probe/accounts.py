"""The probe's own accounts: made with two marks, watched until the service agrees on them, and removed for good.

No account is touched that lacks either mark, unless the answer to one of the probe's own calls named it.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from probe.calls import CREATE_USER, DELETE_USER, LIST_DELETED, LIST_USERS, PURGE_USER, READ_DELETED, READ_USER, Call
from probe.clock import Clock
from probe.errors import ProbeError, Unclear
from probe.graph import Answer, Graph, Meter
from probe.leftovers import Entry, Leftovers

PREFIX = "b2b-probe-"
TAG = "B2B conversion probe: safe to delete"
"""The second mark, in `companyName`."""
IN_A_ROW = 3
"""Reads in a row that must agree: replicas answer in turn, and one that is up to date says nothing about the others."""
FRESH = timedelta(hours=1)
"""A marked account that is younger and unknown here may belong to a probe that is at work elsewhere."""
NOT_FOUND = 404
STATE = "id,userPrincipalName,displayName,companyName,mail,jobTitle,userType,creationType,externalUserState,identities"
MARKS = "id,userPrincipalName,displayName,companyName,createdDateTime"

User = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A test account as it was made."""

    id: str
    name: str
    mail: str
    entry: Entry


class CannotRemove(ProbeError):
    """The service refuses to remove a test account."""


class Accounts:
    """Makes, watches and removes test accounts in one tenant."""

    def __init__(
        self, graph: Graph, clock: Clock, meter: Meter, leftovers: Leftovers, domain: str, patience: float
    ) -> None:
        self._graph = graph
        self._clock = clock
        self._meter = meter
        self._leftovers = leftovers
        self._domain = domain
        self._patience = patience
        self._run = secrets.token_hex(4)
        self._made = 0
        self._gone: set[str] = set()

    def new_name(self) -> str:
        """A name that nobody has."""
        self._made += 1
        return f"{PREFIX}{self._run}-{self._made}"

    def create(self, mail: str, *, other_mails: Iterable[str] = (), **properties: Any) -> Account:
        """Make an account, and wait until reads agree that it is there."""
        nickname = self.new_name()
        name = f"{nickname}@{self._domain}"
        entry = Entry(name, self._clock.now().isoformat())
        self._leftovers.note(entry)
        body = {
            "accountEnabled": True,
            "displayName": nickname,
            "mailNickname": nickname,
            "userPrincipalName": name,
            "companyName": TAG,
            "mail": mail,
            "otherMails": list(other_mails),
            # A password that nobody will ever know.
            "passwordProfile": {"password": secrets.token_urlsafe(32) + "aA1!", "forceChangePasswordNextSignIn": True},
            **properties,
        }
        answer = self._graph.ask(CREATE_USER, body=body)
        entry.id = answer.body["id"] if answer.good else self._made_after_all(entry, answer)
        self._leftovers.note(entry)
        account = Account(entry.id, name, mail, entry)
        seconds = self.wait_for(account, lambda user: user["mail"] == mail)
        if seconds is None:
            raise Unclear(f"a new account could not be read reliably for {self._patience:.0f} s")
        self._meter.took("newAccount", seconds)
        return account

    def read(self, account: Account, select: str = STATE) -> User | None:
        """The account as one read shows it; None where it is not found."""
        answer = self._graph.ask(READ_USER, id=account.id, query={"$select": select})
        return answer.body if answer.good else None

    def wait_for(self, account: Account, wanted: Callable[[User], bool], select: str = STATE) -> float | None:
        """Read until some reads in a row show what is wanted: the seconds until the first of them, else None."""
        begun, first, agreed, pause = self._clock.now(), 0.0, 0, 1.0
        while True:
            user = self.read(account, select)
            passed = (self._clock.now() - begun) / timedelta(seconds=1)
            agreed = agreed + 1 if user is not None and wanted(user) else 0
            first = passed if agreed == 1 else first
            if agreed == IN_A_ROW:
                return first
            if passed > self._patience:
                return None
            self._clock.sleep(pause)
            pause = 1.0 if agreed else min(pause * 1.5, 10.0)

    def has_plan(self, account: Account, plan: str) -> bool:
        """Wait until a service plan is active on an account."""

        def active(user: User) -> bool:
            return any(
                found["servicePlanId"].lower() == plan and found["capabilityStatus"] == "Enabled"
                for found in user["assignedPlans"]
            )

        return self.wait_for(account, active, select="id,assignedPlans") is not None

    def adopt_guest(self, identifier: str, address: str) -> bool:
        """Write down a guest that an invitation has made beside the test account; False if it is no such guest."""
        for _ in self._while_patient():
            answer = self._graph.ask(READ_USER, id=identifier, query={"$select": STATE})
            if answer.good:
                made: bool = answer.body["creationType"] == "Invitation" and answer.body["mail"] == address
                if made:
                    self._leftovers.note(Entry(identifier, self._clock.now().isoformat(), identifier))
                return made
        return False

    def delete(self, account: Account) -> None:
        """Move an account to the recycle bin, and wait until reads agree that it is gone."""
        self._done(DELETE_USER, account.id)
        gone = 0
        for _ in self._while_patient():
            gone = gone + 1 if self._missing(READ_USER, account.id) else 0
            if gone == IN_A_ROW:
                return
        raise Unclear(f"a deleted account could still be read after {self._patience:.0f} s")

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove accounts for good, out of the recycle bin too, and strike them out."""
        for entry in entries:
            identifier = entry.id or self._find(entry)
            if identifier is not None:
                entry.id = identifier
                self._leftovers.note(entry)
                self._done(DELETE_USER, identifier)
                entry.where = "recycle bin"
                self._leftovers.note(entry)
                self._purge(identifier)
                self._gone.add(identifier)
            self._leftovers.drop(entry)

    def clean(self, *, take_over: bool) -> int:
        """Remove what an earlier run has left: what the file says, and what bears both marks. Returns how many."""
        known = list(self._leftovers)
        self.remove(known)
        removed = len(known)
        while found := self._marked():
            self._not_at_work(found, take_over=take_over)
            for user in found:
                entry = Entry(user["id"], self._clock.now().isoformat(), user["id"])
                self._leftovers.note(entry)
                self.remove([entry])
            removed += len(found)
        return removed

    def _made_after_all(self, entry: Entry, answer: Answer) -> str:
        """The id of an account whose first answer was lost: the repetition says that the name is taken."""
        identifier = self._find(entry) if "userPrincipalName" in answer.message else None
        if identifier is None:
            self._leftovers.drop(entry)
            raise Unclear(f"the test account was refused: {answer.short}", answer)
        return identifier

    def _find(self, entry: Entry) -> str | None:
        """The id of an account by its name; None once it has had the time to appear and has not."""
        for _ in self._while_patient(datetime.fromisoformat(entry.since)):
            answer = self._graph.ask(READ_USER, id=entry.name, query={"$select": MARKS})
            if answer.good:
                if not _marked(answer.body):
                    raise CannotRemove(f"The account {entry.name} lacks the probe's marks, so the probe leaves it.")
                return str(answer.body["id"])
        return None

    def _purge(self, identifier: str) -> None:
        gone = 0
        for _ in self._while_patient():
            if self._done(PURGE_USER, identifier).good:
                return
            # Not in the bin: not yet there, or gone already. Reads have to agree on the latter.
            missing = self._missing(READ_USER, identifier) and self._missing(READ_DELETED, identifier)
            gone = gone + 1 if missing else 0
            if gone == IN_A_ROW:
                return
            self._done(DELETE_USER, identifier)
        raise CannotRemove(f"The account {identifier} is neither in the directory for good nor gone from it.")

    def _missing(self, call: Call, identifier: str) -> bool:
        return self._graph.ask(call, id=identifier, query={"$select": "id"}).status == NOT_FOUND

    def _done(self, call: Call, identifier: str) -> Answer:
        answer = self._graph.ask(call, id=identifier)
        if not answer.good and answer.status != NOT_FOUND:
            raise CannotRemove(f"{call.name} was refused for a test account: {answer.short}.")
        return answer

    def _while_patient(self, since: datetime | None = None) -> Iterable[int]:
        """Turns with pauses between them, at least one, until patience has passed since then, or since now."""
        begun, pause, turn = since or self._clock.now(), 1.0, 0
        while True:
            yield turn
            turn += 1
            if self._clock.now() - begun > timedelta(seconds=self._patience):
                return
            self._clock.sleep(pause)
            pause = min(pause * 1.5, 10.0)

    def _marked(self) -> list[User]:
        """Accounts with both marks that are not known to be gone, deleted ones too."""
        query = {"$filter": f"startswith(displayName,'{PREFIX}')", "$select": MARKS, "$count": "true", "$top": "999"}
        found: dict[str, User] = {}
        for call in (LIST_USERS, LIST_DELETED):
            answer = self._graph.ask_all(call, query=query, advanced=True)
            if not answer.good:
                raise ProbeError(f"Left-over test accounts cannot be looked for: {call.name} answered {answer.short}.")
            found |= {user["id"]: user for user in answer.body["value"] if _marked(user)}
        return [user for identifier, user in found.items() if identifier not in self._gone]

    def _not_at_work(self, found: Iterable[User], *, take_over: bool) -> None:
        made = [datetime.fromisoformat(user["createdDateTime"]) for user in found if user.get("createdDateTime")]
        if made and not take_over and self._clock.now() - max(made) < FRESH:
            raise ProbeError(
                f"Another probe made a test account in this tenant at {max(made):%H:%M} UTC and may be at work; wait "
                "until it has ended, or remove its accounts with --clean."
            )


def _marked(user: User) -> bool:
    return str(user.get("displayName") or "").startswith(PREFIX) and user.get("companyName") == TAG
