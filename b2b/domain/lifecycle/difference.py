"""Decide which of the followed accounts have to be read one by one.

Graph lists the accounts whose person has not redeemed yet. If an account was on the list when the account was last
read, its absence is news; if it was not, its presence is news. Only accounts with news are read. An account that is
absent for a lasting reason (deleted, in doubt, or in a tenant that shows no invitations) has an entry in the schedule
and is read when that is due.
"""

import zlib
from datetime import datetime, timedelta

from b2b.domain.conversion.records import Absence, Conversion
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.readings import Followed

BATCH = 20
"""Accounts that one call reads by id. One page of the list costs as much as reading this many accounts by id."""
LEARNERS = 5 * BATCH
"""The largest number of young accounts that one run reads to learn whether the tenant shows invitations."""
SOONEST, LATEST = timedelta(minutes=10), timedelta(hours=6)
"""Shortest and longest back-off of an account that is absent from the list."""
SLOWDOWN = 4
"""The back-off of an absent account is the time for which it has been followed, divided by this."""


def is_young(entry: Followed, limits: Limits, now: datetime) -> bool:
    """Tell whether a read may still show the state before the claim, and so proves nothing."""
    return not entry.put_off and now - entry.since < limits.window


def is_news(entry: Followed, *, listed: bool | None) -> bool:
    """Tell whether an account past the window has to be read by id.

    ``listed``: whether Graph's list names the account; None if there is no list.
    """
    if entry.put_off:
        return listed is True and not entry.shown
    return not (entry.shown and listed is True)


def next_look(conversion: Conversion, since: datetime, limits: Limits, now: datetime) -> datetime:
    """Return when to read an account again that Graph's list does not show.

    The back-off grows with the time since ``since``, from which the account has been followed. The back-off is cut
    short if a read can decide something earlier. Accounts that were invited together are spread out, so that they are
    not all due at once.
    """
    spread = 1 - zlib.crc32(conversion.user_id.encode()) / 2**32 / SLOWDOWN
    backoff = now + max(min((now - since) / SLOWDOWN, LATEST) * spread, SOONEST)
    ahead = [moment for moment in _decisive(conversion, limits) if moment > now]
    return min([backoff, *ahead])


def _decisive(conversion: Conversion, limits: Limits) -> list[datetime]:
    """Return the times from which a read can decide something about the conversion."""
    found: list[datetime] = []
    if conversion.absent_since is not None:
        lasting = limits.bin if conversion.absence is Absence.BIN else limits.window
        found.append(conversion.absent_since + lasting)
    if conversion.internal_since is not None:
        found.append(conversion.internal_since + limits.confirm)
    if conversion.stage is Stage.INVITED and conversion.invited_at is not None and conversion.seen_at is None:
        found.append(conversion.invited_at + limits.window)
    found += [doubt.until + limits.window for doubt in conversion.open_doubts]
    return found
