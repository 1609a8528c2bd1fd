"""Make the probe's test accounts, wait until the service shows them reliably, and remove them for good.

Each test account has two marks: the prefix of its name, and `TAG`. The probe touches no account that lacks one of them,
unless Graph named the account in an answer to one of the probe's own calls.
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
"""The second mark of a test account, in `companyName`."""
IN_A_ROW = 3
"""How many reads in a row must agree. Replicas answer in turn, and one read says nothing about the other replicas."""
FRESH = timedelta(hours=1)
"""If a test account is younger than this and not in this probe's file, a probe may be running elsewhere."""
NOT_FOUND = 404
STATE = "id,userPrincipalName,displayName,companyName,mail,jobTitle,userType,creationType,externalUserState,identities"
MARKS = "id,userPrincipalName,displayName,companyName,createdDateTime"

User = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A test account with the properties with which it was made."""

    id: str
    name: str
    mail: str
    entry: Entry


class CannotRemove(ProbeError):
    """The service refused to remove a test account, or the account lacks the marks. Retry: with `--clean`."""


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
        """Return a name that no account has."""
        self._made += 1
        return f"{PREFIX}{self._run}-{self._made}"

    def create(self, mail: str, *, other_mails: Iterable[str] = (), **properties: Any) -> Account:
        """Make a test account, and wait until several reads in a row show it.

        Raises:
            Unclear: the service refused to make the account, or did not show it reliably in time.

        """
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
        """Return the account as one read shows it; None if Graph did not return it."""
        answer = self._graph.ask(READ_USER, id=account.id, query={"$select": select})
        return answer.body if answer.good else None

    def wait_for(self, account: Account, wanted: Callable[[User], bool], select: str = STATE) -> float | None:
        """Wait until some reads in a row show what ``wanted`` accepts.

        Return the seconds until the first of these reads; None if the reads did not agree in time.
        """
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
        """Wait until a service plan is active on an account. Return False if it was not active in time."""

        def active(user: User) -> bool:
            return any(
                found["servicePlanId"].lower() == plan and found["capabilityStatus"] == "Enabled"
                for found in user["assignedPlans"]
            )

        return self.wait_for(account, active, select="id,assignedPlans") is not None

    def adopt_guest(self, identifier: str, address: str) -> bool:
        """Note a guest that an invitation has created in addition to the test account, so that the guest is removed.

        Return False if the account is not such a guest.
        """
        for _ in self._while_patient():
            answer = self._graph.ask(READ_USER, id=identifier, query={"$select": STATE})
            if answer.good:
                made: bool = answer.body["creationType"] == "Invitation" and answer.body["mail"] == address
                if made:
                    self._leftovers.note(Entry(identifier, self._clock.now().isoformat(), identifier))
                return made
        return False

    def delete(self, account: Account) -> None:
        """Move an account to the recycle bin, and wait until several reads in a row no longer show it.

        Raises:
            Unclear: reads still show the account after the time for replication.
            CannotRemove: the service refused to delete the account.

        """
        self._done(DELETE_USER, account.id)
        gone = 0
        for _ in self._while_patient():
            gone = gone + 1 if self._missing(READ_USER, account.id) else 0
            if gone == IN_A_ROW:
                return
        raise Unclear(f"a deleted account could still be read after {self._patience:.0f} s")

    def remove(self, entries: Iterable[Entry]) -> None:
        """Delete accounts, also from the recycle bin, and remove their entries from the file.

        Raises:
            CannotRemove: the service refused to delete an account, or the account lacks the marks. The entry stays.

        """
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
        """Remove the accounts that an earlier run left: those in the file, and those with both marks. Return how many.

        Raises:
            ProbeError: another probe seems to be running in this tenant. Wait until it has ended, or pass
                ``take_over``.

        """
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
        """Return the id of an account that was created although the first answer was lost.

        The probe then repeats the call, and Graph refuses it because the name is taken.

        Raises:
            Unclear: the service refused to create the account.

        """
        identifier = self._find(entry) if "userPrincipalName" in answer.message else None
        if identifier is None:
            self._leftovers.drop(entry)
            raise Unclear(f"the test account was refused: {answer.short}", answer)
        return identifier

    def _find(self, entry: Entry) -> str | None:
        """Return the id of an account by its name; None if the account has not appeared in the time for replication.

        Raises:
            CannotRemove: an account with this name lacks the probe's marks, so it stays.

        """
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
            # The account is not in the bin yet, or is gone already. Several reads have to agree that it is gone.
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
        """Yield a number for each try, with pauses between the tries, until the probe's patience is over.

        The patience counts from ``since``, by default from now. At least one number is yielded.
        """
        begun, pause, turn = since or self._clock.now(), 1.0, 0
        while True:
            yield turn
            turn += 1
            if self._clock.now() - begun > timedelta(seconds=self._patience):
                return
            self._clock.sleep(pause)
            pause = min(pause * 1.5, 10.0)

    def _marked(self) -> list[User]:
        """Return the accounts with both marks, deleted ones included, except those that this run has removed.

        Raises:
            ProbeError: Graph did not list the accounts.

        """
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
