"""What questions work with: accounts, invitations, and the two experiments that several questions share."""

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
"""How many invitations of one account must stay invisible before the tenant counts as one that does not show them."""
QUIET_SECONDS = 60.0
"""Least seconds for which the probe watches for an invitation to show, even if replication seems to be faster."""
MARKS_SEEN = 5
"""How many reads in a row must show a later write to the account. After these, an invitation would show as well."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """A sign-in of an application or a person, with a Graph client that uses it."""

    session: Session
    graph: Graph


@dataclass(frozen=True, slots=True)
class Plain:
    """An ordinary test account, and Graph's answer to its first invitation."""

    account: Account
    answer: Answer


@dataclass(frozen=True, slots=True)
class Redemption:
    """The result after a person opened redeem links: whether the older link worked, and the account afterwards."""

    account: Account
    user: User
    answer: Answer
    old_link_worked: bool


@dataclass(slots=True)
class Bench:
    """The tools of one run. An experiment that takes a person or a long wait is done once, and its result is kept."""

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
        """Make a call with the main sign-in.

        Raises:
            Skipped: the sign-in lacks the permission for the call.

        """
        if self.main.session.who == "application" and not opened(call.permission, self.main.session.permissions):
            raise Skipped(f"the sign-in lacks {call.permission}")
        graph = self.main.graph
        answer = graph.ask_all(call, **how) if every_page else graph.ask(call, **how)
        if answer.code == "Authorization_RequestDenied":
            raise Skipped(f"the sign-in lacks {call.permission}")
        return answer

    def address(self) -> str:
        """Return an address in the operator's domain that nobody has. The probe never sends mail to it."""
        return f"{self.accounts.new_name()}@{self.addresses[0].rpartition('@')[2]}"

    def account(self, mail: str, **how: Any) -> Account:
        """Make a test account that is removed after the question."""
        made = self.accounts.create(mail, **how)
        self.own.append(made)
        return made

    def invite(self, account: Account, address: str | None = None, *, by: Graph | None = None, **more: Any) -> Answer:
        """Invite a test account. No mail is sent, unless ``more`` asks for one.

        Raises:
            Unclear: Graph accepted the call, but the invitation has the status Error, or invites another account.

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
        """Send one invitation, and return Graph's answer."""
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
        """Return the shared ordinary account, which was invited once. Its address is in `mail` and in `otherMails`."""
        return self._once("plain", self._plain)

    def control(self) -> Plain:
        """Return the shared ordinary account, for a question that makes sense only if Graph has invited this account.

        Raises:
            Skipped: Graph refused to invite the ordinary account.

        """
        plain = self.plain()
        if plain.answer.status != INVITED:
            raise Skipped(f"even an ordinary account is refused ({plain.answer.short}), so a refusal would say nothing")
        return plain

    def shows(self) -> tuple[bool, Answer]:
        """Return whether the account shows a pending invitation, and Graph's answer to the last invitation.

        Raises:
            Unclear: replication took too long to tell.

        """
        return self._once("shows", self._shows)

    def redemption(self) -> Redemption:
        """Return the shared ordinary account, invited a second time and then redeemed. The first link is tried first.

        Raises:
            Skipped: no person is there to open a link.
            Unclear: no link could be redeemed, or the account does not show the redemption.

        """
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
        """Read the account until it shows the invitation (True), or until a sent invitation would have shown (False).

        Raises:
            Unclear: replication took too long to tell.

        """
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
        # Keep the read that showed the redemption, because a lagging replica may answer another read.
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
