"""Which of the followed accounts have to be read one by one. Graph lists who still waits, and the difference is news.

An account that the list showed when it was last read is news once it is absent; one that it did not show is news once
it is there. What is absent for a lasting reason (deleted, in doubt, a tenant that shows nothing) stands in the schedule
and is looked at when its time comes.
"""

import zlib
from datetime import datetime, timedelta

from b2b.domain.conversion.records import Absence, Conversion
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.readings import Followed

BATCH = 20
"""Accounts that one call reads by id. So many pages of the list cost as much as reading twenty times as many by id."""
LEARNERS = 5 * BATCH
"""Young accounts that one run reads to learn what the tenant shows."""
SOONEST, LATEST = timedelta(minutes=10), timedelta(hours=6)
"""Bounds of the back-off of an account that is absent from the list."""
SLOWDOWN = 4
"""An absent account is looked at again after this part of the time for which it has been followed."""


def is_young(entry: Followed, limits: Limits, now: datetime) -> bool:
    """Tell whether a read may still show the time before the claim, so that it proves nothing."""
    return not entry.put_off and now - entry.since < limits.window


def is_news(entry: Followed, *, listed: bool | None) -> bool:
    """Tell whether an account past the window has to be read by id. ``listed`` is None without a list."""
    if entry.put_off:
        return listed is True and not entry.shown
    return not (entry.shown and listed is True)


def next_look(conversion: Conversion, since: datetime, limits: Limits, now: datetime) -> datetime:
    """Return when an account that the list does not show is to be looked at again.

    The older its entry in the index, the later; but not later than the moment at which a look decides something.
    Accounts that were invited together are spread out, so that they do not all come due at once.
    """
    spread = 1 - zlib.crc32(conversion.user_id.encode()) / 2**32 / SLOWDOWN
    backoff = now + max(min((now - since) / SLOWDOWN, LATEST) * spread, SOONEST)
    ahead = [moment for moment in _decisive(conversion, limits) if moment > now]
    return min([backoff, *ahead])


def _decisive(conversion: Conversion, limits: Limits) -> list[datetime]:
    """The moments from which on what reads show is believed."""
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
