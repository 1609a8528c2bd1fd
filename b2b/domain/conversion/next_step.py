"""The next step of one request: the one decision of the protocol, as a pure function.

`next_step` gets what is known and returns one step; a workflow carries it out and asks again. If something has to be
read first, that is the step (`Look`, `Judge`). Nothing is read or written here.

The promise: the app sends a person no second mail unless an administrator asks for it. Approving a review of the first
invitation asks for it (`again`); a new request does not. How the promise is kept:

* What has ended stays ended: a request that has ended does nothing (`next_step`), and one whose row lags behind only
  shows its conversion's end (`_own`).
* A conversion has one leader. Every other request joins it and sends nothing (`_other`).
* While a claim's lease runs, no other delivery invites (`_lead`).
* A try is written as a doubt with its claim, before the call. It forbids the next try until the account shows the
  invitation, the tenant proves that none went out, or a person waives it; tries without a mail may be repeated
  (`_doubt`, `_doubtful_end`).
* The directory is believed over the ledger, but only a read that a lagging replica could not give (`_invited`,
  `_completed`).
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
"""Where a verdict that is not ready leads."""


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
    """The request belongs to this conversion and shows its stage; only the leader of a claim acts."""
    if conversion.stage is not Stage.INVITING or conversion.request_id != s.request.request_id:
        return Show()
    return _lead(s, conversion)


def _lead(s: Situation, conversion: Conversion) -> Step:
    """The claim is this request's own. It acts only when no call can be under way and no try is in doubt."""
    left = _until(conversion.lease_until, s.now)
    if left > 0:
        return Wait(WaitReason.INVITING, left)
    if conversion.open_doubts:
        return _doubt(s, conversion)
    return _open(s)


def _doubt(s: Situation, conversion: Conversion) -> Step:
    """A try may have gone out. What the account shows settles it; its absence does so only under conditions.

    An account that is away proves nothing, what shows is believed at once, and that nothing shows counts only past the
    window.
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
    """The account shows no invitation. Once the window has passed, the first of these that holds decides.

    * An open try was answered with another account (not `can_be_disproved`): a person decides.
    * The tenant is known to show invitations: none went out (`disproved`), and without the doubt the next step invites.
    * Every try asked for no mail, and so does the next: repeat it.
    * It is not known yet what the tenant shows: wait, at most until the give-up time.
    * Else a person decides: about the conversion while it is inviting, or, where it has ended (`_doubtful_end`), about
      the new request.
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
    """Every try so far asked for no mail, and so does the next: repeat it until the give-up time.

    Where the rules refuse it by now, a person decides about the tries so far.
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
    """The account does not answer by its id: it may be deleted, or a replica may lag. In doubt that means to wait."""
    change = absence_of(conversion, sighting, s.limits, s.now)
    return Wait(WaitReason.ACCOUNT_DELETED) if change is None else Record(change)


def absence_of(conversion: Conversion, sighting: Sighting, limits: Limits, now: datetime) -> Change[Conversion] | None:
    """Return what a 404 means for a conversion that has invited, or may have; None: nothing new. Follow asks too.

    Gone for good are accounts that are neither there nor in the recycle bin in two reads a full window apart, and those
    that the app has seen in the bin for 30 days. An account that leaves the bin is looked for a window longer.
    """
    absence = Absence.BIN if sighting.in_bin else Absence.GONE
    if conversion.absence is not absence or conversion.absent_since is None:
        return doubts.away(conversion, absence, now)
    lasting = limits.bin if absence is Absence.BIN else limits.window
    return doubts.gone(conversion, now) if now - conversion.absent_since >= lasting else None


def _other(s: Situation, conversion: Conversion) -> Step:
    """The conversion is another request's, or this one's own of before: a retry or an approval has left it."""
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
    """Invite again, because a person asked for it, unless the account shows the first invitation by now.

    The first invitation may still show at any time. If the rules refuse the second one, only the new request ends, and
    the conversion goes on.
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
    """Review again because of new findings. The new approval must cover the doubt too, so the review shows it."""
    return Conclude(replace(assessment, findings=(*assessment.findings, doubt)), Stage.NEEDS_REVIEW)


def _doubtful_end(s: Situation, conversion: Conversion) -> Step:
    """It waits for a person, or ended (a person refused it, say), and an invitation may be out.

    A new request is no word of a person who knows of the doubt, so the doubt is weighed as if this request had tried.
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
    """The account shows an invitation after all: a review goes on, and over an end a new generation goes on unsent."""
    if conversion.stage is Stage.NEEDS_REVIEW:
        return Record(doubts.settled(conversion, account, s.now))
    return Record(doubts.found_later(conversion, account, s.request.request_id, s.now))


def _invited(s: Situation, conversion: Conversion) -> Step:
    """An invitation is out. The request joins it, unless the directory says that it is void.

    That the account is away is no such word: it may be restored, and follow notices when it is gone for good.
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
    """The person had redeemed. The request joins, unless the account has been reset, made internal again or deleted.

    Within a window of the redemption a read that does not show it may come from a replica that lags: wait for its end.
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
    """A person is to decide about what has changed. The request joins, unless the redemption itself was undone."""
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
    """The account reads as internal although its invitation was seen.

    Two reads past the window, at least `confirm` apart, settle that.
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
    """Tell whether the invitation met this request: it was asked for before, and no person has opened it again since.

    Its message only came late. It must not take what was done to the account after the invitation for a reason to
    send another one. Clocks of instances differ.
    """
    request, invited_at = s.request, conversion.invited_at
    reopened = request.released or request.approval or request.left_generation
    return not reopened and invited_at is not None and request.requested_at <= invited_at + SKEW


def _open(s: Situation) -> Step:
    """No earlier invitation stands in the way: ask the rules, and do what they say."""
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
    """A person wants an invitation followed that others sent. Whatever the rules say, nothing is sent."""
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
"""What another request does where the account's conversion stands, unless a person wants it invited again."""
