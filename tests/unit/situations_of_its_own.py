"""Situations of a request without a conversion, or with its own: the claim, and its doubts."""

from b2b.domain.conversion import doubts
from b2b.domain.conversion.records import Absence
from b2b.domain.conversion.situation import (
    CallOff,
    Claim,
    Conclude,
    Done,
    Judge,
    Look,
    Record,
    Report,
    Show,
    Wait,
)
from b2b.domain.conversion.stages import Phase, Stage, phase_of
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from tests.unit.protocol import (
    ACCEPTED,
    DAY,
    INTERNAL,
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
from tests.unit.situations import (
    ALREADY,
    BLOCKED,
    ENDS_WITHOUT_INVITATION,
    GIVEN_UP,
    IN_DOUBT,
    INVITED,
    NOBODY,
    OTHER,
    READY,
    REVIEW,
    SILENT,
    Point,
    Row,
    row,
)

FIXABLE = judged(finding("no-external-address", "fix"))
UNNAMED = judged(account=None)
NO_ADDRESS = judged(address=None)
MEMBER = record(request_id="r-2", generation=1)
"""One that has joined."""
TRIED_A_DAY_AGO = conversion(doubts=(doubt(DAY - 30 * SECOND),))
SILENT_A_DAY_AGO = conversion(doubts=(doubt(DAY - 31 * SECOND, silent=True),))
AWAY = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - MINUTE)
AWAY_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - WINDOW)
BINNED = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 29 * DAY)
BINNED_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 30 * DAY)

P = Point
# fmt: off
OWN: tuple[Row, ...] = (
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
)
# fmt: on
