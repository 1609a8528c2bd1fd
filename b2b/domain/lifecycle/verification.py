"""Compare what the directory grants an account before its invitation and after its redemption.

An account is verified once two reads equal the baseline. Both must begin after the redemption was seen, at least one
replication window apart, because a replica may show the old state for that long. If a read differs, the app reads again
until the deadline, because a replica may lag or someone may repair the difference. After the deadline, a person
decides. This module reads and writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from b2b.domain.conversion import undone
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.next_step import absence_of
from b2b.domain.conversion.proof import FOUND_AFTER, proven, unverified
from b2b.domain.conversion.records import Absence, Change, Conversion, advance, chain, note
from b2b.domain.conversion.redeemer import Redeemer, doubtful
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.findings import ACCESS_CHANGED, Finding, Severity, Verdict, without
from b2b.domain.lifecycle.snapshot import Moment, Snapshot, compare, label, sentence

SOURCE = "https://learn.microsoft.com/entra/external-id/invite-internal-users"
FIX = "Restore what is missing and compare again (POST …/compare), or accept the change (POST …/accept)."
LOST = "The snapshot from before the invitation cannot be read, so nothing can be compared."
REFRESH = timedelta(days=7)
"""How often the access of an invited account is read again. Changes before the redemption are no findings."""
SOONEST, LATEST = timedelta(minutes=10), timedelta(hours=6)
"""Shortest and longest back-off of an account that differs."""
SLOWDOWN = 4
"""The back-off of an account that differs is the time for which it has been compared, divided by this."""


@dataclass(frozen=True)
class Look:
    """One read of an account and of what the directory grants it."""

    sighting: Sighting
    """Its ``at`` is a time before the first of the reads."""
    snapshot: Snapshot | None
    """None if the account was not found."""
    redeemer: Redeemer | None = None
    """Who redeemed; None if the account shows no redemption."""


@dataclass(frozen=True)
class Kept:
    """The snapshots that a conversion has: the baseline, and one taken while the account was pending."""

    before: Snapshot | None
    seen: Snapshot | None = None


@dataclass(frozen=True)
class Terms:
    """The times that decide a comparison."""

    limits: Limits
    ends_at: datetime
    """The deadline, after which a person decides about a difference."""
    now: datetime


@dataclass(frozen=True)
class Outcome:
    """What to write after a read, and when to read again."""

    change: Change[Conversion] | None = None
    keep: tuple[tuple[Moment, Snapshot], ...] = ()
    """The snapshots to store."""
    look_at: datetime | None = None
    """When to read again; None if the account need not be read again."""


def compared(row: Conversion, look: Look, kept: Kept, limits: Limits, deadline: timedelta, now: datetime) -> Outcome:
    """Return the outcome of a read for a conversion that is `accepted`."""
    ends_at = (row.comparing_since or now) + deadline
    account = look.sighting.account
    if account is None or look.snapshot is None:
        return _absent(row, look.sighting, limits, ends_at, now)
    if row.absence is not None:
        return Outcome(note(row, "account-back", now, absence=None, absent_since=None, **_comparing(now)), look_at=now)
    if not account.accepted:
        return _not_accepted(row, look.sighting, limits, now)
    return _redeemed(row, look, kept, Terms(limits, ends_at, now))


def refreshed(row: Conversion, look: Look, kept: Kept, limits: Limits, now: datetime) -> Outcome:
    """Return the outcome of a read for a conversion that is `invited`. A change before the redemption is no finding.

    One read may show the account before its redemption and its access after it. So a changed snapshot becomes the
    baseline only if another read, a window later, still shows no redemption.
    """
    account = look.sighting.account
    if account is None or look.snapshot is None or account.accepted or kept.before is None:
        return Outcome(look_at=_next_refresh(row, now) if account is None else None)
    change: Change[Conversion] | None = None
    baseline, keep = kept.before, dict[Moment, Snapshot]()
    if row.access_seen_at is not None and kept.seen is not None:
        if look.sighting.at - row.access_seen_at < limits.window:
            return Outcome(look_at=row.access_seen_at + limits.window)
        said = sentence(compare(baseline, kept.seen)) or "more can be read than before"
        change = note(row, "access-changed-before", now, said, baseline=row.generation, access_seen_at=None)
        baseline = keep[Moment.BEFORE] = kept.seen
    newer = baseline.updated(look.snapshot)
    if newer is None:
        return Outcome(change, tuple(keep.items()), _next_refresh(row, now))
    keep[Moment.SEEN] = newer
    seen = note(change.row if change else row, "access-seen", now, access_seen_at=now)
    return Outcome(chain(change, seen) if change else seen, tuple(keep.items()), now + limits.window)


def completed(row: Conversion, now: datetime) -> Change[Conversion]:
    """Complete a conversion that is proven."""
    return advance(row, Stage.COMPLETED, now)


def accepted_by(row: Conversion, decision: str, now: datetime) -> Change[Conversion]:
    """Complete a conversion whose differences a person accepts. Its findings stay, with the person's decision."""
    found = [each for each in row.findings if each.rule in FOUND_AFTER]
    said = " ".join(each.message for each in found)
    kept = tuple(_taken(each, decision) if each in found else each for each in row.findings)
    return advance(row, Stage.COMPLETED, now, f"accepted {decision}: {said}", findings=kept, verdict=Verdict.READY)


def compared_anew(row: Conversion, decision: str, now: datetime) -> Change[Conversion]:
    """Start another comparison, with a new deadline, after a person has repaired something."""
    fresh: dict[str, Any] = {
        "findings": without(row.findings, *FOUND_AFTER),
        "verdict": Verdict.READY,
        "comparing_since": now,
        "equal_since": None,
        "sign_in_matches": "",
        "signs_in_with": "",
    }
    return advance(row, Stage.ACCEPTED, now, f"compared again {decision}", **fresh, **_comparing(now))


def first_refresh(row: Conversion, now: datetime) -> datetime | None:
    """Return when the access of an invited account is first read again; None if there is no baseline."""
    return _next_refresh(row, now) if row.baseline else None


def _redeemed(row: Conversion, look: Look, kept: Kept, terms: Terms) -> Outcome:
    """Return the outcome for an account that shows the redemption: compare it with the baseline."""
    now, after = terms.now, look.snapshot
    if row.internal_since is not None:
        return Outcome(undone.refuted(row, now), look_at=now)
    if after is None or kept.before is None:
        return Outcome(unverified(row, (_changed(LOST),), look.redeemer, now))
    differences = compare(kept.before, after)
    if _by_other(row, look, terms) or (differences and now >= terms.ends_at):
        findings = (_changed(f"{sentence(differences)}."),) if differences else ()
        return Outcome(unverified(row, findings, look.redeemer, now), ((Moment.AFTER, after),))
    if not differences:
        return _equal(row, look, kept.before, terms)
    change = note(row, "differs", now, sentence(differences), equal_since=None) if row.equal_since else None
    soon = _settled_at(row, terms) if _in_doubt(row, look) else terms.ends_at
    return Outcome(change, look_at=min(_later(row, now), soon, terms.ends_at))


def _by_other(row: Conversion, look: Look, terms: Terms) -> bool:
    """Tell whether the redeemer is in doubt and the read is too late to come from a lagging replica."""
    return _in_doubt(row, look) and look.sighting.at >= _settled_at(row, terms)


def _in_doubt(row: Conversion, look: Look) -> bool:
    return look.redeemer is not None and doubtful(look.redeemer, corrected=row.corrected)


def _settled_at(row: Conversion, terms: Terms) -> datetime:
    """Return the time from which a read surely shows who redeemed, because a replica may lag for one window."""
    return (row.comparing_since or terms.now) + terms.limits.window


def _equal(row: Conversion, look: Look, before: Snapshot, terms: Terms) -> Outcome:
    now, window = terms.now, terms.limits.window
    if row.equal_since is None:
        first = note(row, "equal", now, "once", equal_since=look.sighting.at)
        return Outcome(first, look_at=look.sighting.at + window)
    if look.sighting.at - row.equal_since < window:
        return Outcome(look_at=row.equal_since + window)
    unread = "; ".join(f"{label(kind)}: {why}" for kind, why in before.unread.items())
    said = f"not compared: {unread}" if unread else "everything was compared"
    proof = proven(row, Stage.VERIFIED, said, look.redeemer, now)
    keep = ((Moment.AFTER, look.snapshot),) if look.snapshot is not None else ()
    return Outcome(chain(proof, completed(proof.row, now)), keep)


def _absent(row: Conversion, sighting: Sighting, limits: Limits, ends_at: datetime, now: datetime) -> Outcome:
    change = absence_of(row, sighting, limits, now)
    if change is not None and change.row.stage is Stage.CANCELLED:
        return Outcome(change)
    settled = row.absence is Absence.BIN and row.absent_since is not None and now - row.absent_since >= limits.window
    if change is None and settled and now >= ends_at:
        said = "The account is in the recycle bin. Restore it, or accept that it is gone."
        return Outcome(unverified(row, (_changed(said),), None, now))
    return Outcome(change, look_at=min(_later(row, now), max(ends_at, now + limits.window)))


def _not_accepted(row: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Outcome:
    """Return the outcome for an account that no longer shows the redemption. Within the window, a replica may lag."""
    believed = (row.accepted_at or now) + limits.window
    if now < believed:
        return Outcome(look_at=believed)
    if sighting.account is not None and sighting.account.pending:
        return Outcome(undone.reset_meanwhile(row, sighting.account, now))
    if row.internal_since is None:
        return Outcome(undone.suspected(row, now), look_at=now + limits.confirm)
    if now - row.internal_since < limits.confirm:
        return Outcome(look_at=row.internal_since + limits.confirm)
    return Outcome(undone.confirmed(row, now))


def _changed(said: str) -> Finding:
    return Finding(ACCESS_CHANGED, Severity.REVIEW, f"After the redemption: {said}", FIX, SOURCE)


def _taken(found: Finding, decision: str) -> Finding:
    said = f"{found.message} Accepted {decision}."
    return Finding(found.rule, Severity.INFO, said, "Nothing: it was accepted.", found.source)


def _comparing(now: datetime) -> dict[str, Any]:
    return {"waiting": Waiting(WaitReason.COMPARING, now)}


def _later(row: Conversion, now: datetime) -> datetime:
    return now + min(max((now - (row.comparing_since or now)) / SLOWDOWN, SOONEST), LATEST)


def _next_refresh(row: Conversion, now: datetime) -> datetime:
    """Return the next multiple of `REFRESH` since the invitation, which is the same for every caller."""
    begun = row.invited_at or now
    return begun + ((now - begun) // REFRESH + 1) * REFRESH
