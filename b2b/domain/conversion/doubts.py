"""Settle doubts. A doubt is an attempt to invite whose outcome the app does not know."""

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
"""Rules of the findings that ask a person to decide about a doubt."""
GIVEN_UP = "given-up"
"""Error code of a conversion that the app gave up after failing for too long."""
SOURCE = "https://learn.microsoft.com/entra/external-id/current-limitations"
FIX = (
    "Ask the person whether the invitation arrived. If it did, leave the request as it is: the app notices the "
    "redemption. If it did not, approve: the app then sends a second invitation."
)


def window_ends(conversion: Conversion, window: timedelta) -> datetime:
    """Return from when on an account without a visible invitation proves that none was sent.

    That is one window after the end of the last open attempt.
    """
    return max(doubt.until for doubt in conversion.open_doubts) + window


def all_silent(conversion: Conversion) -> bool:
    """Tell whether no open attempt asked for a mail. If so, another attempt without a mail is safe."""
    return all(doubt.silent for doubt in conversion.open_doubts)


def can_be_disproved(conversion: Conversion) -> bool:
    """Tell whether an account that shows no invitation can prove that no open attempt sent one.

    It cannot if Graph answered an attempt with another account, because the other account may show the invitation.
    """
    return not any(doubt.elsewhere for doubt in conversion.open_doubts)


def settled(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    """Move the conversion to `invited`, because the account shows that one of the attempts sent an invitation."""
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
    """Begin a generation at `invited`, because the account shows the ended generation's invitation. Send nothing."""
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
    """Return the findings and the verdict without the doubt, which no longer needs a decision."""
    return {
        "verdict": Verdict.READY if conversion.verdict is Verdict.NEEDS_REVIEW else conversion.verdict,
        "findings": tuple(item for item in conversion.findings if item.rule != OUTCOME_UNKNOWN),
    }


def redeemed(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    """Record that the person has redeemed. If there is no snapshot to compare with, end the comparison at once."""
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
    """Record that no attempt sent an invitation, because the window has passed, and this tenant would show one.

    The doubts and the lease end, and the stage stays. The next step invites again or judges again.
    """
    return note(
        conversion, "nothing-went-out", now, "the account shows nothing", doubts=(), lease_until=None, **PRESENT
    )


def given_up(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """End the conversion as failed, because attempts without a mail have failed for too long."""
    said = "Every try to invite without a mail failed, and none can be seen. Retry when the cause is gone."
    return advance(conversion, Stage.FAILED, now, "given up", last_error=said, error_code=GIVEN_UP, lease_until=None)


def to_review(conversion: Conversion, shows: Shows, now: datetime, also: str = "") -> Change[Conversion]:
    """Ask a person to decide, because the invitation may have been sent and the app cannot find out."""
    kept: dict[str, Any] = {
        "findings": (*conversion.findings, outcome_unknown(conversion, shows, also)),
        "verdict": Verdict.NEEDS_REVIEW,
        "lease_until": None,
    }
    return advance(conversion, Stage.NEEDS_REVIEW, now, OUTCOME_UNKNOWN, **kept)


def outcome_unknown(conversion: Conversion, shows: Shows, also: str = "") -> Finding:
    """Return the finding that asks a person whether to send a second invitation."""
    tries = "; ".join(f"{doubt.since:%Y-%m-%d %H:%M:%S} UTC" for doubt in conversion.open_doubts)
    why = "does not show pending invitations" if shows is Shows.NO else "is not known to show pending invitations"
    said = (
        f"An invitation may have been sent, {'without' if all_silent(conversion) else 'with'} a mail (tries: {tries}). "
        f"The account shows none, and this tenant {why}. {also}".rstrip()
    )
    return Finding(OUTCOME_UNKNOWN, Severity.REVIEW, said, FIX, SOURCE)


def asked_before(conversion: Conversion, shows: Shows) -> Finding:
    """Return the finding about the doubt in which a conversion ended.

    If Graph answered with another account, this is the conversion's own finding, because only that finding names the
    other account.
    """
    shown = (item for item in conversion.findings if item.rule == ANOTHER_ACCOUNT)
    return next(shown, None) or outcome_unknown(conversion, shows)


def away(conversion: Conversion, absence: Absence, now: datetime) -> Change[Conversion]:
    """Record that Graph answers 404 for the account's id."""
    waiting = Waiting(WaitReason.ACCOUNT_DELETED, now)
    return note(conversion, "account-away", now, absence.value, absence=absence, absent_since=now, waiting=waiting)


def back(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Record that Graph finds the account by its id again."""
    return note(conversion, "account-back", now, waiting=None, absence=None, absent_since=None)


def gone(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Cancel the conversion, because the account is deleted for good, and its invitation with it."""
    doubt = ", and it is not known whether its invitation went out" if conversion.doubts else ""
    said = f"The account was deleted for good{doubt}."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said, lease_until=None)


def waived(conversion: Conversion) -> tuple[Doubt, ...]:
    """Return the doubts marked as waived, because an approver has seen them and wants another invitation."""
    return tuple(structs.replace(doubt, waived=True) for doubt in conversion.doubts)


PRESENT: dict[str, Any] = {"absence": None, "absent_since": None, "internal_since": None}
"""Columns that say that the account exists and is external."""
