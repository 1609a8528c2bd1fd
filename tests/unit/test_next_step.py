"""The decision as a table: one row for each situation and the step that it leads to."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.next_step import next_step
from b2b.domain.conversion.records import Absence
from b2b.domain.conversion.situation import (
    CallOff,
    Claim,
    Conclude,
    Done,
    Join,
    Judge,
    Look,
    Record,
    Report,
    Review,
    Show,
    Situation,
    Step,
    Wait,
    limits_of,
)
from b2b.domain.conversion.stages import Phase, Stage, phase_of
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.request.review import not_visible
from tests.unit.cases import BORIS
from tests.unit.protocol import (
    ACCEPTED,
    DAY,
    HOUR,
    INTERNAL,
    LIMITS,
    MINUTE,
    NOW,
    PENDING,
    SECOND,
    WINDOW,
    conversion,
    doubt,
    finding,
    judged,
    record,
    seen,
)


class Point(Enum):
    """The part of the protocol that a row stands for."""

    DRY_RUN = "a dry run changes nothing; a release makes it real"
    ONE_END = "what has ended stays ended"
    CLAIM = "the claim is made over what was judged, and nobody calls beside it"
    DOUBT = "a doubt forbids the next try until it is settled"
    DIRECTORY = "the directory is believed over the ledger"
    JOINER = "a conversion has one leader"
    WAIT = "a wait is data"


@dataclass(frozen=True)
class Row:
    """A situation, and the step that it must lead to."""

    point: Point
    said: str
    step: Step
    given: dict[str, Any] = field(default_factory=dict)


READY = judged()
BLOCKED = judged(finding("exchange-mailbox", "block"))
FIXABLE = judged(finding("no-external-address", "fix"))
REVIEW = judged(finding())
NOBODY = judged(finding("account-not-found", "block"), account=None, address=None)
UNNAMED = judged(account=None)
NO_ADDRESS = judged(address=None)
ALREADY = judged(finding("invitation-pending", "block"), account=PENDING)

OTHER = record(request_id="r-2")
"""A request beside the one that leads."""
MEMBER = record(request_id="r-2", generation=1)
"""One that has joined."""

IN_DOUBT = conversion(doubts=(doubt(2 * HOUR),))
SILENT = conversion(doubts=(doubt(2 * HOUR, silent=True),))
TRIED_A_DAY_AGO = conversion(doubts=(doubt(DAY - 30 * SECOND),))
SILENT_A_DAY_AGO = conversion(doubts=(doubt(DAY - 31 * SECOND, silent=True),))
GIVEN_UP = conversion(doubts=(doubt(DAY - 30 * SECOND, silent=True),))
AWAY = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - MINUTE)
AWAY_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - WINDOW)
BINNED = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 29 * DAY)
BINNED_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 30 * DAY)
INVITED = conversion(Stage.INVITED, invited_at=NOW - DAY)
INVITED_SEEN = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY)
INVITED_A_WINDOW_AGO = conversion(Stage.INVITED, invited_at=NOW - WINDOW)
INVITED_NOW = conversion(Stage.INVITED, invited_at=NOW - MINUTE)
SEEN_A_WINDOW_AGO = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - WINDOW)
SEEN_NOW = conversion(Stage.INVITED, invited_at=NOW - HOUR, seen_at=NOW - MINUTE)
SUSPECTED = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY, internal_since=NOW - 59 * SECOND)
CONFIRMABLE = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY, internal_since=NOW - MINUTE)
COMPLETED = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, completed_at=NOW - HOUR)
ENDED_LONG = conversion(Stage.COMPLETED, completed_at=NOW - WINDOW)
COMPLETED_NOW = conversion(Stage.COMPLETED, accepted_at=NOW - MINUTE, completed_at=NOW - SECOND)
COMPLETED_SUSPECTED = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, internal_since=NOW - 59 * SECOND)
COMPLETED_CONFIRMABLE = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, internal_since=NOW - MINUTE)
IN_REVIEW = conversion(Stage.NEEDS_REVIEW)
DOUBTFUL_REVIEW = conversion(Stage.NEEDS_REVIEW, doubts=IN_DOUBT.doubts)
LAGS_A_MINUTE = Wait(WaitReason.UNDONE, (WINDOW - MINUTE).total_seconds())
LAGS_A_WINDOW = Wait(WaitReason.UNDONE, WINDOW.total_seconds())
REFUSED_LATE = conversion(Stage.CANCELLED, doubts=(doubt(DAY),))
STRANGER = finding("another-account")
ELSEWHERE = conversion(
    Stage.CANCELLED, doubts=(doubt(2 * HOUR, silent=True, elsewhere=True),), findings=(finding(), STRANGER)
)
ENDS_WITHOUT_INVITATION = (Stage.BLOCKED, Stage.FAILED, Stage.CANCELLED)


def given(**known: Any) -> Situation:
    """A request with nothing known but what is said."""
    plain: dict[str, Any] = {
        "request": record(),
        "conversion": None,
        "sighting": None,
        "assessment": None,
        "silent": False,
        "held": None,
        "shows": Shows.UNKNOWN,
        "again": False,
        "limits": LIMITS,
        "now": NOW,
    }
    return Situation(**{**plain, **known})


def row(point: Point, said: str, step: Step, **known: Any) -> Row:
    return Row(point, said, step, known)


P = Point
# fmt: off
TABLE: tuple[Row, ...] = (
    # The request itself.
    *(row(P.ONE_END, f"a request that is {stage} is left alone", Done(), request=record(stage), conversion=INVITED,
          sighting=seen(INTERNAL), assessment=READY)
      for stage in Stage if phase_of(stage) is not Phase.SERVICE),
    row(P.DRY_RUN, "a dry run is judged", Judge(), request=record(dry_run=True)),
    row(P.DRY_RUN, "and reported, ready as it may be", Report(READY), request=record(dry_run=True), assessment=READY),
    row(P.DRY_RUN, "also where its account is being converted", Report(REVIEW), request=record(dry_run=True),
        assessment=REVIEW, conversion=IN_DOUBT, sighting=seen(PENDING)),
    row(P.DRY_RUN, "and while the app is paused", Report(READY), request=record(dry_run=True), assessment=READY,
        held=WaitReason.PAUSED),
    row(P.DRY_RUN, "a released dry run is judged anew", Judge(), request=record(dry_run=True, released=True)),
    row(P.DRY_RUN, "and invites", Claim(READY), request=record(dry_run=True, released=True), assessment=READY),

    # A person has cancelled it, and its row does not say so yet.
    *(row(P.ONE_END, f"cancelled before its claim, over a conversion that is {stage}", CallOff(),
          request=record(request_id="r-2"), conversion=conversion(stage, called_off=("r-0", "r-2")), assessment=READY)
      for stage in (Stage.INVITING, Stage.INVITED, Stage.BLOCKED, Stage.NEEDS_REVIEW)),
    row(P.ONE_END, "another request's cancellation is none of this one's", Claim(READY), request=OTHER,
        conversion=conversion(Stage.CANCELLED, called_off=("r-1",)), assessment=READY),

    # Nothing stands in the way: the rules decide.
    row(P.CLAIM, "without a conversion the rules are asked", Judge()),
    row(P.CLAIM, "what is ready is invited", Claim(READY), assessment=READY),
    row(P.CLAIM, "a rule forbids it", Conclude(BLOCKED, Stage.BLOCKED), assessment=BLOCKED),
    row(P.CLAIM, "what somebody can mend is blocked until then", Conclude(FIXABLE, Stage.BLOCKED), assessment=FIXABLE),
    row(P.CLAIM, "a person must decide", Conclude(REVIEW, Stage.NEEDS_REVIEW), assessment=REVIEW),
    row(P.CLAIM, "there is no account", Conclude(NOBODY, Stage.BLOCKED), assessment=NOBODY),
    row(P.CLAIM, "an account that is not there is never invited, whatever the rules say",
        Conclude(UNNAMED, Stage.BLOCKED), assessment=UNNAMED),
    row(P.CLAIM, "there is no address", Conclude(NO_ADDRESS, Stage.BLOCKED), assessment=NO_ADDRESS),
    row(P.WAIT, "paused: nothing is sent", Wait(WaitReason.PAUSED), assessment=READY, held=WaitReason.PAUSED),
    row(P.WAIT, "in assess: nothing is sent", Wait(WaitReason.MODE_ASSESS), assessment=READY,
        held=WaitReason.MODE_ASSESS),
    row(P.WAIT, "a verdict needs no sending, so it is recorded while paused", Conclude(BLOCKED, Stage.BLOCKED),
        assessment=BLOCKED, held=WaitReason.PAUSED),
    *(row(P.ONE_END, f"over {stage} a new request starts over", Judge(), request=OTHER, conversion=conversion(stage))
      for stage in (*ENDS_WITHOUT_INVITATION, Stage.NEEDS_REVIEW)),

    # The request's own conversion.
    *(row(P.ONE_END, f"its conversion is {stage}: the request shows that", Show(), request=record(generation=1),
          conversion=conversion(stage), sighting=seen(INTERNAL), assessment=READY)
      for stage in Stage if stage is not Stage.INVITING),
    row(P.ONE_END, "a generation that it leads is its own before its row says so", Show(), conversion=INVITED,
        sighting=seen(INTERNAL), assessment=READY),
    row(P.ONE_END, "the generation that it left when it was opened again is not", Judge(),
        request=record(left_generation=1), conversion=conversion(Stage.FAILED)),
    row(P.JOINER, "a member has nothing to do, whatever its conversion waits for", Show(), request=MEMBER,
        conversion=IN_DOUBT, sighting=seen(PENDING), assessment=READY),
    row(P.CLAIM, "while the lease runs, a call may be under way",
        Wait(WaitReason.INVITING, 5.0), conversion=conversion(lease_until=NOW + 5 * SECOND)),
    row(P.CLAIM, "to its very end", Wait(WaitReason.INVITING, 0.5),
        conversion=conversion(lease_until=NOW + SECOND / 2)),
    row(P.CLAIM, "also one whose doubt shows already", Wait(WaitReason.INVITING, 5.0),
        conversion=conversion(doubts=IN_DOUBT.doubts, lease_until=NOW + 5 * SECOND), sighting=seen(PENDING)),
    row(P.CLAIM, "a try that is known not to have left is made again", Judge(), conversion=conversion(lease_until=NOW)),
    row(P.CLAIM, "with what is judged now", Claim(READY), conversion=conversion(), assessment=READY),
    row(P.CLAIM, "unless the rules now refuse it", Conclude(REVIEW, Stage.NEEDS_REVIEW), conversion=conversion(),
        assessment=REVIEW),
    row(P.DOUBT, "a doubt that a person waived forbids nothing", Judge(),
        conversion=conversion(doubts=(doubt(MINUTE, waived=True),))),

    # The doubt of the request's own conversion.
    row(P.DOUBT, "the account is read first", Look(), conversion=IN_DOUBT, assessment=READY),
    row(P.DOUBT, "(a) the account waits for its person", Record(doubts.settled(IN_DOUBT, PENDING, NOW)),
        conversion=IN_DOUBT, sighting=seen(PENDING)),
    row(P.DOUBT, "(a) the person has redeemed", Record(doubts.settled(IN_DOUBT, ACCEPTED, NOW)),
        conversion=IN_DOUBT, sighting=seen(ACCEPTED)),
    row(P.DOUBT, "(a) also while the account was away before", Record(doubts.settled(AWAY, PENDING, NOW)),
        conversion=AWAY, sighting=seen(PENDING)),
    row(P.DOUBT, "a 404 begins to be noted", Record(doubts.away(IN_DOUBT, Absence.GONE, NOW)),
        conversion=IN_DOUBT, sighting=seen(None)),
    row(P.DOUBT, "and so does the recycle bin", Record(doubts.away(IN_DOUBT, Absence.BIN, NOW)),
        conversion=IN_DOUBT, sighting=seen(None, in_bin=True)),
    row(P.DOUBT, "in doubt a 404 means to wait", Wait(WaitReason.ACCOUNT_DELETED), conversion=AWAY,
        sighting=seen(None)),
    row(P.DOUBT, "(c) 404 twice, a window apart: it is gone", Record(doubts.gone(AWAY_LONG, NOW)),
        conversion=AWAY_LONG, sighting=seen(None)),
    row(P.DIRECTORY, "29 days in the bin: it may be restored", Wait(WaitReason.ACCOUNT_DELETED),
        conversion=BINNED, sighting=seen(None, in_bin=True)),
    row(P.DIRECTORY, "30 days in the bin: it is gone", Record(doubts.gone(BINNED_LONG, NOW)),
        conversion=BINNED_LONG, sighting=seen(None, in_bin=True)),
    row(P.DIRECTORY, "out of the bin and not there: the rounds are counted anew",
        Record(doubts.away(BINNED_LONG, Absence.GONE, NOW)), conversion=BINNED_LONG, sighting=seen(None)),
    row(P.DIRECTORY, "it was restored, and shows nothing yet", Record(doubts.back(AWAY_LONG, NOW)),
        conversion=AWAY_LONG, sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "within the window nothing can be believed", Wait(WaitReason.OUTCOME_PENDING, 60.0),
        conversion=conversion(doubts=(doubt(2 * MINUTE),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "and the account is not read every second", Wait(WaitReason.OUTCOME_PENDING, 15.0),
        conversion=conversion(doubts=(doubt(WINDOW - SECOND),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "the window counts from the latest try", Wait(WaitReason.OUTCOME_PENDING, 60.0),
        conversion=conversion(doubts=(doubt(2 * MINUTE), doubt(DAY, attempt="a-0"))), sighting=seen(INTERNAL),
        shows=Shows.YES),
    row(P.DOUBT, "(d) the window has passed in a tenant that shows", Record(doubts.disproved(IN_DOUBT, NOW)),
        conversion=IN_DOUBT, sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "(d) to the second", Record(doubts.disproved(conversion(doubts=(doubt(WINDOW),)), NOW)),
        conversion=conversion(doubts=(doubt(WINDOW),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "in a tenant that does not show a person decides",
        Record(doubts.to_review(IN_DOUBT, Shows.NO, NOW)), conversion=IN_DOUBT, sighting=seen(INTERNAL),
        shows=Shows.NO),
    row(P.DOUBT, "in a tenant of which nothing is known it waits until something is", Wait(WaitReason.OUTCOME_UNKNOWN),
        conversion=IN_DOUBT, sighting=seen(INTERNAL)),
    row(P.DOUBT, "at most for the give-up time",
        Record(doubts.to_review(TRIED_A_DAY_AGO, Shows.UNKNOWN, NOW)), conversion=TRIED_A_DAY_AGO,
        sighting=seen(INTERNAL)),

    # Tries without a mail need no knowledge: to repeat one bothers nobody.
    *(row(P.DOUBT, f"a silent try is repeated where the tenant is {shows.name.lower()}", Judge(), conversion=SILENT,
          sighting=seen(INTERNAL), shows=shows, silent=True) for shows in (Shows.UNKNOWN, Shows.NO)),
    row(P.DOUBT, "and sent", Claim(READY), conversion=SILENT, sighting=seen(INTERNAL), silent=True, assessment=READY),
    row(P.WAIT, "unless the app is paused", Wait(WaitReason.PAUSED), conversion=SILENT, sighting=seen(INTERNAL),
        silent=True, assessment=READY, held=WaitReason.PAUSED),
    row(P.DOUBT, "where the tenant shows, a silent doubt is disproved like any other",
        Record(doubts.disproved(SILENT, NOW)), conversion=SILENT, sighting=seen(INTERNAL), shows=Shows.YES,
        silent=True),
    row(P.DOUBT, "it is not repeated with a mail", Wait(WaitReason.OUTCOME_UNKNOWN), conversion=SILENT,
        sighting=seen(INTERNAL), assessment=READY),
    row(P.DOUBT, "nor over a doubt that asked for one",
        Record(doubts.to_review(conversion(doubts=(*IN_DOUBT.doubts, *SILENT.doubts)), Shows.NO, NOW)),
        conversion=conversion(doubts=(*IN_DOUBT.doubts, *SILENT.doubts)), sighting=seen(INTERNAL), shows=Shows.NO,
        silent=True, assessment=READY),
    row(P.DOUBT, "up to the give-up time", Claim(READY), conversion=SILENT_A_DAY_AGO, sighting=seen(INTERNAL),
        silent=True, assessment=READY),
    row(P.DOUBT, "at the give-up time it ends", Record(doubts.given_up(GIVEN_UP, NOW)), conversion=GIVEN_UP,
        sighting=seen(INTERNAL), silent=True, assessment=READY),
    row(P.DOUBT, "the rules see the invitation before the account's own read did",
        Record(doubts.settled(SILENT, PENDING, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        assessment=ALREADY),
    row(P.DOUBT, "the rules find no account to repeat it for: a person decides",
        Record(doubts.to_review(SILENT, Shows.NO, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        shows=Shows.NO, assessment=NOBODY),
    row(P.DOUBT, "the rules refuse the repeat: a person decides",
        Record(doubts.to_review(SILENT, Shows.NO, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        shows=Shows.NO, assessment=REVIEW),

    # Another request's conversion is at work, or its invitation waits.
    row(P.JOINER, "a claim is out", Join(), request=OTHER, conversion=IN_DOUBT),
    row(P.DIRECTORY, "an invitation is out: the account is read before anybody joins", Look(), request=OTHER,
        conversion=INVITED),
    row(P.JOINER, "it waits for its person", Join(), request=OTHER, conversion=INVITED_SEEN, sighting=seen(PENDING)),
    row(P.JOINER, "its person has just redeemed", Join(), request=OTHER, conversion=INVITED_SEEN,
        sighting=seen(ACCEPTED)),
    row(P.JOINER, "a 404 says nothing against it", Join(), request=OTHER, conversion=INVITED_SEEN, sighting=seen(None)),
    row(P.DIRECTORY, "it does not show yet", Join(), request=OTHER, conversion=INVITED_NOW, sighting=seen(INTERNAL),
        shows=Shows.YES),
    *(row(P.DIRECTORY, f"not seen {ago} after it, where the tenant shows", Review(not_visible(invited)),
          request=OTHER, conversion=invited, sighting=seen(INTERNAL), shows=Shows.YES)
      for ago, invited in (("a day", INVITED), ("just a window", INVITED_A_WINDOW_AGO))),
    *(row(P.DIRECTORY, f"where the tenant is {shows.name.lower()}, that says nothing", Join(), request=OTHER,
          conversion=INVITED, sighting=seen(INTERNAL), shows=shows) for shows in (Shows.UNKNOWN, Shows.NO)),
    row(P.DIRECTORY, "without a time of invitation the window has not passed", Join(), request=OTHER,
        conversion=conversion(Stage.INVITED), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DIRECTORY, "undone: a replica may show the time before", Join(), request=OTHER, conversion=SEEN_NOW,
        sighting=seen(INTERNAL)),
    *(row(P.DIRECTORY, f"undone: the first read is noted, {ago} after it was seen",
          Record(undone.suspected(invited, NOW)), request=OTHER, conversion=invited, sighting=seen(INTERNAL))
      for ago, invited in (("a day", INVITED_SEEN), ("just a window", SEEN_A_WINDOW_AGO))),
    row(P.DIRECTORY, "undone: the second must be a minute later", Wait(WaitReason.UNDONE), request=OTHER,
        conversion=SUSPECTED, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "undone: the invitation is void", Record(undone.confirmed(CONFIRMABLE, NOW)), request=OTHER,
        conversion=CONFIRMABLE, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "undone: refuted by a read that shows it", Record(undone.refuted(SUSPECTED, NOW)), request=OTHER,
        conversion=SUSPECTED, sighting=seen(PENDING)),

    # The person had redeemed.
    row(P.DIRECTORY, "the account is read before anybody joins", Look(), request=OTHER, conversion=COMPLETED),
    *(row(P.JOINER, f"it is {stage}, and still is", Join(), request=OTHER,
          conversion=conversion(stage, accepted_at=NOW - DAY), sighting=seen(ACCEPTED))
      for stage in (Stage.ACCEPTED, Stage.COMPLETED)),
    row(P.DIRECTORY, "the account is gone: the rules say so", Judge(), request=OTHER, conversion=COMPLETED,
        sighting=seen(None)),
    *(row(P.DIRECTORY, f"an account that reads {how} just after the redemption: lag, or undone; wait for the window",
          LAGS_A_MINUTE, request=OTHER, conversion=COMPLETED_NOW, sighting=seen(account))
      for how, account in (("pending", PENDING), ("internal", INTERNAL))),
    row(P.DIRECTORY, "reset: the next request opens a generation that sends nothing",
        Record(undone.reset(COMPLETED, PENDING, "r-2", NOW)), request=OTHER, conversion=COMPLETED,
        sighting=seen(PENDING)),
    row(P.DIRECTORY, "made internal again: the first read is noted", Record(undone.suspected(COMPLETED, NOW)),
        request=OTHER, conversion=COMPLETED, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "made internal again: the second must be a minute later", Wait(WaitReason.UNDONE), request=OTHER,
        conversion=COMPLETED_SUSPECTED, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "made internal again: the request starts over", Judge(), request=OTHER,
        conversion=COMPLETED_CONFIRMABLE, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "made internal again: refuted", Record(undone.refuted(COMPLETED_SUSPECTED, NOW)), request=OTHER,
        conversion=COMPLETED_SUSPECTED, sighting=seen(ACCEPTED)),
    row(P.DIRECTORY, "without a time of acceptance, that of the end counts: passed",
        Record(undone.reset(ENDED_LONG, PENDING, "r-2", NOW)), request=OTHER, conversion=ENDED_LONG,
        sighting=seen(PENDING)),
    row(P.DIRECTORY, "without a time of acceptance, that of the end counts", LAGS_A_MINUTE, request=OTHER,
        conversion=conversion(Stage.COMPLETED, completed_at=NOW - MINUTE), sighting=seen(PENDING)),
    row(P.DIRECTORY, "and without either, no time has passed", LAGS_A_WINDOW, request=OTHER,
        conversion=conversion(Stage.COMPLETED), sighting=seen(PENDING)),

    # It ended, or waits for a person, and an invitation may be out.
    row(P.JOINER, "a review in doubt is joined", Join(), request=OTHER, conversion=DOUBTFUL_REVIEW,
        sighting=seen(INTERNAL), assessment=READY),
    *(row(P.DOUBT, f"{stage} in doubt: the account is read before anything is sent", Look(), request=OTHER,
          conversion=conversion(stage, doubts=IN_DOUBT.doubts), assessment=READY) for stage in ENDS_WITHOUT_INVITATION),
    row(P.DOUBT, "the earlier invitation shows after all",
        Record(doubts.found_later(GIVEN_UP_END := conversion(Stage.FAILED, doubts=IN_DOUBT.doubts), PENDING, "r-2",
                                  NOW)),
        request=OTHER, conversion=GIVEN_UP_END, sighting=seen(PENDING)),
    row(P.DOUBT, "ended in doubt: it shows nothing, and the tenant shows invitations",
        Record(doubts.disproved(GIVEN_UP_END, NOW)), request=OTHER, conversion=GIVEN_UP_END, sighting=seen(INTERNAL),
        shows=Shows.YES),
    row(P.DOUBT, "ended in doubt: nothing shows within the window",
        Wait(WaitReason.OUTCOME_PENDING, (WINDOW - MINUTE).total_seconds() / 4), request=OTHER,
        conversion=conversion(Stage.CANCELLED, doubts=(doubt(MINUTE),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "ended in doubt: it is not known what the tenant shows", Wait(WaitReason.OUTCOME_UNKNOWN),
        request=OTHER, conversion=GIVEN_UP_END, sighting=seen(INTERNAL)),
    *(row(P.DOUBT, f"ended in doubt, refused by a person: a person decides again, {shows}",
          Review(doubts.outcome_unknown(REFUSED_LATE, shows)), request=OTHER, conversion=REFUSED_LATE,
          sighting=seen(INTERNAL), shows=shows) for shows in (Shows.NO, Shows.UNKNOWN)),
    row(P.DOUBT, "Graph answered with another account: what a tenant shows proves nothing", Review(STRANGER),
        request=OTHER, conversion=ELSEWHERE, sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "so a silent try is not repeated either", Review(STRANGER), request=OTHER,
        conversion=ELSEWHERE, sighting=seen(INTERNAL), shows=Shows.UNKNOWN, silent=True),
    row(P.DOUBT, "ended in doubt: a silent try after silent ones bothers nobody", Judge(), request=OTHER,
        conversion=conversion(Stage.FAILED, doubts=GIVEN_UP.doubts), sighting=seen(INTERNAL), silent=True),
    row(P.DOUBT, "ended in doubt: a mail after a silent try needs to know", Wait(WaitReason.OUTCOME_UNKNOWN),
        request=OTHER, conversion=conversion(Stage.FAILED, doubts=SILENT.doubts), sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "it is not there: the rules say so", Judge(), request=OTHER, conversion=GIVEN_UP_END,
        sighting=seen(None)),
    row(P.DIRECTORY, "it is not there, and blocked", Conclude(NOBODY, Stage.BLOCKED), request=OTHER,
        conversion=GIVEN_UP_END, sighting=seen(None), assessment=NOBODY),
    row(P.DOUBT, "it is not there for one read, and there for the next: nothing is sent",
        Wait(WaitReason.OUTCOME_PENDING), request=OTHER, conversion=GIVEN_UP_END, sighting=seen(None),
        assessment=READY),

    # A person was shown the doubt, or that nothing shows, and asks for another invitation.
    row(P.DOUBT, "asked again: the account is read first", Look(), request=OTHER, conversion=DOUBTFUL_REVIEW,
        again=True, assessment=READY),
    row(P.DOUBT, "asked again: the first invitation shows by now",
        Record(doubts.settled(DOUBTFUL_REVIEW, PENDING, NOW)), request=OTHER, conversion=DOUBTFUL_REVIEW, again=True,
        sighting=seen(PENDING), assessment=READY),
    row(P.DOUBT, "asked again: another request's invitation shows by now", Join(), request=OTHER,
        conversion=INVITED, again=True, sighting=seen(PENDING), assessment=READY),
    row(P.DOUBT, "asked again: a review without a doubt shows an invitation", Join(), request=OTHER,
        conversion=IN_REVIEW, again=True, sighting=seen(PENDING), assessment=READY),
    row(P.DOUBT, "asked again: the rules are asked too", Judge(), request=OTHER, conversion=DOUBTFUL_REVIEW,
        again=True, sighting=seen(INTERNAL)),
    row(P.DOUBT, "asked again: what is new since goes to a person, together with the doubt",
        Conclude(judged(finding(), doubts.outcome_unknown(DOUBTFUL_REVIEW, Shows.NO)), Stage.NEEDS_REVIEW),
        request=OTHER, conversion=DOUBTFUL_REVIEW, again=True, sighting=seen(INTERNAL), assessment=REVIEW,
        shows=Shows.NO),
    row(P.DOUBT, "asked again: with what was known of it", Conclude(judged(finding(), STRANGER), Stage.NEEDS_REVIEW),
        request=OTHER, conversion=ELSEWHERE, again=True, sighting=seen(INTERNAL), assessment=REVIEW),
    row(P.DIRECTORY, "asked again: the account shows it by the time that it is judged", Join(), request=OTHER,
        conversion=INVITED, again=True, sighting=seen(INTERNAL), assessment=ALREADY),
    row(P.DOUBT, "asked again: sent", Claim(READY), request=OTHER, conversion=DOUBTFUL_REVIEW, again=True,
        sighting=seen(INTERNAL), assessment=READY),
    row(P.DOUBT, "asked again: not over what the rules refuse", Conclude(BLOCKED, Stage.BLOCKED), request=OTHER,
        conversion=DOUBTFUL_REVIEW, again=True, sighting=seen(INTERNAL), assessment=BLOCKED),
    row(P.DOUBT, "asked again: nor while paused", Wait(WaitReason.PAUSED), request=OTHER, conversion=INVITED,
        again=True, sighting=seen(INTERNAL), assessment=READY, held=WaitReason.PAUSED),
    row(P.DIRECTORY, "asked again: the invitation that does not show is ended first",
        Record(undone.superseded(INVITED, "r-2", NOW)), request=OTHER, conversion=INVITED, again=True,
        sighting=seen(INTERNAL), assessment=READY),
    row(P.DOUBT, "asked again: an end in doubt, and the first invitation shows by now",
        Record(doubts.found_later(GIVEN_UP_END, PENDING, "r-2", NOW)), request=OTHER, conversion=GIVEN_UP_END,
        again=True, sighting=seen(PENDING)),
    row(P.DOUBT, "asked again: sent over an end in doubt", Claim(READY), request=OTHER, conversion=GIVEN_UP_END,
        again=True, sighting=seen(INTERNAL), assessment=READY),
    *(row(P.DIRECTORY, f"asked again: a verdict against it ends the request, and the invitation goes on: {stage}",
          Conclude(said, stage, alone=True), request=OTHER, conversion=INVITED, again=True, sighting=seen(INTERNAL),
          assessment=said) for said, stage in ((BLOCKED, Stage.BLOCKED), (REVIEW, Stage.NEEDS_REVIEW))),
    row(P.DIRECTORY, "asked again: the account is not there, and not found",
        Conclude(NOBODY, Stage.BLOCKED, alone=True), request=OTHER, conversion=INVITED, again=True,
        sighting=seen(None), assessment=NOBODY),
    row(P.DIRECTORY, "asked again: the account is not there", Judge(), request=OTHER, conversion=INVITED, again=True,
        sighting=seen(None)),
    row(P.JOINER, "asked again: another request's claim is out", Join(), request=OTHER, conversion=IN_DOUBT, again=True,
        assessment=READY),
    row(P.DIRECTORY, "asked again: the redemption was reset meanwhile",
        Record(undone.reset(COMPLETED, PENDING, "r-2", NOW)), request=OTHER, conversion=COMPLETED, again=True,
        sighting=seen(PENDING), assessment=READY),
    row(P.ONE_END, "asked again: the person has redeemed meanwhile", Join(), request=OTHER, conversion=COMPLETED,
        again=True, sighting=seen(ACCEPTED), assessment=READY),
)
# fmt: on


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.point.name}: {case.said}")
def test_each_situation_leads_to_its_step(case: Row) -> None:
    assert next_step(given(**case.given)) == case.step


def test_no_row_stands_twice() -> None:
    said = [(case.point, case.said) for case in TABLE]
    assert len(said) == len(set(said))
    assert {case.point for case in TABLE} == set(Point)


def test_every_step_is_reached() -> None:
    assert {type(case.step) for case in TABLE} == set(Step.__args__)


@pytest.mark.parametrize("stage", [stage for stage in Stage if phase_of(stage) is Phase.SERVICE])
def test_a_conversion_of_another_account_is_no_business_of_a_request(stage: Stage) -> None:
    """The name has moved to another account: its row is not this request's."""
    elsewhere = conversion(stage, user_id=BORIS)
    step = next_step(
        given(request=record(generation=1, request_id="r-2"), conversion=elsewhere, sighting=seen(ACCEPTED))
    )
    assert not isinstance(step, Show)


def test_a_review_alone_is_left_to_a_new_request_and_joined_by_nobody() -> None:
    assert next_step(given(request=OTHER, conversion=IN_REVIEW, assessment=READY)) == Claim(READY)


@pytest.mark.parametrize(
    ("timeout", "window", "lease", "believed"), [(30.0, 300.0, 120.0, 360.0), (10.0, 900.0, 96.0, 960.0)]
)
def test_the_times_of_the_protocol_allow_for_call_writing_and_clocks(
    timeout: float,
    window: float,
    lease: float,
    believed: float,
) -> None:
    """A lease is fence, longest call, writing and a minute between clocks; a window runs that minute longer."""
    limits = limits_of(timeout, window, 86_400)
    assert (limits.fence, limits.lease, limits.window) == (
        timedelta(seconds=10),
        timedelta(seconds=lease),
        timedelta(seconds=believed),
    )
    assert limits.lease > limits.fence + timedelta(seconds=timeout * 1.2) + timedelta(seconds=60)
    assert (limits.give_up, limits.confirm, limits.bin) == (DAY, MINUTE, 30 * DAY)
