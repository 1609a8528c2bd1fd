"""When to hold back: a wait that Graph asked the whole tenant for, and a circuit breaker over invitations."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from b2b.domain.conversion.records import Change, Event

SMALLEST_SAMPLE = 5
"""Fewer invitations than this say nothing about a share."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """One row for all instances. A time is None if no limit is in force."""

    paused_until: datetime | None = None
    """Graph asked for a wait: no instance asks it anything before."""
    reason: str = ""
    window_started: datetime | None = None
    sent: int = 0
    failed: int = 0
    """Of the window's invitations those that were refused or got no answer."""
    open_until: datetime | None = None
    """The breaker is open: no instance invites before, and then one probes."""
    why_open: str = ""
    probe_until: datetime | None = None
    """Lease of the instance that is probing; it expires if that instance dies."""
    sequence: int = 0
    etag: str = ""


@dataclass(frozen=True)
class BreakerLimits:
    """More than ``share`` of the invitations of one ``window`` failing opens the breaker for as long as a window."""

    share: float
    window: timedelta


class Permit(Enum):
    """What the breaker says to an instance that wants to invite."""

    SEND = "send"
    PROBE = "probe"
    WAIT = "wait"


def pause(pace: Pace, until: datetime, reason: str, now: datetime) -> Change[Pace] | None:
    """Return the row that holds all instances back. None: a longer wait is in force."""
    if pace.paused_until is not None and pace.paused_until >= until:
        return None
    paused = replace(pace, paused_until=until, reason=reason)
    return Change(paused, (Event("paused", now, detail=f"{(until - now).total_seconds():.0f} s: {reason}"),))


def permit(pace: Pace, now: datetime) -> Permit:
    """Say whether an invitation may go out now."""
    if pace.open_until is None:
        return Permit.SEND
    if now < pace.open_until or (pace.probe_until is not None and now < pace.probe_until):
        return Permit.WAIT
    return Permit.PROBE


def probe(pace: Pace, until: datetime, now: datetime) -> Change[Pace]:
    """Let one through while the breaker is open."""
    return Change(replace(pace, probe_until=until), (Event("breaker-probe", now),))


@dataclass(frozen=True)
class Counts:
    """Invitations of one instance that it has not reported yet."""

    sent: int = 0
    failed: int = 0

    def and_one(self, *, failed: bool) -> "Counts":
        """Count one more."""
        return Counts(self.sent + 1, self.failed + int(failed))


def counted(pace: Pace, now: datetime, limits: BreakerLimits, counts: Counts) -> Change[Pace] | None:
    """Return the row with an instance's counts added. None: the breaker is open, and only a probe counts."""
    if pace.open_until is not None:
        return None
    fresh = pace.window_started is None or now - pace.window_started >= limits.window
    sent, failures = (counts.sent, counts.failed) if fresh else (pace.sent + counts.sent, pace.failed + counts.failed)
    row = replace(pace, window_started=now if fresh else pace.window_started, sent=sent, failed=failures)
    if sent < SMALLEST_SAMPLE or failures <= limits.share * sent:
        return Change(row)
    return opened(row, now, limits, f"{failures} of {sent} invitations failed")


def opened(pace: Pace, now: datetime, limits: BreakerLimits, detail: str) -> Change[Pace]:
    """Open the breaker."""
    row = replace(pace, open_until=now + limits.window, probe_until=None, why_open=detail)
    return Change(row, (Event("breaker-open", now, detail=detail),))


def probed(pace: Pace, now: datetime, limits: BreakerLimits, *, failed: bool) -> Change[Pace] | None:
    """Return the row as a probe leaves it. None: another instance has closed the breaker meanwhile."""
    if pace.open_until is None:
        return None
    if failed:
        return opened(pace, now, limits, "the probe failed")
    closed = replace(pace, open_until=None, probe_until=None, window_started=None, sent=0, failed=0, why_open="")
    return Change(closed, (Event("breaker-closed", now, detail="the probe succeeded"),))
