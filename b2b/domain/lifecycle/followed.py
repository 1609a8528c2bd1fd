"""What reading an account again says about its conversion, and about the tenant. Nothing is written here."""

from dataclasses import replace
from datetime import datetime, timedelta

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.next_step import absence_of
from b2b.domain.conversion.records import Change, Conversion, note
from b2b.domain.conversion.situation import SKEW, Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Known
from b2b.domain.conversion.waits import Waiting, WaitReason

STAGES = frozenset({Stage.INVITING, Stage.INVITED, Stage.NEEDS_REVIEW})
"""Stages whose account is followed; once the person has redeemed, the comparison reads it."""


def is_followed(conversion: Conversion) -> bool:
    """Tell whether the sweep still has something to learn: a review is followed while it has a doubt."""
    if conversion.stage is Stage.NEEDS_REVIEW:
        return bool(conversion.doubts)
    return conversion.stage in STAGES


def followed(conversion: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Change[Conversion] | None:
    """Return the change that the account's state means for its conversion. None: it means nothing new.

    Only what shows an invitation moves a conversion on. Its absence counts past the replication window, because reads
    flap between old and new after a write.
    """
    account = sighting.account
    if account is None:
        return _away(conversion, sighting, limits, now)
    if conversion.stage is not Stage.INVITED:
        shows = account.external and conversion.doubts
        return doubts.settled(conversion, account, now) if shows else _back(conversion, now)
    if conversion.absence is not None:
        return _back(conversion, now)
    if account.accepted:
        return doubts.redeemed(replace(conversion, internal_since=None), account, now)
    if account.pending:
        return _pending(conversion, now)
    return _internal(conversion, limits, now)


def learned(before: Conversion, after: Conversion, account: Account | None, known: Known) -> Known:
    """Return what the tenant is known to show after an account was read; the same where it says nothing.

    Only an account that was internal when it was assessed, and whose invitation Graph confirmed with a 201, counts.
    """
    if not (before.was_internal and before.invitation_id):
        return known
    if before.seen_at is None and after.seen_at is not None and after.accepted_at is None:
        return known.after_seen() if _ours(before, account) else known
    invisible = after.waiting is not None and after.waiting.reason is WaitReason.NOT_VISIBLE
    return known.after_invisible(f"{after.user_id}~{after.generation}") if invisible else known


def _ours(conversion: Conversion, account: Account | None) -> bool:
    """Tell whether the account waits because of our invitation: it has waited since then.

    One whose person redeemed, and whose redemption was then reset, waits in every tenant.
    """
    changed = changed_at(account) if account is not None else None
    return changed is not None and conversion.invited_at is not None and changed <= conversion.invited_at + SKEW


def _away(conversion: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Change[Conversion] | None:
    if conversion.stage is Stage.INVITING and not conversion.doubts:
        return None
    return absence_of(conversion, sighting, limits, now)


def _back(conversion: Conversion, now: datetime) -> Change[Conversion] | None:
    return doubts.back(conversion, now) if conversion.absence is not None else None


def _pending(conversion: Conversion, now: datetime) -> Change[Conversion] | None:
    if conversion.seen_at is None:
        return note(conversion, "seen", now, "the account shows the invitation", seen_at=now, waiting=None)
    return undone.refuted(conversion, now) if conversion.internal_since is not None else None


def _internal(conversion: Conversion, limits: Limits, now: datetime) -> Change[Conversion] | None:
    """The account reads as internal, although Graph took its invitation."""
    since = conversion.seen_at or conversion.invited_at or now
    if now < since + limits.window:
        return None
    if conversion.seen_at is None:
        return None if conversion.waiting is not None else _not_visible(conversion, now)
    if conversion.internal_since is None:
        return undone.suspected(conversion, now)
    confirmed = now - conversion.internal_since >= max(limits.confirm, timedelta(0))
    return undone.confirmed(conversion, now) if confirmed else None


def _not_visible(conversion: Conversion, now: datetime) -> Change[Conversion]:
    waiting = Waiting(WaitReason.NOT_VISIBLE, now)
    return note(conversion, "not-visible", now, "the account does not show the invitation", waiting=waiting)
