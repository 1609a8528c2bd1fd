"""When to hold back: a wait that Graph asked the whole tenant for, and a circuit breaker over invitations."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from b2b.domain.conversion import Change, Event

SMALLEST_SAMPLE = 5
"""Fewer invitations than this say nothing about a share."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """One row for all instances. Times are None where nothing holds."""

    paused_until: datetime | None = None
    """Graph asked for a wait: nobody asks it anything before."""
    reason: str = ""
    window_started: datetime | None = None
    sent: int = 0
    failed: int = 0
    """Of the window's invitations those that were refused or got no answer."""
    open_until: datetime | None = None
    """The breaker is open: nobody invites before, and then one probes."""
    probe_until: datetime | None = None
    """Somebody probes; the lease ends of itself should that somebody die."""
    sequence: int = 0
    etag: str = ""


@dataclass(frozen=True)
class BreakerLimits:
    """More than ``share`` of the invitations of one ``window`` failing opens the breaker for as long as a window."""

    share: float
    window: timedelta


class Permit(Enum):
    """What the breaker says to one who wants to invite."""

    SEND = "send"
    PROBE = "probe"
    WAIT = "wait"


def pause(pace: Pace, until: datetime, reason: str, now: datetime) -> Change[Pace] | None:
    """Hold everybody back; None where a longer wait holds already."""
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


def counted(pace: Pace, now: datetime, limits: BreakerLimits, *, failed: bool, probing: bool) -> Change[Pace] | None:
    """Count one invitation: its outcome may open the breaker. Once it is open, only the one that probes counts."""
    if pace.open_until is not None:
        return _probed(pace, now, limits, failed=failed) if probing else None
    fresh = pace.window_started is None or now - pace.window_started >= limits.window
    sent, failures = (1, int(failed)) if fresh else (pace.sent + 1, pace.failed + int(failed))
    row = replace(pace, window_started=now if fresh else pace.window_started, sent=sent, failed=failures)
    if sent < SMALLEST_SAMPLE or failures <= limits.share * sent:
        return Change(row)
    detail = f"{failures} of {sent} invitations failed"
    return Change(replace(row, open_until=now + limits.window), (Event("breaker-open", now, detail=detail),))


def _probed(pace: Pace, now: datetime, limits: BreakerLimits, *, failed: bool) -> Change[Pace]:
    if failed:
        still_open = replace(pace, open_until=now + limits.window, probe_until=None)
        return Change(still_open, (Event("breaker-open", now, detail="the probe failed"),))
    closed = replace(pace, open_until=None, probe_until=None, window_started=None, sent=0, failed=0)
    return Change(closed, (Event("breaker-closed", now, detail="the probe succeeded"),))
