"""What reading the account again says about a conversion that is under way."""

from dataclasses import replace
from datetime import datetime, timedelta

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion import Change, Conversion, Event, Stage, advance

NOT_VISIBLE = "Graph accepted the invitation but the account never showed it"
ABANDONED = "the request that led this conversion ended before the invitation's outcome was known, and none went out"


def followed(
    conversion: Conversion, account: Account | None, now: datetime, replication_window: timedelta
) -> Change[Conversion] | None:
    """Return what the account's state means for its conversion; None: nothing new.

    A single read proves little, because reads flap after writes: only what shows an invitation moves a conversion on,
    and its absence counts once the replication window has passed.
    """
    stage = conversion.stage
    if stage is Stage.ACCEPTED:
        return completed(conversion, now)
    if account is None or stage not in {Stage.INVITING, Stage.INVITED}:
        return None
    if stage is Stage.INVITING:
        tried = conversion.intent_at is not None  # otherwise what the account shows came from elsewhere
        return settled(conversion, now) if tried and (account.pending or account.accepted) else None
    if account.accepted:
        return _accepted(conversion, account, now)
    overdue = not account.pending and now - (conversion.invited_at or now) > replication_window
    if overdue and conversion.last_error != NOT_VISIBLE:
        # Whether a pending account shows its state at all is inferred, so this is said, and the account stays followed.
        noted = Event("not-visible", now, stage, conversion.request_id, NOT_VISIBLE)
        return Change(replace(conversion, last_error=NOT_VISIBLE), (noted,))
    return None


def in_doubt_until(conversion: Conversion, replication_window: timedelta) -> datetime | None:
    """Return when an account that still shows nothing may be taken for untouched; None: no call is in doubt.

    The effect may have come as late as the end of the call, which is when its lease was given back, or ended.
    """
    if conversion.intent_at is None:
        return None
    return max(conversion.intent_at, conversion.lease_until or conversion.intent_at) + replication_window


def abandoned(conversion: Conversion, now: datetime, replication_window: timedelta) -> Change[Conversion] | None:
    """End a claim that no request is at work on any more, once it is certain that nothing went out; None: not yet."""
    held_until = in_doubt_until(conversion, replication_window) or conversion.lease_until
    if conversion.stage is not Stage.INVITING or (held_until is not None and now < held_until):
        return None
    return advance(conversion, Stage.FAILED, now, ABANDONED, last_error=ABANDONED, lease_until=None)


def settled(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """The account shows the invitation whose outcome was unknown: it went out when the intent was written."""
    return advance(
        conversion,
        Stage.INVITED,
        now,
        "settled by reading the account",
        invited_at=conversion.intent_at or now,
        last_error="",
    )


def completed(conversion: Conversion, now: datetime) -> Change[Conversion]:
    """Nothing stands between acceptance and completion yet."""
    return advance(conversion, Stage.COMPLETED, now, completed_at=now)


def _accepted(conversion: Conversion, account: Account, now: datetime) -> Change[Conversion]:
    accepted = advance(conversion, Stage.ACCEPTED, now, accepted_at=changed_at(account) or now)
    done = completed(accepted.row, now)
    return replace(done, events=(*accepted.events, *done.events))
