"""The types of the sample data."""

import base64
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from rehearsal.sample.merge_patch import merge

Profile = Literal["current", "2020"]
"""An eligibility profile: the rules of Microsoft's current article, or of its version of 2020."""

Way = Literal["list", "queue", "queue-base64", "queue-base64-lines", "queue-cloudevent", "http"]
"""How the conversion of an account is requested: by a row of the campaign's list, or by a request of its own. Such a
request is sent by HTTP POST or as a queue message. The message is plain JSON, base64 (in one line, or in several as GNU
and .NET write it), or a CloudEvents envelope.
"""

Action = Literal["release", "approve", "refuse", "cancel", "adopt"]
"""What an administrator does with a request."""

Redemption = Literal["at-once", "soon", "late"]
"""When a person redeems: as soon as the account is invited, before the sweep that follows, or weeks later."""

Moment = Literal["before", "invited", "redeemed", "accepted", "compared"]
"""When something happens to an account: before its request, after its invitation, after the person may have redeemed,
after the app has seen that, or after the app has compared the account.
"""

Act = Literal["invite", "reset", "leave-group", "disable", "enable", "delete", "restore"]
"""What an administrator does to an account in the directory, without the app."""

EVENT_SOURCE = "https://partners.contoso.com/onboarding"
EVENT_TYPE = "com.contoso.partner.conversion.requested"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The required end of a request: its last stage, its verdict (None: never judged), and all its rule ids, sorted."""

    stage: str
    verdict: str | None
    findings: tuple[str, ...]

    @property
    def as_member(self) -> "Expectation":
        """The expectation for a campaign member. It has no request until it may be invited, so it stays `judged`."""
        return replace(self, stage="judged") if self.stage in {"blocked", "needsReview"} else self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as its caller sends it. Requests of wave 2 are sent once the app has processed all of wave 1."""

    name: str
    body: Mapping[str, Any]
    by: Way
    wave: int

    @property
    def request_id(self) -> str | None:
        """The caller's request id, or None if the app has to derive one."""
        return self.body.get("requestId")

    @property
    def text(self) -> str:
        """The JSON text to send, as the body of a POST or (before base64) as a queue message."""
        envelope = {
            "specversion": "1.0",
            "id": self.name,
            "source": EVENT_SOURCE,
            "type": EVENT_TYPE,
            "datacontenttype": "application/json",
            "data": self.body,
        }
        return json.dumps(envelope if self.by == "queue-cloudevent" else self.body, ensure_ascii=False)

    @property
    def message(self) -> str:
        """The text of the queue message."""
        return in_message(self.text, self.by)


@dataclass(frozen=True, slots=True)
class Account:
    """One request for one account. `user` is the user that the entry adds to the directory, or None.

    `joins` names the account whose conversion the request must join. `of` names an account whose user the request names
    without joining its conversion. `redeem` is the identity provider with which the person redeems, or None if the
    person does not; `redeem_on` is the time of that. `redeem_as` is the address of another person who redeems instead.
    """

    name: str
    why: str
    user: Mapping[str, Any] | None
    deleted: bool
    user_id: str | None
    request: Request
    redeem: str | None
    redeem_on: Redemption
    redeem_as: str | None
    joins: str | None
    of: str | None
    expect: Mapping[Profile, Expectation]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an administrator decides about the request of one account, and how the request must end after that.

    If `waits` is set, Graph does not answer calls about the account until the decision is made, and the app must report
    `waits` as the reason why the request waits.
    """

    request: str
    why: str
    action: Action
    waits: str | None
    expect: Mapping[Profile, Expectation]


@dataclass(frozen=True, slots=True)
class Change:
    """What an administrator does to one account in the directory while the app converts it, and how its request must
    end after that. `value` is the group that the account leaves, or the address to which others invite it.
    """

    account: str
    why: str
    when: Moment
    act: Act
    value: str
    expect: Mapping[Profile, Expectation] | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """How the app must refuse a malformed request.

    By HTTP it answers with a `status` and a `target`. For a queue message it writes a row with a `stage`. For a row of
    a list `target` is the header of a column.
    """

    code: str
    status: int | None = None
    target: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that must be refused: its exact text, how it is sent, and the id of its row (None: it gets no row).

    `conflicts_with` names the account whose request already has the id. `poison` marks a message that the Functions
    host cannot pass to the app, so that only the sweep of the poison queue sees it.
    """

    name: str
    why: str
    by: Way
    wave: int
    text: str
    request_id: str | None
    conflicts_with: str | None
    poison: bool
    expect: Refusal

    @property
    def message(self) -> str:
        """The text of the queue message."""
        return in_message(self.text, self.by)

    @property
    def document(self) -> Mapping[str, Any]:
        """The text parsed as JSON. Raises ValueError if it is not JSON."""
        found: Mapping[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True)
class Variant:
    """The tenant with other policies or missing permissions, and the expectations for some accounts under them."""

    name: str
    why: str
    patch: Mapping[str, Any]
    missing_roles: tuple[str, ...]
    expect: Mapping[str, Mapping[Profile, Expectation]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample tenant, its requests and their expected ends. `settings` are the app settings that it needs."""

    tenant: Mapping[str, Any]
    settings: Mapping[str, str]
    accounts: tuple[Account, ...]
    malformed: tuple[Malformed, ...]
    decisions: tuple[Decision, ...]
    changes: tuple[Change, ...]
    variants: tuple[Variant, ...]

    def account(self, name: str) -> Account:
        """Return the account entry with this name. Raises KeyError if there is none."""
        return _named(self.accounts, name)

    def variant(self, name: str) -> Variant:
        """Return the variant with this name. Raises KeyError if there is none."""
        return _named(self.variants, name)

    def seed(self, variant: str | None = None) -> dict[str, Any]:
        """Return a new copy of the whole tenant with its users, as a seed. Raises KeyError for an unknown variant."""
        users = [account.user for account in self.accounts if account.user and not account.deleted]
        deleted = [account.user for account in self.accounts if account.user and account.deleted]
        groups = [_with_members(group, users) for group in self.tenant["groups"]]
        whole = {**self.tenant, "groups": groups, "users": users, "deletedUsers": deleted}
        patch = self.variant(variant).patch if variant else {}
        return deepcopy(merge(whole, patch))

    @property
    def listed(self) -> tuple[Account, ...]:
        """The accounts on the campaign's list."""
        return tuple(account for account in self.accounts if account.request.by == "list")

    @property
    def asked_for_alone(self) -> tuple[Account, ...]:
        """The accounts that have their own requests, by queue or by HTTP."""
        return tuple(account for account in self.accounts if account.request.by != "list")

    @property
    def malformed_alone(self) -> tuple[Malformed, ...]:
        """The malformed requests that are not rows of the list."""
        return tuple(entry for entry in self.malformed if entry.by != "list")

    @property
    def refused_rows(self) -> tuple[Malformed, ...]:
        """The rows of the list that are refused, in the order of the list."""
        return tuple(entry for entry in self.malformed if entry.by == "list")

    def expected(self, profile: Profile, variant: str | None = None) -> dict[str, Expectation]:
        """Return how each request must end without decisions, by name.

        With `variant`: only the requests that it lists.
        """
        if variant:
            return {name: expect[profile] for name, expect in self.variant(variant).expect.items()}
        return {account.name: account.expect[profile] for account in self.accounts}

    def ends(self, profile: Profile) -> dict[str, Expectation]:
        """Return how each request must end after all decisions and changes, by name."""
        decided = {each.request: each.expect[profile] for each in self.decisions}
        return (
            self.expected(profile)
            | decided
            | {each.account: each.expect[profile] for each in self.changes if each.expect}
        )


Entry = TypeVar("Entry", Account, Variant)


def in_message(text: str, by: Way) -> str:
    """Return a text in the form of a queue message."""
    if by == "queue-base64-lines":
        return base64.encodebytes(text.encode()).decode("ascii")
    return base64.b64encode(text.encode()).decode("ascii") if by == "queue-base64" else text


def _with_members(group: Mapping[str, Any], users: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a group with a list of its members. The data may list only the users who are not members."""
    others = group.get("membersExcept")
    if others is None:
        return dict(group)
    members = [user["id"] for user in users if user["id"] not in others]
    return {name: value for name, value in group.items() if name != "membersExcept"} | {"members": members}


def _named(entries: tuple[Entry, ...], name: str) -> Entry:
    for entry in entries:
        if entry.name == name:
            return entry
    raise KeyError(name)
