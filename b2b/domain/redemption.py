"""What reading the account again says about a conversion that is under way."""

from dataclasses import replace
from datetime import datetime, timedelta

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion import Change, Conversion, Event, Stage, advance

NOT_VISIBLE = "Graph accepted the invitation but the account never showed it"


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
        return settled(conversion, now) if account.pending or account.accepted else None
    if account.accepted:
        return _accepted(conversion, account, now)
    overdue = not account.pending and now - (conversion.invited_at or now) > replication_window
    if overdue and conversion.last_error != NOT_VISIBLE:
        # Whether a pending account shows its state at all is inferred, so this is said, and the account stays followed.
        noted = Event("not-visible", now, stage, conversion.request_id, NOT_VISIBLE)
        return Change(replace(conversion, last_error=NOT_VISIBLE), (noted,))
    return None


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
