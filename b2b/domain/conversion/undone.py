"""Record that a redemption was reset, that an account was made internal again, or that it is invited again."""

from dataclasses import replace
from datetime import datetime

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion.doubts import PRESENT
from b2b.domain.conversion.records import Change, Conversion, advance, begin, note
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import ACCESS_CHANGED, REDEEMED_BY_OTHER, without


def reset(conversion: Conversion, account: Account, request_id: str, now: datetime) -> Change[Conversion]:
    """Begin a generation at `invited`, because a completed redemption was reset. The app sends nothing.

    The snapshot from before the first invitation is out of date, so the app will not compare with it.

    Source: https://learn.microsoft.com/entra/external-id/reset-redemption-status.
    """
    opening = replace(
        conversion,
        stage=Stage.INVITED,
        request_id=request_id,
        joined=0,
        invited_at=changed_at(account) or now,
        seen_at=now,
        accepted_at=None,
        completed_at=None,
        invitation_id="",
        baseline=0,
        access_seen_at=None,
        comparing_since=None,
        equal_since=None,
        sign_in_matches="",
        signs_in_with="",
        **PRESENT,
    )
    return begin(conversion, opening, now, "the redemption was reset; nothing is sent")


def reset_meanwhile(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    """Move a conversion that has not ended back to `invited`, because its redemption was reset. Send nothing."""
    return advance(
        conversion,
        Stage.INVITED,
        now,
        "the redemption was reset; nothing is sent",
        invited_at=changed_at(account) or now,
        seen_at=now,
        accepted_at=None,
        access_seen_at=None,
        comparing_since=None,
        equal_since=None,
        findings=without(conversion.findings, ACCESS_CHANGED, REDEEMED_BY_OTHER),
        sign_in_matches="",
        signs_in_with="",
        **PRESENT,
    )


def suspected(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Record the first read that shows the account as internal. A second such read must confirm this."""
    return note(conversion, "reads-internal", now, internal_since=now)


def confirmed(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """End the conversion, because two reads have shown that the account was made internal again."""
    said = "The account was made internal again, so its invitation is void."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said)


def refuted(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Record that the account shows its invitation, so the read as internal came from a lagging replica."""
    return note(conversion, "reads-external", now, internal_since=None)


def superseded(conversion: Conversion, request_id: str, now: datetime) -> Change[Conversion]:
    """Cancel a generation whose invitation the account does not show, because a person asked for another invitation."""
    said = f"Another invitation was asked for with request {request_id}."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said)
