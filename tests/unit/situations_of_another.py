"""Situations of a request whose account has a conversion of another request, or an earlier one of its own."""

from dataclasses import replace
from typing import Any

from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.opening import NOTHING_TO_ADOPT, adopted
from b2b.domain.conversion.situation import (
    Claim,
    Conclude,
    Join,
    Judge,
    Look,
    Record,
    Review,
    Wait,
)
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.request.review import not_visible
from tests.unit.protocol import (
    ACCEPTED,
    DAY,
    HOUR,
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
    IN_REVIEW,
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

INVITED_SEEN = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY)
INVITED_A_WINDOW_AGO = conversion(Stage.INVITED, invited_at=NOW - WINDOW)
INVITED_NOW = conversion(Stage.INVITED, invited_at=NOW - MINUTE)
SEEN_A_WINDOW_AGO = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - WINDOW)
SEEN_NOW = conversion(Stage.INVITED, invited_at=NOW - HOUR, seen_at=NOW - MINUTE)
SUSPECTED = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY, internal_since=NOW - 59 * SECOND)
CONFIRMABLE = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY, internal_since=NOW - MINUTE)
COMPLETED = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, completed_at=NOW - HOUR)
UNVERIFIED = conversion(Stage.UNVERIFIED, accepted_at=NOW - DAY)
UNVERIFIED_SUSPECTED = replace(UNVERIFIED, internal_since=NOW - 59 * SECOND)
UNVERIFIED_CONFIRMABLE = replace(UNVERIFIED, internal_since=NOW - MINUTE)
ENDED_LONG = conversion(Stage.COMPLETED, completed_at=NOW - WINDOW)
COMPLETED_NOW = conversion(Stage.COMPLETED, accepted_at=NOW - MINUTE, completed_at=NOW - SECOND)
COMPLETED_SUSPECTED = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, internal_since=NOW - 59 * SECOND)
COMPLETED_CONFIRMABLE = conversion(Stage.COMPLETED, accepted_at=NOW - DAY, internal_since=NOW - MINUTE)
DOUBTFUL_REVIEW = conversion(Stage.NEEDS_REVIEW, doubts=IN_DOUBT.doubts)
LAGS_A_MINUTE = Wait(WaitReason.UNDONE, (WINDOW - MINUTE).total_seconds())
LAGS_A_WINDOW = Wait(WaitReason.UNDONE, WINDOW.total_seconds())
REFUSED_LATE = conversion(Stage.CANCELLED, doubts=(doubt(DAY),))
STRANGER = finding("another-account")
ELSEWHERE = conversion(
    Stage.CANCELLED, doubts=(doubt(2 * HOUR, silent=True, elsewhere=True),), findings=(finding(), STRANGER)
)
ADOPTING = record(request_id="r-2", adopts=True, left_generation=1)
ALREADY_AND_A_MAILBOX = judged(*ALREADY.findings, finding("exchange-mailbox", "block"), account=PENDING)
LATE = record(request_id="r-2", requested_at=NOW - DAY + MINUTE)
UNDONE = conversion(Stage.CANCELLED, invited_at=NOW - DAY)
OPENED_AGAIN: dict[str, dict[str, Any]] = {
    "released": {"released": True},
    "approved": {"approval": "{}"},
    "opened again": {"left_generation": 1},
}
P = Point
# fmt: off
ANOTHERS: tuple[Row, ...] = (
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
      for stage in (Stage.ACCEPTED, Stage.VERIFIED, Stage.UNVERIFIED, Stage.COMPLETED)),
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

    # A person is to decide about what has changed since the redemption.
    row(P.DIRECTORY, "unverified: the account is read before anybody joins", Look(), request=OTHER,
        conversion=UNVERIFIED),
    row(P.JOINER, "unverified: that the account is away is no word about it", Join(), request=OTHER,
        conversion=UNVERIFIED, sighting=seen(None)),
    row(P.JOINER, "unverified: a replica may show the time before", Join(), request=OTHER,
        conversion=conversion(Stage.UNVERIFIED, accepted_at=NOW - MINUTE), sighting=seen(PENDING)),
    row(P.DIRECTORY, "unverified: reset, it waits again", Record(undone.reset_meanwhile(UNVERIFIED, PENDING, NOW)),
        request=OTHER, conversion=UNVERIFIED, sighting=seen(PENDING)),
    row(P.DIRECTORY, "unverified: made internal again, the first read is noted",
        Record(undone.suspected(UNVERIFIED, NOW)), request=OTHER, conversion=UNVERIFIED, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "unverified: made internal again, the second must be a minute later", Wait(WaitReason.UNDONE),
        request=OTHER, conversion=UNVERIFIED_SUSPECTED, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "unverified: made internal again, the conversion is void",
        Record(undone.confirmed(UNVERIFIED_CONFIRMABLE, NOW)), request=OTHER, conversion=UNVERIFIED_CONFIRMABLE,
        sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "unverified: made internal again, refuted", Record(undone.refuted(UNVERIFIED_SUSPECTED, NOW)),
        request=OTHER, conversion=UNVERIFIED_SUSPECTED, sighting=seen(ACCEPTED)),

    # A person adopts an account that someone else invited. Nothing is sent, whatever the directory shows.
    row(P.DIRECTORY, "adopting: the rules are asked", Judge(), request=ADOPTING, conversion=conversion(Stage.BLOCKED)),
    *(row(P.DIRECTORY, f"adopting: the account waits, so it is followed, {held or 'whatever'} or not",
          Record(adopted(conversion(Stage.BLOCKED), "r-2", ALREADY, (), NOW)), request=ADOPTING,
          conversion=conversion(Stage.BLOCKED), assessment=ALREADY, held=held) for held in (None, WaitReason.PAUSED)),
    row(P.DIRECTORY, "adopting: another rule forbids it", Conclude(ALREADY_AND_A_MAILBOX, Stage.BLOCKED),
        request=ADOPTING, conversion=conversion(Stage.BLOCKED), assessment=ALREADY_AND_A_MAILBOX),
    *(row(P.DIRECTORY, f"adopting: the account {what}, and is not invited",
          Conclude(replace(found, findings=(*found.findings, NOTHING_TO_ADOPT)), Stage.BLOCKED), request=ADOPTING,
          conversion=conversion(Stage.BLOCKED), assessment=found)
      for what, found in (("does not wait any more", READY), ("has to be reviewed", REVIEW))),

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

    # Its message came late: the invitation had met it before what was done to the account.
    row(P.JOINER, "asked for before the invitation: undone since is no reason for another one", Join(), request=LATE,
        conversion=INVITED_SEEN, sighting=seen(INTERNAL)),
    row(P.DIRECTORY, "asked for a second later than clocks can differ: a new request",
        Record(undone.suspected(INVITED_SEEN, NOW)),
        request=record(request_id="r-2", requested_at=LATE.requested_at + SECOND), conversion=INVITED_SEEN,
        sighting=seen(INTERNAL)),
    *(row(P.DIRECTORY, f"asked for before, and {how} by a person since: a new request",
          Record(undone.suspected(INVITED_SEEN, NOW)), request=replace(LATE, **since), conversion=INVITED_SEEN,
          sighting=seen(INTERNAL))
      for how, since in OPENED_AGAIN.items()),
    row(P.JOINER, "asked for before an invitation that was undone and ended", Join(), request=LATE, conversion=UNDONE),
    row(P.ONE_END, "asked for after it", Judge(), request=OTHER, conversion=UNDONE),
    row(P.JOINER, "asked for before an invitation that was redeemed, and undone since", Join(), request=LATE,
        conversion=replace(COMPLETED, invited_at=NOW - DAY), sighting=seen(INTERNAL)),
    row(P.JOINER, "asked for before an invitation that waits for a person, and undone since", Join(), request=LATE,
        conversion=replace(UNVERIFIED, invited_at=NOW - DAY), sighting=seen(INTERNAL)),
    row(P.ONE_END, "asked for before an end without an invitation", Judge(), request=LATE,
        conversion=conversion(Stage.CANCELLED)),
)
# fmt: on
