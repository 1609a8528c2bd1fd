"""Situations of a request without a conversion, or with a conversion of its own: claims and doubts."""

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
"""A request that has joined the conversion."""
TRIED_A_DAY_AGO = conversion(doubts=(doubt(DAY - 30 * SECOND),))
SILENT_A_DAY_AGO = conversion(doubts=(doubt(DAY - 31 * SECOND, silent=True),))
AWAY = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - MINUTE)
AWAY_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.GONE, absent_since=NOW - WINDOW)
BINNED = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 29 * DAY)
BINNED_LONG = conversion(doubts=IN_DOUBT.doubts, absence=Absence.BIN, absent_since=NOW - 30 * DAY)

P = Point
# fmt: off
OWN: tuple[Row, ...] = (
    # The request alone.
    *(row(P.ONE_END, f"a request that is {stage} is left alone", Done(), request=record(stage), conversion=INVITED,
          sighting=seen(INTERNAL), assessment=READY)
      for stage in Stage if phase_of(stage) is not Phase.SERVICE),
    row(P.DRY_RUN, "a dry run is judged", Judge(), request=record(dry_run=True)),
    row(P.DRY_RUN, "a judged dry run is reported, even if it is ready",
        Report(READY), request=record(dry_run=True), assessment=READY),
    row(P.DRY_RUN, "a dry run is reported even while its account is being converted",
        Report(REVIEW), request=record(dry_run=True), assessment=REVIEW, conversion=IN_DOUBT, sighting=seen(PENDING)),
    row(P.DRY_RUN, "a dry run is reported even while the app is paused",
        Report(READY), request=record(dry_run=True), assessment=READY, held=WaitReason.PAUSED),
    row(P.DRY_RUN, "a released dry run is judged again", Judge(), request=record(dry_run=True, released=True)),
    row(P.DRY_RUN, "a released dry run that is ready is invited",
        Claim(READY), request=record(dry_run=True, released=True), assessment=READY),

    # A person has cancelled the request, but its row does not show that yet.
    *(row(P.ONE_END, f"cancelled before its claim, over a conversion that is {stage}", CallOff(),
          request=record(request_id="r-2"), conversion=conversion(stage, called_off=("r-0", "r-2")), assessment=READY)
      for stage in (Stage.INVITING, Stage.INVITED, Stage.BLOCKED, Stage.NEEDS_REVIEW)),
    row(P.ONE_END, "the cancellation of another request does not matter", Claim(READY), request=OTHER,
        conversion=conversion(Stage.CANCELLED, called_off=("r-1",)), assessment=READY),

    # Nothing prevents an invitation, so the rules decide.
    row(P.CLAIM, "without a conversion, the rules judge the account", Judge()),
    row(P.CLAIM, "a ready account is invited", Claim(READY), assessment=READY),
    row(P.CLAIM, "a blocking rule ends the request as blocked", Conclude(BLOCKED, Stage.BLOCKED), assessment=BLOCKED),
    row(P.CLAIM, "a finding to fix ends the request as blocked", Conclude(FIXABLE, Stage.BLOCKED), assessment=FIXABLE),
    row(P.CLAIM, "a rule for review sends the request to review",
        Conclude(REVIEW, Stage.NEEDS_REVIEW), assessment=REVIEW),
    row(P.CLAIM, "an account that is not found ends the request as blocked",
        Conclude(NOBODY, Stage.BLOCKED), assessment=NOBODY),
    row(P.CLAIM, "without an account nobody is invited, even if no rule says so",
        Conclude(UNNAMED, Stage.BLOCKED), assessment=UNNAMED),
    row(P.CLAIM, "without an address nobody is invited", Conclude(NO_ADDRESS, Stage.BLOCKED), assessment=NO_ADDRESS),
    row(P.WAIT, "while the app is paused, nothing is sent",
        Wait(WaitReason.PAUSED), assessment=READY, held=WaitReason.PAUSED),
    row(P.WAIT, "in mode assess, nothing is sent", Wait(WaitReason.MODE_ASSESS), assessment=READY,
        held=WaitReason.MODE_ASSESS),
    row(P.WAIT, "a blocking verdict is recorded even while paused", Conclude(BLOCKED, Stage.BLOCKED),
        assessment=BLOCKED, held=WaitReason.PAUSED),
    *(row(P.ONE_END, f"after {stage} a new request starts over", Judge(), request=OTHER, conversion=conversion(stage))
      for stage in (*ENDS_WITHOUT_INVITATION, Stage.NEEDS_REVIEW)),

    # The request's own conversion.
    *(row(P.ONE_END, f"a request shows that its conversion is {stage}", Show(), request=record(generation=1),
          conversion=conversion(stage), sighting=seen(INTERNAL), assessment=READY)
      for stage in Stage if stage is not Stage.INVITING),
    row(P.ONE_END, "a request shows the generation that it leads, even before its own row names it",
        Show(), conversion=INVITED, sighting=seen(INTERNAL), assessment=READY),
    row(P.ONE_END, "a reopened request does not show the generation that it left", Judge(),
        request=record(left_generation=1), conversion=conversion(Stage.FAILED)),
    row(P.JOINER, "a member only shows the conversion, whatever that waits for", Show(), request=MEMBER,
        conversion=IN_DOUBT, sighting=seen(PENDING), assessment=READY),
    row(P.CLAIM, "while the lease runs, the request waits, because a call may be in progress",
        Wait(WaitReason.INVITING, 5.0), conversion=conversion(lease_until=NOW + 5 * SECOND)),
    row(P.CLAIM, "the request waits until the very end of the lease", Wait(WaitReason.INVITING, 0.5),
        conversion=conversion(lease_until=NOW + SECOND / 2)),
    row(P.CLAIM, "the request waits for the lease even if the account shows the invitation",
        Wait(WaitReason.INVITING, 5.0),
        conversion=conversion(doubts=IN_DOUBT.doubts, lease_until=NOW + 5 * SECOND), sighting=seen(PENDING)),
    row(P.CLAIM, "a try that was certainly not sent is judged again", Judge(), conversion=conversion(lease_until=NOW)),
    row(P.CLAIM, "a try that was certainly not sent is claimed again with the new judgement",
        Claim(READY), conversion=conversion(), assessment=READY),
    row(P.CLAIM, "a try that was certainly not sent ends in review if a rule now requires it",
        Conclude(REVIEW, Stage.NEEDS_REVIEW), conversion=conversion(), assessment=REVIEW),
    row(P.DOUBT, "a doubt that a person waived does not block the next try", Judge(),
        conversion=conversion(doubts=(doubt(MINUTE, waived=True),))),

    # The doubt of the request's own conversion.
    row(P.DOUBT, "a doubt requires that the account is read", Look(), conversion=IN_DOUBT, assessment=READY),
    row(P.DOUBT, "a pending invitation on the account settles the doubt",
        Record(doubts.settled(IN_DOUBT, PENDING, NOW)), conversion=IN_DOUBT, sighting=seen(PENDING)),
    row(P.DOUBT, "a redeemed invitation on the account settles the doubt",
        Record(doubts.settled(IN_DOUBT, ACCEPTED, NOW)), conversion=IN_DOUBT, sighting=seen(ACCEPTED)),
    row(P.DOUBT, "an invitation on an account that was absent before settles the doubt",
        Record(doubts.settled(AWAY, PENDING, NOW)), conversion=AWAY, sighting=seen(PENDING)),
    row(P.DOUBT, "in doubt, a first 404 is recorded", Record(doubts.away(IN_DOUBT, Absence.GONE, NOW)),
        conversion=IN_DOUBT, sighting=seen(None)),
    row(P.DOUBT, "in doubt, a first sight in the recycle bin is recorded",
        Record(doubts.away(IN_DOUBT, Absence.BIN, NOW)), conversion=IN_DOUBT, sighting=seen(None, in_bin=True)),
    row(P.DOUBT, "in doubt, the request waits after a first 404", Wait(WaitReason.ACCOUNT_DELETED), conversion=AWAY,
        sighting=seen(None)),
    row(P.DOUBT, "two 404s a window apart mean that the account is gone", Record(doubts.gone(AWAY_LONG, NOW)),
        conversion=AWAY_LONG, sighting=seen(None)),
    row(P.DIRECTORY, "an account that is 29 days in the bin may be restored", Wait(WaitReason.ACCOUNT_DELETED),
        conversion=BINNED, sighting=seen(None, in_bin=True)),
    row(P.DIRECTORY, "an account that is 30 days in the bin is gone", Record(doubts.gone(BINNED_LONG, NOW)),
        conversion=BINNED_LONG, sighting=seen(None, in_bin=True)),
    row(P.DIRECTORY, "a 404 for an account that was in the bin restarts the absence",
        Record(doubts.away(BINNED_LONG, Absence.GONE, NOW)), conversion=BINNED_LONG, sighting=seen(None)),
    row(P.DIRECTORY, "a restored account that shows nothing ends the absence", Record(doubts.back(AWAY_LONG, NOW)),
        conversion=AWAY_LONG, sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "within the window, an account without an invitation proves nothing",
        Wait(WaitReason.OUTCOME_PENDING, 60.0),
        conversion=conversion(doubts=(doubt(2 * MINUTE),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "at the end of the window, the next read is at least 15 s later",
        Wait(WaitReason.OUTCOME_PENDING, 15.0),
        conversion=conversion(doubts=(doubt(WINDOW - SECOND),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "the window counts from the latest try", Wait(WaitReason.OUTCOME_PENDING, 60.0),
        conversion=conversion(doubts=(doubt(2 * MINUTE), doubt(DAY, attempt="a-0"))), sighting=seen(INTERNAL),
        shows=Shows.YES),
    row(P.DOUBT, "after the window, a tenant that shows invitations disproves the doubt",
        Record(doubts.disproved(IN_DOUBT, NOW)), conversion=IN_DOUBT, sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "the doubt is disproved as soon as the window has passed",
        Record(doubts.disproved(conversion(doubts=(doubt(WINDOW),)), NOW)),
        conversion=conversion(doubts=(doubt(WINDOW),)), sighting=seen(INTERNAL), shows=Shows.YES),
    row(P.DOUBT, "in a tenant that does not show invitations, a person decides",
        Record(doubts.to_review(IN_DOUBT, Shows.NO, NOW)), conversion=IN_DOUBT, sighting=seen(INTERNAL),
        shows=Shows.NO),
    row(P.DOUBT, "in a tenant about which nothing is known, the request waits", Wait(WaitReason.OUTCOME_UNKNOWN),
        conversion=IN_DOUBT, sighting=seen(INTERNAL)),
    row(P.DOUBT, "after the give-up time, a person decides",
        Record(doubts.to_review(TRIED_A_DAY_AGO, Shows.UNKNOWN, NOW)), conversion=TRIED_A_DAY_AGO,
        sighting=seen(INTERNAL)),

    # Tries without a mail need no knowledge about the tenant, because repeating one disturbs nobody.
    *(row(P.DOUBT, f"a silent try is judged again if the tenant is {shows.name.lower()}", Judge(), conversion=SILENT,
          sighting=seen(INTERNAL), shows=shows, silent=True) for shows in (Shows.UNKNOWN, Shows.NO)),
    row(P.DOUBT, "a silent try that is ready is sent again",
        Claim(READY), conversion=SILENT, sighting=seen(INTERNAL), silent=True, assessment=READY),
    row(P.WAIT, "a silent try is not sent again while the app is paused",
        Wait(WaitReason.PAUSED), conversion=SILENT, sighting=seen(INTERNAL),
        silent=True, assessment=READY, held=WaitReason.PAUSED),
    row(P.DOUBT, "if the tenant shows invitations, a silent doubt is disproved like any other",
        Record(doubts.disproved(SILENT, NOW)), conversion=SILENT, sighting=seen(INTERNAL), shows=Shows.YES,
        silent=True),
    row(P.DOUBT, "a silent try is not repeated with a mail", Wait(WaitReason.OUTCOME_UNKNOWN), conversion=SILENT,
        sighting=seen(INTERNAL), assessment=READY),
    row(P.DOUBT, "a silent try is not repeated if an earlier doubt asked for a mail",
        Record(doubts.to_review(conversion(doubts=(*IN_DOUBT.doubts, *SILENT.doubts)), Shows.NO, NOW)),
        conversion=conversion(doubts=(*IN_DOUBT.doubts, *SILENT.doubts)), sighting=seen(INTERNAL), shows=Shows.NO,
        silent=True, assessment=READY),
    row(P.DOUBT, "a silent try is repeated until the give-up time",
        Claim(READY), conversion=SILENT_A_DAY_AGO, sighting=seen(INTERNAL), silent=True, assessment=READY),
    row(P.DOUBT, "at the give-up time, a silent try ends", Record(doubts.given_up(GIVEN_UP, NOW)), conversion=GIVEN_UP,
        sighting=seen(INTERNAL), silent=True, assessment=READY),
    row(P.DOUBT, "an invitation that only the rules' read shows settles the doubt",
        Record(doubts.settled(SILENT, PENDING, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        assessment=ALREADY),
    row(P.DOUBT, "if the rules find no account for the repeat, a person decides",
        Record(doubts.to_review(SILENT, Shows.NO, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        shows=Shows.NO, assessment=NOBODY),
    row(P.DOUBT, "if the rules refuse the repeat, a person decides",
        Record(doubts.to_review(SILENT, Shows.NO, NOW)), conversion=SILENT, sighting=seen(INTERNAL), silent=True,
        shows=Shows.NO, assessment=REVIEW),
)
# fmt: on
