"""What an administrator, or Microsoft, did to an account after its invitation: reset, or made internal again."""

from dataclasses import replace
from datetime import datetime

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion.doubts import PRESENT
from b2b.domain.conversion.records import Change, Conversion, advance, begin, note
from b2b.domain.conversion.stages import Stage


def reset(conversion: Conversion, account: Account, request_id: str, now: datetime) -> Change[Conversion]:
    """The account waits for a redemption again: a new generation goes on at `invited`, and sends nothing.

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
        **PRESENT,
    )
    return begin(conversion, opening, now, "the redemption was reset; nothing is sent")


def suspected(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account reads as internal for the first time."""
    return note(conversion, "reads-internal", now, internal_since=now)


def confirmed(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account was made internal again while its invitation waited."""
    said = "The account was made internal again, so its invitation is void."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said)


def refuted(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account shows its invitation after all: the read before came from a replica that lagged."""
    return note(conversion, "reads-external", now, internal_since=None)


def superseded(conversion: Conversion, request_id: str, now: datetime) -> Change[Conversion]:
    """A person wants the account invited again, because it does not show the invitation."""
    said = f"Another invitation was asked for with request {request_id}."
    return advance(conversion, Stage.CANCELLED, now, said, last_error=said)
