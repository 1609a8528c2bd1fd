"""Decide what a new read of an account changes in its conversion, and what it shows about the tenant.

This module reads and writes nothing.
"""

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
"""The stages in which the sweep follows an account. After the redemption, the comparison reads the account instead."""


def is_followed(conversion: Conversion) -> bool:
    """Tell whether the sweep follows the account. In review, it is followed only while its conversion has a doubt."""
    if conversion.stage is Stage.NEEDS_REVIEW:
        return bool(conversion.doubts)
    return conversion.stage in STAGES


def followed(conversion: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Change[Conversion] | None:
    """Return the change that the account's state causes in its conversion; None if there is none.

    An account that shows an invitation counts at once. An account that shows none counts only after the replication
    window, because after a write, reads may alternate between the old and the new state.
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
    """Return what is known about the tenant after an account was read; ``known`` if the read adds nothing.

    An account counts only if it was internal when it was assessed, and if Graph confirmed its invitation with a 201.
    """
    if not (before.was_internal and before.invitation_id):
        return known
    if before.seen_at is None and after.seen_at is not None and after.accepted_at is None:
        return known.after_seen() if _ours(before, account) else known
    invisible = after.waiting is not None and after.waiting.reason is WaitReason.NOT_VISIBLE
    return known.after_invisible(f"{after.user_id}~{after.generation}") if invisible else known


def _ours(conversion: Conversion, account: Account | None) -> bool:
    """Tell whether the account has been pending since the app's invitation, and not only since a later reset.

    After a reset of its redemption, an account is pending in every tenant, so it proves nothing about this one.
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
    """Return the change for an account that reads as internal although Graph accepted its invitation."""
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
