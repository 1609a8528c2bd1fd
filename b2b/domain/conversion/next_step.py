"""Decide the next step of one request, as a pure function.

`next_step` gets all known facts and returns one step: possibly to read something first (`Look`, `Judge`). A workflow
carries it out and asks again.

The promise: the app sends a person no second mail unless an administrator asks for it by an approval (`again`), a
resend or a correction. The app keeps the promise as follows:

* An ended request does nothing (`next_step`), or only copies a later end of its conversion (`_own`).
* A conversion has one leader. Every other request joins it and sends nothing (`_other`).
* While a claim's lease runs, no other delivery invites (`_lead`).
* The app stores an attempt as a doubt with its claim, before the call. The doubt forbids the next attempt until the
  account shows the invitation, the tenant proves that none was sent, or a person waives the doubt. Attempts without a
  mail may be repeated (`_doubt`, `_doubtful_end`).
* The directory wins over the ledger, but only by a read that no lagging replica can give (`_invited`, `_completed`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from b2b.domain.account import Account
from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.assessment import Assessment, Sighting
from b2b.domain.conversion.opening import NOTHING_TO_ADOPT, adoptable, adopted
from b2b.domain.conversion.records import Absence, Change, Conversion
from b2b.domain.conversion.situation import (
    SKEW,
    CallOff,
    Claim,
    Conclude,
    Done,
    Join,
    Judge,
    Limits,
    Look,
    Record,
    Report,
    Review,
    Show,
    Situation,
    Step,
    Wait,
)
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Finding, Verdict
from b2b.domain.request.record import belongs
from b2b.domain.request.review import not_visible

VERDICTS = {Verdict.BLOCKED: Stage.BLOCKED, Verdict.FIXABLE: Stage.BLOCKED, Verdict.NEEDS_REVIEW: Stage.NEEDS_REVIEW}
"""The stage to which a verdict other than `ready` leads."""


def next_step(s: Situation) -> Step:
    """Return the next step of a request."""
    if not s.request.at_work:
        return Done()
    if s.request.only_judged:
        return Judge() if s.assessment is None else Report(s.assessment)
    if s.conversion is None:
        return _open(s)
    if s.request.request_id in s.conversion.called_off:
        return CallOff()
    return _own(s, s.conversion) if belongs(s.request, s.conversion) else _other(s, s.conversion)


def _own(s: Situation, conversion: Conversion) -> Step:
    """Return the step of a request that belongs to this conversion. Only the leader acts; the others show the stage."""
    if conversion.stage is not Stage.INVITING or conversion.request_id != s.request.request_id:
        return Show()
    return _lead(s, conversion)


def _lead(s: Situation, conversion: Conversion) -> Step:
    """Return the step of the leader. The leader invites only if no call can be running and no attempt is in doubt."""
    left = _until(conversion.lease_until, s.now)
    if left > 0:
        return Wait(WaitReason.INVITING, left)
    if conversion.open_doubts:
        return _doubt(s, conversion)
    return _open(s)


def _doubt(s: Situation, conversion: Conversion) -> Step:
    """Return the step of a leader whose attempt is in doubt.

    An invitation that the account shows settles the doubt at once. An account that shows none proves something only
    after the window, and a deleted account proves nothing.
    """
    if s.sighting is None:
        return Look()
    if s.sighting.account is None:
        return _absent(s, conversion, s.sighting)
    if s.sighting.account.external:
        return Record(doubts.settled(conversion, s.sighting.account, s.now))
    if conversion.absence is not None:
        return Record(doubts.back(conversion, s.now))
    return _invisible(s, conversion)


def _invisible(s: Situation, conversion: Conversion) -> Step:
    """Return the step if the account shows no invitation. After the window, the first condition that holds decides.

    * Graph answered an open attempt with another account (not `can_be_disproved`): a person decides.
    * The tenant shows invitations: none was sent (`disproved`). Without the doubt, the next step invites.
    * No attempt asked for a mail, and neither does the next: repeat it.
    * The app does not know yet what the tenant shows: wait, at most until the give-up time.
    * Otherwise a person decides: about the conversion while it is inviting, or about the new request if the conversion
      has ended (`_doubtful_end`).
    """
    left = _until(doubts.window_ends(conversion, s.limits.window), s.now)
    if left > 0:
        return Wait(WaitReason.OUTCOME_PENDING, max(left / 4, 15.0))
    provable, still_inviting = doubts.can_be_disproved(conversion), conversion.stage is Stage.INVITING
    if provable and s.shows is Shows.YES:
        return Record(doubts.disproved(conversion, s.now))
    if provable and doubts.all_silent(conversion) and s.silent:
        return _repeat_silently(s, conversion) if still_inviting else _open(s)
    tried = s.now - conversion.open_doubts[0].since
    if provable and s.shows is Shows.UNKNOWN and tried < s.limits.give_up:
        return Wait(WaitReason.OUTCOME_UNKNOWN)
    if still_inviting:
        return Record(doubts.to_review(conversion, s.shows, s.now))
    return Review(doubts.asked_before(conversion, s.shows))


def _repeat_silently(s: Situation, conversion: Conversion) -> Step:
    """Repeat an attempt without a mail until the give-up time. No attempt so far asked for a mail.

    If the rules now refuse the request, a person decides about the attempts so far.
    """
    if s.now - conversion.open_doubts[0].since >= s.limits.give_up:
        return Record(doubts.given_up(conversion, s.now))
    step = _open(s)
    if not isinstance(step, Conclude):
        return step
    if step.assessment.account is not None and step.assessment.account.external:
        return Record(doubts.settled(conversion, step.assessment.account, s.now))
    return Record(doubts.to_review(conversion, s.shows, s.now))


def _absent(s: Situation, conversion: Conversion, sighting: Sighting) -> Step:
    """Return the step if Graph does not find the account by its id: record its absence if that is new, else wait."""
    change = absence_of(conversion, sighting, s.limits, s.now)
    return Wait(WaitReason.ACCOUNT_DELETED) if change is None else Record(change)


def absence_of(conversion: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Change[Conversion] | None:
    """Return the change that a 404 means for a conversion that has invited, or may have; None if it means nothing new.

    An account counts as deleted for good if two reads a full window apart find it neither in the directory nor in the
    recycle bin, or if the app has seen it in the bin for 30 days. After an account leaves the bin, the app looks for it
    for one more window. The sweep's follow part uses this function too.
    """
    absence = Absence.BIN if sighting.in_bin else Absence.GONE
    if conversion.absence is not absence or conversion.absent_since is None:
        return doubts.away(conversion, absence, now)
    lasting = limits.bin if absence is Absence.BIN else limits.window
    return doubts.gone(conversion, now) if now - conversion.absent_since >= lasting else None


def _other(s: Situation, conversion: Conversion) -> Step:
    """Return the step of a request that does not belong to this conversion, or left it by a retry or an approval."""
    if s.again and conversion.stage in {Stage.NEEDS_REVIEW, Stage.INVITED}:
        return _again(s, conversion)
    if conversion.stage is Stage.CANCELLED and _met_already(s, conversion):
        return Join()
    standing = _STANDING.get(conversion.stage)
    if standing is not None:
        return standing(s, conversion)
    if conversion.open_doubts:
        return _again(s, conversion) if s.again else _doubtful_end(s, conversion)
    return _open(s)


def _again(s: Situation, conversion: Conversion) -> Step:
    """Invite again, because a person asked for it, unless the account now shows the first invitation.

    If the rules refuse the second invitation, only the new request ends. The conversion continues, because the account
    may still show the first invitation later.
    """
    if s.sighting is None:
        return Look()
    if s.sighting.account is not None and s.sighting.account.external:
        return _shown(s, conversion, s.sighting.account) if conversion.doubts else Join()
    step = _open(s)
    invited = conversion.stage is Stage.INVITED
    if isinstance(step, Claim) and invited:
        return Record(undone.superseded(conversion, s.request.request_id, s.now))
    if isinstance(step, Conclude) and invited:
        judged = step.assessment.account
        return Join() if judged is not None and judged.external else replace(step, alone=True)
    if isinstance(step, Conclude) and step.stage is Stage.NEEDS_REVIEW and conversion.open_doubts:
        return _reviewed_anew(step.assessment, doubts.asked_before(conversion, s.shows))
    return step


def _reviewed_anew(assessment: Assessment, doubt: Finding) -> Step:
    """Ask for a review of new findings. The new approval must also waive the doubt, so the review shows it."""
    return Conclude(replace(assessment, findings=(*assessment.findings, doubt)), Stage.NEEDS_REVIEW)


def _doubtful_end(s: Situation, conversion: Conversion) -> Step:
    """Return the step of a new request if the conversion waits for a person or has ended, with an attempt in doubt.

    The sender of a new request does not know of the doubt. So the request treats the doubt as if it were its own.
    """
    if conversion.stage is Stage.NEEDS_REVIEW:
        return Join()
    if s.sighting is None:
        return Look()
    if s.sighting.account is not None:
        external = s.sighting.account.external
        return _shown(s, conversion, s.sighting.account) if external else _invisible(s, conversion)
    step = _open(s)
    return Wait(WaitReason.OUTCOME_PENDING) if isinstance(step, Claim) else step


def _shown(s: Situation, conversion: Conversion, account: Account) -> Step:
    """Record an invitation that the account shows after all. If the conversion has ended, begin a new generation."""
    if conversion.stage is Stage.NEEDS_REVIEW:
        return Record(doubts.settled(conversion, account, s.now))
    return Record(doubts.found_later(conversion, account, s.request.request_id, s.now))


def _invited(s: Situation, conversion: Conversion) -> Step:
    """Return the step if the account was invited: join, unless the directory shows that the invitation is void.

    A deleted account does not void the invitation, because it may be restored. The sweep's follow part notices when it
    is deleted for good.
    """
    if s.sighting is None:
        return Look()
    account = s.sighting.account
    if account is None:
        return Join()
    if account.external:
        return Join() if conversion.internal_since is None else Record(undone.refuted(conversion, s.now))
    if conversion.seen_at is not None:
        return _internal_again(s, conversion, conversion.seen_at)
    invited_at = conversion.invited_at or s.now
    if s.shows is Shows.YES and s.now >= invited_at + s.limits.window:
        return Review(not_visible(conversion))
    return Join()


def _completed(s: Situation, conversion: Conversion) -> Step:
    """Return the step if the person had redeemed: join, unless the account was reset, made internal or deleted.

    A read that does not show the redemption may come from a lagging replica until one window after the redemption. So
    the request waits for the end of that window.
    """
    if s.sighting is None:
        return Look()
    account, accepted_at = s.sighting.account, conversion.accepted_at or conversion.completed_at or s.now
    if account is None:
        return _open(s)
    if account.accepted:
        return Join() if conversion.internal_since is None else Record(undone.refuted(conversion, s.now))
    lagging = _until(accepted_at + s.limits.window, s.now)
    if lagging > 0:
        return Wait(WaitReason.UNDONE, lagging)
    if account.pending:
        return Record(undone.reset(conversion, account, s.request.request_id, s.now))
    return _internal_again(s, conversion, accepted_at)


def _unverified(s: Situation, conversion: Conversion) -> Step:
    """Return the step if a person must decide about changes: join, unless the redemption itself was undone."""
    if s.sighting is None:
        return Look()
    account, accepted_at = s.sighting.account, conversion.accepted_at or s.now
    if account is None or s.now < accepted_at + s.limits.window:
        return Join()
    if account.accepted:
        return Join() if conversion.internal_since is None else Record(undone.refuted(conversion, s.now))
    if account.pending:
        return Record(undone.reset_meanwhile(conversion, account, s.now))
    return _internal_again(s, conversion, accepted_at)


def _internal_again(s: Situation, conversion: Conversion, seen_at: datetime) -> Step:
    """Return the step if the account reads as internal although the app has seen its invitation.

    Two such reads after the window, at least `Limits.confirm` apart, confirm that it was made internal again.
    """
    if s.now < seen_at + s.limits.window or _met_already(s, conversion):
        return Join()
    if conversion.internal_since is None:
        return Record(undone.suspected(conversion, s.now))
    if s.now - conversion.internal_since < s.limits.confirm:
        return Wait(WaitReason.UNDONE)
    if conversion.stage in {Stage.INVITED, Stage.UNVERIFIED}:
        return Record(undone.confirmed(conversion, s.now))
    return _open(s)


def _met_already(s: Situation, conversion: Conversion) -> bool:
    """Tell whether the request is older than the invitation, and no person has reopened it since.

    The invitation already fulfils such a request; only its message arrived late. So it must not invite again after the
    account was changed. The comparison allows for a skew between the clocks of instances.
    """
    request, invited_at = s.request, conversion.invited_at
    reopened = request.released or request.approval or request.left_generation
    return not reopened and invited_at is not None and request.requested_at <= invited_at + SKEW


def _open(s: Situation) -> Step:
    """Return the step if no earlier invitation blocks the request: judge it, and do what the rules say."""
    if s.assessment is None:
        return Judge()
    assessment = s.assessment
    if s.request.adopts:
        return _adopt(s, assessment)
    if assessment.account is None:
        return Conclude(assessment, Stage.BLOCKED)
    if assessment.verdict is not Verdict.READY or assessment.address is None:
        return Conclude(assessment, VERDICTS.get(assessment.verdict, Stage.BLOCKED))
    if s.held is not None:
        return Wait(s.held)
    return Claim(assessment)


def _adopt(s: Situation, assessment: Assessment) -> Step:
    """Return the step of a request to adopt someone else's invitation: follow the account, or end blocked."""
    account, left = assessment.account, adoptable(assessment)
    if account is not None and account.pending and left is not None:
        return Record(adopted(s.conversion, s.request.request_id, assessment, left, s.now))
    if assessment.verdict is not Verdict.BLOCKED:
        assessment = replace(assessment, findings=(*assessment.findings, NOTHING_TO_ADOPT))
    return Conclude(assessment, Stage.BLOCKED)


def _until(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((moment - now).total_seconds(), 0.0)


_STANDING: dict[Stage, Callable[[Situation, Conversion], Step]] = {
    Stage.INVITING: lambda _situation, _conversion: Join(),
    Stage.INVITED: _invited,
    Stage.ACCEPTED: lambda _situation, _conversion: Join(),
    Stage.VERIFIED: lambda _situation, _conversion: Join(),
    Stage.UNVERIFIED: _unverified,
    Stage.COMPLETED: _completed,
}
"""By stage, the step of a request that does not belong to the conversion and asks for no further invitation."""
