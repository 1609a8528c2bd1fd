"""What a question works with: accounts, invitations, and the two experiments that several questions share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from probe.accounts import Account, Accounts, User
from probe.calls import CHANGE_USER, CREATE_INVITATION, Call, opened
from probe.clock import Clock
from probe.errors import Skipped, Unclear
from probe.graph import Answer, Graph, Meter
from probe.operator import Operator
from probe.sign_in import Session
from probe.tenant import Tenant

PENDING, ACCEPTED, ERROR = "PendingAcceptance", "Accepted", "Error"
INVITED = 201
REFUSED = (400, 401, 403, 404)
TIMES = 3
"""Invitations of one account that must all stay invisible before the tenant counts as one that does not show them."""
QUIET_SECONDS = 60.0
"""The shortest time that such an invitation is watched, whatever replication seems to be like."""
MARKS_SEEN = 5
"""Reads in a row that show a later write to the same account: by then the invitation should show as well."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has signed in, and Graph as they see it."""

    session: Session
    graph: Graph


@dataclass(frozen=True, slots=True)
class Plain:
    """An ordinary account, and the answer to its first invitation."""

    account: Account
    answer: Answer


@dataclass(frozen=True, slots=True)
class Redemption:
    """A person has opened links: whether the older one still worked, and the account afterwards."""

    account: Account
    user: User
    answer: Answer
    old_link_worked: bool


@dataclass(slots=True)
class Bench:
    """One run's tools. What costs a person's time or a long wait is done once and remembered, failure included."""

    tenant: Tenant
    main: Identity
    others: Sequence[Identity]
    accounts: Accounts
    addresses: Sequence[str]
    operator: Operator | None
    clock: Clock
    meter: Meter
    patience: float
    _memory: dict[str, Any] = field(default_factory=dict)
    own: list[Account] = field(default_factory=list)

    def ask(self, call: Call, *, every_page: bool = False, **how: Any) -> Answer:
        """A call with the main sign-in; the question is skipped where its permission is missing."""
        if self.main.session.who == "application" and not opened(call.permission, self.main.session.permissions):
            raise Skipped(f"the sign-in lacks {call.permission}")
        graph = self.main.graph
        answer = graph.ask_all(call, **how) if every_page else graph.ask(call, **how)
        if answer.code == "Authorization_RequestDenied":
            raise Skipped(f"the sign-in lacks {call.permission}")
        return answer

    def address(self) -> str:
        """An address in the operator's domain that nobody has. No mail is ever sent to it."""
        return f"{self.accounts.new_name()}@{self.addresses[0].rpartition('@')[2]}"

    def account(self, mail: str, **how: Any) -> Account:
        """An account that is removed when the question has been asked."""
        made = self.accounts.create(mail, **how)
        self.own.append(made)
        return made

    def invite(self, account: Account, address: str | None = None, *, by: Graph | None = None, **more: Any) -> Answer:
        """Invite a test account, without a mail unless `more` asks for one.

        An invitation that is answered with the status Error, or that invites another account, has not been made.
        """
        for _ in range(TIMES):
            answer = self.send(account.id, address or account.mail, by=by, **more)
            if not (answer.good and answer.body.get("status") == ERROR):
                break
        else:
            raise Unclear(f"the invitation was answered {answer.short} with the status {ERROR}, time and again", answer)
        named = answer.body.get("invitedUser", {}).get("id") if answer.good else account.id
        if named != account.id:
            guest = self.accounts.adopt_guest(named, address or account.mail)
            what = "a new guest, which is removed" if guest else "another account, which the probe does not touch"
            raise Unclear(f"the invitation of an existing account invited {what}", answer)
        return answer

    def send(self, user_id: str, address: str, *, by: Graph | None = None, **more: Any) -> Answer:
        """One POST of an invitation."""
        home = self.main.session.tenant_id or self.tenant.initial
        body = {
            "invitedUserEmailAddress": address,
            "inviteRedirectUrl": f"https://myapps.microsoft.com?tenantId={home}",
            "sendInvitationMessage": False,
            "invitedUser": {"id": user_id},
            **more,
        }
        return (by or self.main.graph).ask(CREATE_INVITATION, body=body)

    def plain(self) -> Plain:
        """An account whose address stands wherever any edition of the rules wants it, invited once."""
        return self._once("plain", self._plain)

    def control(self) -> Plain:
        """The same, for a question that means nothing in a tenant that refuses even that."""
        plain = self.plain()
        if plain.answer.status != INVITED:
            raise Skipped(f"even an ordinary account is refused ({plain.answer.short}), so a refusal would say nothing")
        return plain

    def shows(self) -> tuple[bool, Answer]:
        """Whether a pending invitation shows on the account, and the last answer that was looked at."""
        return self._once("shows", self._shows)

    def redemption(self) -> Redemption:
        """The ordinary account invited again, and redeemed by the operator: the old link first."""
        return self._once("redemption", self._redemption)

    def _plain(self) -> Plain:
        address = self.addresses[0]
        account = self.accounts.create(address, other_mails=[address])
        return Plain(account, self.invite(account))

    def _shows(self) -> tuple[bool, Answer]:
        plain = self.control()
        answer = plain.answer
        for number in range(TIMES):
            if number:
                answer = self.invite(plain.account)
            if self._seen(plain.account, str(number)):
                return True, answer
        return False, answer

    def _seen(self, account: Account, mark: str) -> bool:
        """Watch one invitation until it shows, or until it should have."""
        self.ask(CHANGE_USER, id=account.id, body={"jobTitle": mark})
        begun, marks, pause = self.clock.now(), 0, 1.0
        while True:
            user = self.accounts.read(account)
            passed = (self.clock.now() - begun) / timedelta(seconds=1)
            if user is not None and user["externalUserState"] == PENDING:
                self.meter.took("invitation", passed)
                return True
            marks = marks + 1 if user is not None and user["jobTitle"] == mark else 0
            if marks >= MARKS_SEEN and passed >= QUIET_SECONDS:
                return False
            if passed > self.patience + QUIET_SECONDS:
                raise Unclear(f"replication took longer than {passed:.0f} s")
            self.clock.sleep(pause)
            pause = min(pause * 1.5, 10.0)

    def _redemption(self) -> Redemption:
        if self.operator is None:
            raise Skipped("it takes a person who opens a link, and the probe was told that there is none")
        plain = self.control()
        _, first = self.shows()
        second = self.invite(plain.account)
        if not second.good:
            raise Unclear(f"the second invitation was refused: {second.short}", second)
        worked = self._opened(plain.account, first)
        if not worked and not self._opened(plain.account, second):
            raise Unclear("neither the old nor the new link could be redeemed")
        shown: list[User] = []

        def accepts(user: User) -> bool:
            shown.append(user)
            return bool(user["externalUserState"] == ACCEPTED)

        accepted = self.accounts.wait_for(plain.account, accepts)
        if accepted is None:
            raise Unclear("the link was accepted, and the account does not show it")
        self.meter.took("redemption", accepted)
        # The read that showed it counts: another one may be answered by a replica that lags.
        return Redemption(plain.account, shown[-1], second, old_link_worked=worked)

    def _opened(self, account: Account, answer: Answer) -> bool:
        if self.operator is None:
            return False
        said = self.operator.open_link(answer.body["inviteRedeemUrl"], account.mail)
        if said == "nobody":
            raise Skipped("nobody opened the link")
        return said == "accepted"

    def _once(self, name: str, experiment: Callable[[], T]) -> T:
        if name not in self._memory:
            try:
                self._memory[name] = experiment()
            except (Skipped, Unclear) as error:
                self._memory[name] = error
        found = self._memory[name]
        if isinstance(found, Exception):
            raise found
        return cast("T", found)
