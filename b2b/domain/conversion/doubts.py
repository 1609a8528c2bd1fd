"""How a doubt begins and ends. A doubt is a try to invite whose outcome is not known."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion.proof import NO_SNAPSHOT, uncompared
from b2b.domain.conversion.records import Absence, Change, Conversion, Doubt, advance, begin, chain, note
from b2b.domain.conversion.redeemer import Sources, redeemer
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.findings import Finding, Severity, Verdict

OUTCOME_UNKNOWN, ANOTHER_ACCOUNT = "outcome-unknown", "another-account"
"""Findings of a doubt that a person decides about."""
GIVEN_UP = "given-up"
"""Error code of what could not go on for too long."""
SOURCE = "https://learn.microsoft.com/entra/external-id/current-limitations"
FIX = (
    "Ask the person whether the invitation arrived. If it did, leave the request as it is: the app notices the "
    "redemption. If it did not, approve: the app then sends a second invitation."
)


def window_ends(conversion: Conversion, window: timedelta) -> datetime:
    """Return when an account that shows nothing may be believed: a window after the latest end of every open try."""
    return max(doubt.until for doubt in conversion.open_doubts) + window


def all_silent(conversion: Conversion) -> bool:
    """Tell whether no open try asked for a mail, so that a repeat sends no second one."""
    return all(doubt.silent for doubt in conversion.open_doubts)


def can_be_disproved(conversion: Conversion) -> bool:
    """Tell whether an account that shows no invitation can prove that no open try sent one.

    It cannot if Graph answered a try with another account: that invitation shows there, if anywhere.
    """
    return not any(doubt.elsewhere for doubt in conversion.open_doubts)


def settled(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    """The account shows the invitation: one of the tries went out."""
    first = conversion.doubts[0].since
    change = advance(
        conversion,
        Stage.INVITED,
        now,
        "settled by reading the account",
        invited_at=first,
        seen_at=now,
        doubts=(),
        lease_until=None,
        **_known(conversion),
        **PRESENT,
    )
    return chain(change, redeemed(change.row, account, now)) if account.accepted else change


def found_later(conversion: Conversion, account: Account, request_id: str, now: datetime) -> Change[Conversion]:
    """The account shows an invitation of a conversion that had ended: a new generation goes on from there, unsent."""
    opening = replace(
        conversion,
        stage=Stage.INVITED,
        request_id=request_id,
        joined=0,
        invited_at=conversion.doubts[0].since,
        seen_at=now,
        doubts=(),
        **_known(conversion),
        **PRESENT,
    )
    change = begin(replace(conversion, doubts=()), opening, now, "an earlier invitation shows")
    return chain(change, redeemed(change.row, account, now)) if account.accepted else change


def _known(conversion: Conversion) -> dict[str, Any]:
    """What is found of a conversion whose outcome is known after all: no person has to decide about it any more."""
    return {
        "verdict": Verdict.READY if conversion.verdict is Verdict.NEEDS_REVIEW else conversion.verdict,
        "findings": tuple(item for item in conversion.findings if item.rule != OUTCOME_UNKNOWN),
    }


def redeemed(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    """The person has redeemed. What the directory grants is compared, where a snapshot was taken to compare it with."""
    accepted = advance(
        conversion,
        Stage.ACCEPTED,
        now,
        accepted_at=changed_at(account) or now,
        seen_at=conversion.seen_at or now,
        comparing_since=now,
        equal_since=None,
        waiting=Waiting(WaitReason.COMPARING, now) if conversion.baseline else None,
    )
    if conversion.baseline:
        return accepted
    found = redeemer(account, conversion.invited_user_email_address, Sources())
    return chain(accepted, uncompared(accepted.row, NO_SNAPSHOT, found, now))


def disproved(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The window has passed, nothing shows, and this tenant shows invitations: none of the tries went out.

    The doubts and the lease end, and the conversion stays as it is: the next step invites again or judges anew.
    """
    return note(
        conversion, "nothing-went-out", now, "the account shows nothing", doubts=(), lease_until=None, **PRESENT
    )


def given_up(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Tries without a mail have failed for too long."""
    said = "Every try to invite without a mail failed, and none can be seen. Retry when the cause is gone."
    return advance(conversion, Stage.FAILED, now, "given up", last_error=said, error_code=GIVEN_UP, lease_until=None)


def to_review(conversion: Conversion, shows: Shows, now: datetime, also: str = "") -> Change[Conversion]:
    """A person decides: the invitation may be out, and the app cannot find out."""
    kept: dict[str, Any] = {
        "findings": (*conversion.findings, outcome_unknown(conversion, shows, also)),
        "verdict": Verdict.NEEDS_REVIEW,
        "lease_until": None,
    }
    return advance(conversion, Stage.NEEDS_REVIEW, now, OUTCOME_UNKNOWN, **kept)


def outcome_unknown(conversion: Conversion, shows: Shows, also: str = "") -> Finding:
    """Return what a person is shown who has to decide whether to send a second invitation."""
    tries = "; ".join(f"{doubt.since:%Y-%m-%d %H:%M:%S} UTC" for doubt in conversion.open_doubts)
    why = "does not show pending invitations" if shows is Shows.NO else "is not known to show pending invitations"
    said = (
        f"An invitation may have been sent, {'without' if all_silent(conversion) else 'with'} a mail (tries: {tries}). "
        f"The account shows none, and this tenant {why}. {also}".rstrip()
    )
    return Finding(OUTCOME_UNKNOWN, Severity.REVIEW, said, FIX, SOURCE)


def asked_before(conversion: Conversion, shows: Shows) -> Finding:
    """Return what a person is shown of a conversion that ended in doubt: what its own review showed, where it had one.

    The words about an answer with another account name that account, which the row keeps in this finding alone.
    """
    shown = (item for item in conversion.findings if item.rule == ANOTHER_ACCOUNT)
    return next(shown, None) or outcome_unknown(conversion, shows)


def away(conversion: Conversion, absence: Absence, now: datetime) -> Change[Conversion]:
    """The account does not answer by its id."""
    waiting = Waiting(WaitReason.ACCOUNT_DELETED, now)
    return note(conversion, "account-away", now, absence.value, absence=absence, absent_since=now, waiting=waiting)


def back(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account that was away answers by its id again."""
    return note(conversion, "account-back", now, waiting=None, absence=None, absent_since=None)


def gone(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account is gone for good, and its invitation with it."""
    doubt = ", and it is not known whether its invitation went out" if conversion.doubts else ""
    said = f"The account was deleted for good{doubt}."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said, lease_until=None)


def waived(conversion: Conversion) -> tuple[Doubt, ...]:
    """Return the doubts as an approval leaves them: a person saw them and wants another invitation."""
    return tuple(structs.replace(doubt, waived=True) for doubt in conversion.doubts)


PRESENT: dict[str, Any] = {"absence": None, "absent_since": None, "internal_since": None}
"""Columns of an account that is there and external."""
