"""What undoing a conversion would take where it stands now. Facts only: nothing is decided, and nothing is done.

No source tells of a way to take an invitation back and keep the account as it was. So each way says what it costs, and
how sure its effect is.
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
    """Where the account stands, by its conversion and by how it reads now."""

    NOT_INVITED = "notInvited"
    IN_DOUBT = "inDoubt"
    WAITING = "waiting"
    REDEEMED = "redeemed"
    INTERNAL = "internal"
    DELETED = "deleted"
    GONE = "gone"


class Grade(StrEnum):
    """How sure the effect of a way is."""

    DOCUMENTED = "documented"
    RECORDED = "recorded"
    """Somebody at Microsoft, or a live tenant, is quoted."""
    INFERRED = "inferred"
    """No source says it."""


class Way(msgspec.Struct, frozen=True):
    """One thing that an administrator can do."""

    title: str
    do: str
    costs: str
    grade: Grade
    source: str


@dataclass(frozen=True)
class Facts:
    """What the ways are told from."""

    row: Conversion
    synced: bool
    before: Snapshot | None
    """What the directory granted before the invitation; None: it was not kept."""

    def had(self, kind: Kind) -> str:
        """What the account had of one kind before its invitation, in words."""
        reading = self.before.kinds.get(kind) if self.before is not None else None
        return ", ".join(reading.items) if reading is not None and reading.items else "not known"


@dataclass(frozen=True)
class Row:
    """A way, and where it is one. ``applies`` is None for all accounts."""

    standing: Standing
    way: Callable[[Facts], Way]
    applies: Callable[[Facts], bool] | None = None


def standing_of(row: Conversion, sighting: Sighting) -> Standing:
    """Say where an account stands: the directory is believed over the row."""
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
    """Return what an administrator can do, the mildest first."""
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


_S, _G = Standing, Grade
_DELETE = _way(
    "Delete the account",
    "Delete it {where}. Within 30 days it can be restored.",
    "The account and all that it has. Whether its link opens a restored account is not known.",
    _G.RECORDED,
    ISSUE,
)
WAYS: tuple[Row, ...] = (
    Row(
        _S.NOT_INVITED,
        _way(
            "Cancel the request",
            "POST /api/requests/{request}/cancel, while it is at work.",
            "Nothing: no invitation is out.",
            _G.DOCUMENTED,
            INVITE,
        ),
    ),
    Row(
        _S.IN_DOUBT,
        _way(
            "Wait for the outcome, or decide the review",
            "The app looks at the account until it knows whether an invitation is out. In needsReview, refuse request "
            "{request}.",
            "An invitation that is out stays so: then the ways of an account that waits are left.",
            _G.DOCUMENTED,
            INVITE,
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Leave it",
            "Nothing. The person signs in as before until the redemption.",
            "The invitation does not expire: whoever has its link can redeem it at any time.",
            _G.DOCUMENTED,
            "https://learn.microsoft.com/entra/external-id/add-users-administrator",
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Correct the address",
            "Set mail of the account {where}, then POST /api/conversions/{user}/correct.",
            "One more mail. Until the redemption, count the first link as alive.",
            _G.INFERRED,
            RESET,
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Keep the person's domain out",
            "Deny the domain (Entra admin center > External Identities > External collaboration settings).",
            "Nobody of that domain can redeem or be invited as long as it is denied.",
            _G.DOCUMENTED,
            DENY,
        ),
    ),
    Row(
        _S.WAITING,
        _way(
            "Disable the account",
            "Disable it {where}.",
            "The person cannot sign in at all. Enabling the account may open the link again.",
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
            "One more mail. Whoever redeemed can no longer sign in. The app notices, and follows the account again.",
            _G.DOCUMENTED,
            RESET,
        ),
    ),
    Row(
        _S.REDEEMED,
        _way(
            "Convert it to an internal account",
            "Microsoft Graph beta: POST /users/{user}/convertExternalToInternalMemberUser with a user principal name "
            "in a domain that is not federated, and a password. Permission: User-ConvertToInternal.ReadWrite.All.",
            "The account becomes a Member; before the invitation its user type was {type}, its user principal name "
            "{name}. The person needs the new password. The method is in beta only.",
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
            "The account becomes a Member; before the invitation its user type was {type}. The method is in beta only.",
            _G.DOCUMENTED,
            BACK,
        ),
        _synced,
    ),
    Row(_S.REDEEMED, _DELETE),
    Row(
        _S.INTERNAL,
        _way(
            "Nothing is left to undo",
            "The account reads as internal. A new request invites it anew.",
            "Nothing. A replica may lag: look again after ten minutes.",
            _G.DOCUMENTED,
            INVITE,
        ),
    ),
    Row(
        _S.DELETED,
        _way(
            "Restore the account",
            "Restore it (Entra admin center > Users > Deleted users), within 30 days of its deletion.",
            "It comes back with what it had; whether its link still opens it is not known.",
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
"""Each way, in the order in which it is told."""
