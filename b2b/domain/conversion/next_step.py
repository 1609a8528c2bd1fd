"""What is to be done next for one request: the one decision of the protocol, as a pure function.

`next_step` sees what is known, and returns one of the steps below; a workflow carries it out and asks again. It asks
for more (`Look`, `Judge`) where it needs more. No step is taken here, and nothing is written.

How the promise is kept, that nobody gets a second mail from the app unless somebody asks for it:

* What has ended stays ended (`_own`): a message that comes again shows the end and does nothing.
* A conversion has one leader; every other request joins it and has nothing to do (`_other`).
* While a claim's lease runs, nobody else calls (`_lead`).
* A try whose outcome is not known is a doubt, and forbids the next try until it is settled (`_doubt`).
* The directory is believed over the ledger, but only what cannot be a lagging replica (`_invited`, `_completed`).
"""

from datetime import datetime

from b2b.domain.account import Account
from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.records import Absence, Change, Conversion
from b2b.domain.conversion.situation import (
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
from b2b.domain.findings import Verdict
from b2b.domain.request.record import belongs
from b2b.domain.request.review import not_visible

VERDICTS = {Verdict.BLOCKED: Stage.BLOCKED, Verdict.FIXABLE: Stage.BLOCKED, Verdict.NEEDS_REVIEW: Stage.NEEDS_REVIEW}
"""Where a verdict that is not ready leads."""


def next_step(s: Situation) -> Step:
    """Decide what is to be done next."""
    if not s.request.at_work:
        return Done()
    if s.request.only_judged:
        return Judge() if s.assessment is None else Report(s.assessment)
    if s.conversion is None:
        return _open(s)
    return _own(s, s.conversion) if belongs(s.request, s.conversion) else _other(s, s.conversion)


def _own(s: Situation, conversion: Conversion) -> Step:
    """The request belongs to this conversion: it ends as the conversion ends, and only its leader acts."""
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

    The order matters: what shows is believed at once, an account that is away proves nothing, and that nothing shows
    counts only past the window.
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
    """Nothing shows. What that proves, once the window has passed, hangs on what the tenant is known to show."""
    left = _until(doubts.window_ends(conversion, s.limits.window), s.now)
    if left > 0:
        return Wait(WaitReason.OUTCOME_PENDING, max(left / 4, 15.0))
    provable, claimed = doubts.can_be_disproved(conversion), conversion.stage is Stage.INVITING
    if provable and s.shows is Shows.YES:
        return Record(doubts.disproved(conversion, s.now))
    if provable and doubts.all_silent(conversion) and s.silent:
        return _repeated(s, conversion) if claimed else _open(s)
    tried = s.now - conversion.open_doubts[0].since
    if provable and s.shows is Shows.UNKNOWN and tried < s.limits.give_up:
        return Wait(WaitReason.OUTCOME_UNKNOWN)
    if claimed:
        return Record(doubts.to_review(conversion, s.shows, s.now))
    return Review(doubts.asked_before(conversion, s.shows))


def _repeated(s: Situation, conversion: Conversion) -> Step:
    """Every try so far asked for no mail, and so does the next: it is repeated, unless the rules now refuse it."""
    if s.now - conversion.open_doubts[0].since > s.limits.give_up:
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
    """Return what a 404 means for a conversion that may have invited; None: nothing new.

    Gone for good are accounts that are neither there nor in the recycle bin in two reads a full window apart, and those
    that have been in the bin for 30 days.
    """
    absence = Absence.BIN if sighting.in_bin else Absence.GONE
    if conversion.absence is not absence or conversion.absent_since is None:
        return doubts.away(conversion, absence, now)
    lasting = limits.bin if absence is Absence.BIN else limits.window
    return doubts.gone(conversion, now) if now - conversion.absent_since >= lasting else None


def _other(s: Situation, conversion: Conversion) -> Step:
    """Another request leads, or led, this account's conversion."""
    if s.again and conversion.stage in {Stage.NEEDS_REVIEW, Stage.INVITED}:
        return _again(s, conversion)
    if conversion.stage is Stage.INVITING:
        return Join()
    if conversion.stage is Stage.INVITED:
        return _invited(s, conversion)
    if conversion.stage in {Stage.ACCEPTED, Stage.COMPLETED}:
        return _completed(s, conversion)
    if conversion.open_doubts:
        return _again(s, conversion) if s.again else _doubtful_end(s, conversion)
    return _open(s)


def _again(s: Situation, conversion: Conversion) -> Step:
    """A person wants the invitation sent again, whatever became of the first: unless the account shows it by now."""
    if s.sighting is None:
        return Look()
    if s.sighting.account is not None and s.sighting.account.external:
        return _shown(s, conversion, s.sighting.account) if conversion.doubts else Join()
    step = _open(s)
    if isinstance(step, Claim) and conversion.stage is Stage.INVITED:
        return Record(undone.superseded(conversion, s.request.request_id, s.now))
    return step


def _doubtful_end(s: Situation, conversion: Conversion) -> Step:
    """It waits for a person, or ended (a person refused it, say), and an invitation may be out.

    A new request is no word of a person who knows of the doubt, so the doubt forbids another invitation as before.
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
    """The account shows an invitation after all. An end stays as it is, and a new generation goes on from there."""
    if conversion.stage is Stage.NEEDS_REVIEW:
        return Record(doubts.settled(conversion, account, s.now))
    return Record(doubts.found_later(conversion, account, s.request.request_id, s.now))


def _invited(s: Situation, conversion: Conversion) -> Step:
    """An invitation is out. The request joins it, unless the directory says that it is void."""
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
    """The person had redeemed. The request joins, unless the account has been reset, made internal again or deleted."""
    if s.sighting is None:
        return Look()
    account, accepted_at = s.sighting.account, conversion.accepted_at or conversion.completed_at or s.now
    if account is None:
        return _open(s)
    if account.accepted:
        return Join() if conversion.internal_since is None else Record(undone.refuted(conversion, s.now))
    lagging = _until(accepted_at + s.limits.window, s.now)
    if lagging > 0:
        return Wait(WaitReason.UNDONE, lagging)  # a replica may lag, or the redemption may have been undone already
    if account.pending:
        return Record(undone.reset(conversion, account, s.request.request_id, s.now))
    return _internal_again(s, conversion, accepted_at)


def _internal_again(s: Situation, conversion: Conversion, seen_at: datetime) -> Step:
    """The account reads as internal although its invitation was seen: two reads past the window confirm that."""
    if s.now < seen_at + s.limits.window:
        return Join()
    if conversion.internal_since is None:
        return Record(undone.suspected(conversion, s.now))
    if s.now - conversion.internal_since < s.limits.confirm:
        return Wait(WaitReason.UNDONE)
    if conversion.stage is Stage.INVITED:
        return Record(undone.confirmed(conversion, s.now))
    return _open(s)


def _open(s: Situation) -> Step:
    """Nothing stands in the way: ask the rules, and do what they say."""
    if s.assessment is None:
        return Judge()
    assessment = s.assessment
    if assessment.account is None:
        return Conclude(assessment, Stage.BLOCKED)
    if assessment.verdict is not Verdict.READY or assessment.address is None:
        return Conclude(assessment, VERDICTS.get(assessment.verdict, Stage.BLOCKED))
    if s.held is not None:
        return Wait(s.held)
    return Claim(assessment)


def _until(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((moment - now).total_seconds(), 0.0)
