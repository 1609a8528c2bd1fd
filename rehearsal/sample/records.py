"""What the sample data is made of, once read."""

import base64
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from rehearsal.sample.merge_patch import merge

Profile = Literal["current", "2020"]
"""An eligibility profile: today's article or that of 2020."""

Way = Literal["list", "queue", "queue-base64", "queue-base64-lines", "queue-cloudevent", "http"]
"""How an account is asked for: by a row of the campaign's list, or by a request of its own. That arrives as it is on
the queue, in base64 (in one line, or in several as GNU and .NET write it), in a CloudEvents envelope, or by HTTP POST.
"""

Action = Literal["release", "approve", "refuse", "cancel"]
"""What an administrator does with a request."""

EVENT_SOURCE = "https://partners.contoso.com/onboarding"
EVENT_TYPE = "com.contoso.partner.conversion.requested"


@dataclass(frozen=True, slots=True)
class Expectation:
    """How a request must end: its last stage, the verdict (None: never judged), and exactly these rule ids, sorted."""

    stage: str
    verdict: str | None
    findings: tuple[str, ...]

    @property
    def as_member(self) -> "Expectation":
        """How a member of a campaign ends: it has no request before it may be invited, so it stays judged."""
        return replace(self, stage="judged") if self.stage in {"blocked", "needsReview"} else self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as its caller sends it. Those of wave 2 are sent when all of wave 1 have come to rest."""

    name: str
    body: Mapping[str, Any]
    by: Way
    wave: int

    @property
    def request_id(self) -> str | None:
        """The caller's key, or None where the service finds one itself."""
        return self.body.get("requestId")

    @property
    def text(self) -> str:
        """The JSON text that is sent: the body of a POST or, before base64, of a queue message."""
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
    """One request for one account. `user` is what the entry adds to the directory, if it adds anything.

    `joins` names the account whose conversion the request must end with; `of` one whose user it names without joining.
    `redeem` is the identity provider with which the person redeems, or None for a person who does not.
    """

    name: str
    why: str
    user: Mapping[str, Any] | None
    deleted: bool
    user_id: str | None
    request: Request
    redeem: str | None
    joins: str | None
    of: str | None
    expect: Mapping[Profile, Expectation]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an administrator decides about the request of one account, and how that request ends then.

    With `waits`, Graph does not answer for the account until the decision is taken, and the app must give this reason.
    """

    request: str
    why: str
    action: Action
    waits: str | None
    expect: Mapping[Profile, Expectation]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a malformed request is answered with: by HTTP a `status` and a `target`, from the queue a row's `stage`.

    A row of a list is refused with the header of a column as `target`.
    """

    code: str
    status: int | None = None
    target: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that is refused: its exact text, how it arrives, and the id by which its row is found, if it has one.

    `conflicts_with` names the account whose request already has the id. `poison` marks a message that the Functions
    host cannot hand over, so that only the sweep of the poison queue sees it.
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
        """The text as JSON; ValueError where it is none."""
        found: Mapping[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True)
class Variant:
    """The tenant with other policies, or a token without some permissions, and what that means for a few accounts."""

    name: str
    why: str
    patch: Mapping[str, Any]
    missing_roles: tuple[str, ...]
    expect: Mapping[str, Mapping[Profile, Expectation]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample tenant, its requests and their ends. `settings` are the application settings that belong to it."""

    tenant: Mapping[str, Any]
    settings: Mapping[str, str]
    accounts: tuple[Account, ...]
    malformed: tuple[Malformed, ...]
    decisions: tuple[Decision, ...]
    variants: tuple[Variant, ...]

    def account(self, name: str) -> Account:
        """The account entry of that name; KeyError for none."""
        return _named(self.accounts, name)

    def variant(self, name: str) -> Variant:
        """The variant of that name; KeyError for none."""
        return _named(self.variants, name)

    def seed(self, variant: str | None = None) -> dict[str, Any]:
        """A fresh copy of the whole tenant, users included, for the Graph double; KeyError for an unknown variant."""
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
        """The accounts with requests of their own, by queue or by HTTP."""
        return tuple(account for account in self.accounts if account.request.by != "list")

    @property
    def malformed_alone(self) -> tuple[Malformed, ...]:
        """The malformed requests, without the rows of the list."""
        return tuple(entry for entry in self.malformed if entry.by != "list")

    @property
    def refused_rows(self) -> tuple[Malformed, ...]:
        """The rows of the list that are refused, in the order of the list."""
        return tuple(entry for entry in self.malformed if entry.by == "list")

    def expected(self, profile: Profile, variant: str | None = None) -> dict[str, Expectation]:
        """How each request must end before any decision, by name: all requests, or those that a variant lists."""
        if variant:
            return {name: expect[profile] for name, expect in self.variant(variant).expect.items()}
        return {account.name: account.expect[profile] for account in self.accounts}

    def ends(self, profile: Profile) -> dict[str, Expectation]:
        """How each request must end once the decisions are taken, by name."""
        return self.expected(profile) | {each.request: each.expect[profile] for each in self.decisions}


Entry = TypeVar("Entry", Account, Variant)


def in_message(text: str, by: Way) -> str:
    """Text as a queue message carries it."""
    if by == "queue-base64-lines":
        return base64.encodebytes(text.encode()).decode("ascii")
    return base64.b64encode(text.encode()).decode("ascii") if by == "queue-base64" else text


def _with_members(group: Mapping[str, Any], users: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write out who is in a group of which the data names only those who are not."""
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
