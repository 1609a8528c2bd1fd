"""List the ways to undo a conversion in its current state. The app takes none of them itself.

No source describes a way to revoke an invitation and keep the account as it was. So each way states what it costs and
how certain its effect is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.snapshot import Kind, Snapshot

_LEARN = "https://learn.microsoft.com/"
INVITE, RESET, BACK, RECOVER, DENY = (
    f"{_LEARN}entra/external-id/invite-internal-users",
    f"{_LEARN}entra/external-id/reset-redemption-status",
    f"{_LEARN}entra/identity/users/convert-external-users-internal",
    f"{_LEARN}entra/architecture/recover-from-deletions",
    f"{_LEARN}entra/external-id/allow-deny-list",
)
ISSUE = "https://github.com/microsoftgraph/microsoft-graph-docs/issues/5799"


class Standing(StrEnum):
    """The state of an account, from its conversion and from a read of the account."""

    NOT_INVITED = "notInvited"
    IN_DOUBT = "inDoubt"
    WAITING = "waiting"
    REDEEMED = "redeemed"
    INTERNAL = "internal"
    DELETED = "deleted"
    GONE = "gone"


class Grade(StrEnum):
    """How certain the effect of a way is."""

    DOCUMENTED = "documented"
    RECORDED = "recorded"
    """Someone at Microsoft reported the effect, or it was seen in a live tenant."""
    INFERRED = "inferred"
    """No source states the effect."""


class Way(msgspec.Struct, frozen=True):
    """One way to undo a conversion or to limit its effect, for an administrator."""

    title: str
    do: str
    costs: str
    grade: Grade
    source: str


@dataclass(frozen=True)
class Facts:
    """The facts that the texts of the ways contain."""

    row: Conversion
    synced: bool
    before: Snapshot | None
    """What the directory granted before the invitation; None if there is no snapshot."""

    def had(self, kind: Kind) -> str:
        """Return the values of one kind before the invitation, for use in a sentence."""
        reading = self.before.kinds.get(kind) if self.before is not None else None
        return ", ".join(reading.items) if reading is not None and reading.items else "not known"


@dataclass(frozen=True)
class Row:
    """A way, the state in which it exists, and the accounts to which it applies; ``applies`` is None for all."""

    standing: Standing
    way: Callable[[Facts], Way]
    applies: Callable[[Facts], bool] | None = None


def standing_of(row: Conversion, sighting: Sighting) -> Standing:
    """Return the state of an account. If the directory and the row differ, the directory counts."""
    account = sighting.account
    if account is None:
        return Standing.DELETED if sighting.in_bin else Standing.GONE
    if account.accepted:
        return Standing.REDEEMED
    if account.pending:
        return Standing.WAITING
    if row.open_doubts:
        return Standing.IN_DOUBT
    if row.stage is Stage.INVITED:
        return Standing.INTERNAL if row.seen_at is not None else Standing.WAITING
    return Standing.INTERNAL if row.invited_at is not None else Standing.NOT_INVITED


def ways_back(standing: Standing, facts: Facts) -> tuple[Way, ...]:
    """Return the ways that an administrator has, least drastic first."""
    return tuple(
        row.way(facts) for row in WAYS if row.standing is standing and (row.applies is None or row.applies(facts))
    )


def _way(title: str, do: str, costs: str, grade: Grade, source: str) -> Callable[[Facts], Way]:
    return lambda facts: Way(title, _filled(do, facts), _filled(costs, facts), grade, source)


def _filled(text: str, facts: Facts) -> str:
    known: dict[str, Any] = {
        "user": facts.row.user_id,
        "request": facts.row.request_id,
        "type": facts.had(Kind.TYPE),
        "name": facts.had(Kind.NAME),
        "where": "in Active Directory" if facts.synced else "in the Entra admin center (Users)",
    }
    return text.format(**known)


def _synced(facts: Facts) -> bool:
    return facts.synced


def _cloud(facts: Facts) -> bool:
    return not facts.synced


def _at(*stages: Stage) -> Callable[[Facts], bool]:
    return lambda facts: facts.row.stage in stages


_ENDED = (Stage.BLOCKED, Stage.FAILED, Stage.CANCELLED)
_S, _G = Standing, Grade
_DELETE = _way(
    "Delete the account",
    "Delete it {where}. Within 30 days it can be restored.",
    "The account and everything that it has. Whether the link opens a restored account is not known.",
    _G.RECORDED,
    ISSUE,
)
WAYS: tuple[Row, ...] = (
    Row(
        _S.NOT_INVITED,
        _way(
            "Cancel the request",
            "POST /api/requests/{request}/cancel, while the app processes it.",
            "Nothing: no invitation was sent.",
            _G.DOCUMENTED,
            INVITE,
        ),
        lambda facts: facts.row.stage not in {Stage.NEEDS_REVIEW, *_ENDED},
    ),
    Row(
        _S.NOT_INVITED,
        _way(
            "Refuse the request",
            "POST /api/requests/{request}/refuse.",
            "Nothing: no invitation was sent.",
            _G.DOCUMENTED,
            INVITE,
        ),
        _at(Stage.NEEDS_REVIEW),
    ),
    Row(
        _S.NOT_INVITED,
        _way(
            "Nothing to undo",
            "The request has ended. A retry or a new request starts again.",
            "Nothing: no invitation was sent.",
            _G.DOCUMENTED,
            INVITE,
        ),
        _at(*_ENDED),
    ),
    Row(
        _S.IN_DOUBT,
        _way(
            "Wait for the outcome, or decide the review",
            "The app reads the account until it knows whether an invitation was sent. In needsReview, refuse request "
            "{request}.",
            "An invitation that was sent stays valid. Then only the ways of an invited account remain.",
            _G.DOCUMENTED,
            INVITE,
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Leave it",
            "Nothing. The person signs in as before until the redemption.",
            "The invitation does not expire: anyone who has its link can redeem it at any time.",
            _G.DOCUMENTED,
            "https://learn.microsoft.com/entra/external-id/add-users-administrator",
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Correct the address",
            "Set the account's mail {where}, then POST /api/conversions/{user}/correct.",
            "One more mail. Until the redemption, the first link may still work.",
            _G.INFERRED,
            RESET,
        ),
        _at(Stage.INVITED),
    ),
    Row(
        _S.WAITING,
        _way(
            "Let the app follow the invitation",
            "POST /api/requests/{request}/adopt. Then the address can be corrected.",
            "Nothing: an adoption sends no mail.",
            _G.DOCUMENTED,
            INVITE,
        ),
        _at(Stage.BLOCKED),
    ),
    Row(
        _S.WAITING,
        _way(
            "Let the app follow the account again",
            "Send a new request for the account: the app then notices that the redemption was reset.",
            "Nothing: the account shows an invitation, so none is sent.",
            _G.DOCUMENTED,
            RESET,
        ),
        _at(Stage.COMPLETED),
    ),
    Row(
        _S.WAITING,
        _way(
            "Deny the person's domain",
            "Deny the domain (Entra admin center > External Identities > External collaboration settings).",
            "Nobody from that domain can redeem or be invited while it is denied.",
            _G.DOCUMENTED,
            DENY,
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Disable the account",
            "Disable it {where}.",
            "The person cannot sign in at all. If the account is enabled again, the link may work again.",
            _G.INFERRED,
            INVITE,
        ),
    ),
    Row(_S.WAITING, _DELETE),
    Row(
        _S.WAITING,
        _way(
            "Convert it to an internal account",
            "Microsoft Graph beta: POST /users/{user}/convertExternalToInternalMemberUser.",
            "Probably refused: only accounts that sign in externally are eligible, and this one does not yet.",
            _G.INFERRED,
            BACK,
        ),
    ),
    Row(
        _S.REDEEMED,
        _way(
            "Let the right person redeem",
            "Set the right address as mail, then reset the redemption (B2B collaboration card of the user).",
            "One more mail. The person who redeemed can no longer sign in. The app notices the reset and follows the "
            "account again. It compares with the address and the mail of its own invitation, so it asks for a decision "
            "after the redemption: accept that.",
            _G.DOCUMENTED,
            RESET,
        ),
        lambda facts: facts.row.stage is not Stage.COMPLETED,
    ),
    Row(
        _S.REDEEMED,
        _way(
            "Let the right person redeem",
            "Set the right address as mail, then reset the redemption (B2B collaboration card of the user), then send "
            "a new request for the account.",
            "One more mail. The person who redeemed can no longer sign in. The app does not look at a completed "
            "account again before the next request for it.",
            _G.DOCUMENTED,
            RESET,
        ),
        _at(Stage.COMPLETED),
    ),
    Row(
        _S.REDEEMED,
        _way(
            "Convert it to an internal account",
            "Microsoft Graph beta: POST /users/{user}/convertExternalToInternalMemberUser with a user principal name "
            "in a domain that is not federated, and a password. Permission: User-ConvertToInternal.ReadWrite.All.",
            "The account becomes a Member. Before the invitation, its user type was {type} and its user principal "
            "name {name}. The person needs the new password. The method exists in beta only.",
            _G.DOCUMENTED,
            BACK,
        ),
        _cloud,
    ),
    Row(
        _S.REDEEMED,
        _way(
            "Convert it to an internal account",
            "Microsoft Graph beta: POST /users/{user}/convertExternalToInternalMemberUser. The name stays; the "
            "password is that of Active Directory, unless sign-in is managed without password hash synchronisation.",
            "The account becomes a Member. Before the invitation, its user type was {type}. The method exists in beta "
            "only.",
            _G.DOCUMENTED,
            BACK,
        ),
        _synced,
    ),
    Row(_S.REDEEMED, _DELETE),
    Row(
        _S.INTERNAL,
        _way(
            "Nothing to undo",
            "The account is internal. A new request invites it again.",
            "Nothing. A replica may lag: check again after ten minutes.",
            _G.DOCUMENTED,
            INVITE,
        ),
    ),
    Row(
        _S.DELETED,
        _way(
            "Restore the account",
            "Restore it (Entra admin center > Users > Deleted users), within 30 days of its deletion.",
            "The account returns with everything that it had. Whether the link still opens it is not known.",
            _G.DOCUMENTED,
            RECOVER,
        ),
    ),
    Row(
        _S.GONE,
        _way(
            "Nothing can be undone",
            "Neither the directory nor its recycle bin has the account. Invite the person as a new guest.",
            "A new guest has none of the groups, roles and licences that the account had.",
            _G.DOCUMENTED,
            RECOVER,
        ),
    ),
)
"""All ways. Those of one state are in the order in which they are shown."""
