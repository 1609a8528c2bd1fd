"""When to stop sending: the wait that Graph asked for, and the circuit breaker for invitations."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from b2b.domain.conversion.records import Change, Event

SMALLEST_SAMPLE = 5
"""Fewest invitations in a window for the share of failures to count."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What all instances share about sending, in one row. A time is None if it does not apply."""

    paused_until: datetime | None = None
    """The end of the wait that Graph asked for. Until then no instance calls Graph."""
    reason: str = ""
    window_started: datetime | None = None
    sent: int = 0
    failed: int = 0
    """How many of the window's invitations were refused or got no answer."""
    open_until: datetime | None = None
    """Until this time the breaker lets no instance invite; then one instance probes. None if the breaker is closed."""
    why_open: str = ""
    probe_until: datetime | None = None
    """The end of the lease of the instance that is probing. After it another instance may probe."""
    sequence: int = 0
    etag: str = ""


@dataclass(frozen=True)
class BreakerLimits:
    """If more than ``share`` (0 to 1) of the invitations in a ``window`` fail, the breaker opens for one window."""

    share: float
    window: timedelta


class Permit(Enum):
    """The breaker's answer to an instance that wants to invite."""

    SEND = "send"
    PROBE = "probe"
    WAIT = "wait"


def pause(pace: Pace, until: datetime, reason: str, now: datetime) -> Change[Pace] | None:
    """Return the change that makes all instances wait until ``until``; None if a longer wait is in force."""
    if pace.paused_until is not None and pace.paused_until >= until:
        return None
    paused = replace(pace, paused_until=until, reason=reason)
    return Change(paused, (Event("paused", now, detail=f"{(until - now).total_seconds():.0f} s: {reason}"),))


def permit(pace: Pace, now: datetime) -> Permit:
    """Return whether an instance may invite now, may send a probe, or has to wait."""
    if pace.open_until is None:
        return Permit.SEND
    if now < pace.open_until or (pace.probe_until is not None and now < pace.probe_until):
        return Permit.WAIT
    return Permit.PROBE


def probe(pace: Pace, until: datetime, now: datetime) -> Change[Pace]:
    """Return the change that lets one instance send a probe until ``until``."""
    return Change(replace(pace, probe_until=until), (Event("breaker-probe", now),))


@dataclass(frozen=True)
class Counts:
    """Invitations of one instance that are not added to the shared row yet."""

    sent: int = 0
    failed: int = 0

    def and_one(self, *, failed: bool) -> "Counts":
        """Return the counts with one more invitation."""
        return Counts(self.sent + 1, self.failed + int(failed))


def counted(pace: Pace, now: datetime, limits: BreakerLimits, counts: Counts) -> Change[Pace] | None:
    """Return the change that adds an instance's counts, and opens the breaker if too many invitations failed.

    None if the breaker is open already: then only a probe counts.
    """
    if pace.open_until is not None:
        return None
    fresh = pace.window_started is None or now - pace.window_started >= limits.window
    sent, failures = (counts.sent, counts.failed) if fresh else (pace.sent + counts.sent, pace.failed + counts.failed)
    row = replace(pace, window_started=now if fresh else pace.window_started, sent=sent, failed=failures)
    if sent < SMALLEST_SAMPLE or failures <= limits.share * sent:
        return Change(row)
    return opened(row, now, limits, f"{failures} of {sent} invitations failed")


def unused(pace: Pace, until: datetime, now: datetime) -> Change[Pace] | None:
    """Return the row without the lease of a probe that sent nothing; None if another probe holds the lease by now."""
    if pace.probe_until != until:
        return None
    return Change(replace(pace, probe_until=None), (Event("breaker-probe-unused", now),))


def opened(pace: Pace, now: datetime, limits: BreakerLimits, detail: str) -> Change[Pace]:
    """Return the change that opens the breaker for one window."""
    row = replace(pace, open_until=now + limits.window, probe_until=None, why_open=detail)
    return Change(row, (Event("breaker-open", now, detail=detail),))


def probed(pace: Pace, now: datetime, limits: BreakerLimits, *, failed: bool) -> Change[Pace] | None:
    """Return the change that a probe makes: the breaker closes, or stays open for another window if the probe failed.

    None if another instance has closed the breaker meanwhile.
    """
    if pace.open_until is None:
        return None
    if failed:
        return opened(pace, now, limits, "the probe failed")
    closed = replace(pace, open_until=None, probe_until=None, window_started=None, sent=0, failed=0, why_open="")
    return Change(closed, (Event("breaker-closed", now, detail="the probe succeeded"),))
