"""What reading an account again says about its conversion, as a table, and what it tells about the tenant."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from b2b.domain.account import Account
from b2b.domain.conversion import doubts, undone
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.records import Absence, Change, Conversion, note
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Known, Shows
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.lifecycle.followed import followed, is_followed, learned
from tests.unit.cases import ANNA, user
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
    seen,
)

NOT_VISIBLE = Waiting(WaitReason.NOT_VISIBLE, NOW)
DELETED = Waiting(WaitReason.ACCOUNT_DELETED, NOW - MINUTE)
CLAIM = conversion()
IN_DOUBT = conversion(doubts=(doubt(2 * HOUR),))
REVIEW = conversion(Stage.NEEDS_REVIEW, doubts=(doubt(2 * HOUR),))
INVITED = conversion(Stage.INVITED, invited_at=NOW - DAY)
SEEN = replace(INVITED, seen_at=NOW - DAY)
SUSPECTED = replace(SEEN, internal_since=NOW - 59 * SECOND)
CONFIRMABLE = replace(SEEN, internal_since=NOW - MINUTE)


def away(conversion: Conversion, absence: Absence, since: datetime) -> Conversion:
    return replace(conversion, absence=absence, absent_since=since, waiting=DELETED)


GONE = away(SEEN, Absence.GONE, NOW - WINDOW + SECOND)
GONE_LONG = away(SEEN, Absence.GONE, NOW - WINDOW)
BINNED = away(SEEN, Absence.BIN, NOW - 30 * DAY + SECOND)
BINNED_LONG = away(SEEN, Absence.BIN, NOW - 30 * DAY)
MISSING, IN_BIN = seen(None), seen(None, in_bin=True)


def shown(conversion: Conversion) -> Change[Conversion]:
    return note(conversion, "seen", NOW, "the account shows the invitation", seen_at=NOW, waiting=None)


def hidden(conversion: Conversion) -> Change[Conversion]:
    return note(conversion, "not-visible", NOW, "the account does not show the invitation", waiting=NOT_VISIBLE)


@dataclass(frozen=True)
class Row:
    """A conversion, a reading of its account, and the change that must follow; None: no change."""

    said: str
    conversion: Conversion
    sighting: Sighting
    change: Change[Conversion] | None = None


# fmt: off
TABLE = (
    Row("a claim without a doubt: another invitation is not taken for ours", CLAIM, seen(PENDING)),
    Row("a claim without a doubt: a 404 is left to the request", CLAIM, MISSING),
    Row("a doubt: nothing shows", IN_DOUBT, seen(INTERNAL)),
    Row("a doubt: settled", IN_DOUBT, seen(PENDING), doubts.settled(IN_DOUBT, PENDING, NOW)),
    Row("a doubt: settled by the redemption", IN_DOUBT, seen(ACCEPTED), doubts.settled(IN_DOUBT, ACCEPTED, NOW)),
    Row("a doubt: away", IN_DOUBT, MISSING, doubts.away(IN_DOUBT, Absence.GONE, NOW)),
    Row("a doubt: in the bin", IN_DOUBT, IN_BIN, doubts.away(IN_DOUBT, Absence.BIN, NOW)),
    Row("a doubt: back, and shows nothing", away(IN_DOUBT, Absence.BIN, NOW - DAY), seen(INTERNAL),
        doubts.back(away(IN_DOUBT, Absence.BIN, NOW - DAY), NOW)),
    Row("a review in doubt: nothing shows", REVIEW, seen(INTERNAL)),
    Row("a review in doubt: settled", REVIEW, seen(PENDING), doubts.settled(REVIEW, PENDING, NOW)),
    Row("a review in doubt: gone for good", away(REVIEW, Absence.GONE, NOW - DAY), MISSING,
        doubts.gone(away(REVIEW, Absence.GONE, NOW - DAY), NOW)),
    Row("invited: redeemed", SEEN, seen(ACCEPTED), doubts.redeemed(SEEN, ACCEPTED, NOW)),
    Row("invited: redeemed, suspected or not", SUSPECTED, seen(ACCEPTED), doubts.redeemed(SEEN, ACCEPTED, NOW)),
    Row("invited: seen for the first time", INVITED, seen(PENDING), shown(INVITED)),
    Row("invited: seen after it was not visible", replace(INVITED, waiting=NOT_VISIBLE), seen(PENDING),
        shown(replace(INVITED, waiting=NOT_VISIBLE))),
    Row("invited: still waits for its person", SEEN, seen(PENDING)),
    Row("invited: not seen within the window", replace(INVITED, invited_at=NOW - WINDOW + SECOND), seen(INTERNAL)),
    Row("invited: not seen by its end", replace(INVITED, invited_at=NOW - WINDOW), seen(INTERNAL),
        hidden(replace(INVITED, invited_at=NOW - WINDOW))),
    Row("invited: that is said once", replace(INVITED, waiting=NOT_VISIBLE), seen(INTERNAL)),
    Row("invited: without a time no window has passed", replace(INVITED, invited_at=None), seen(INTERNAL)),
    Row("undone: within the window it proves nothing", replace(SEEN, seen_at=NOW - WINDOW + SECOND), seen(INTERNAL)),
    Row("undone: the first read is noted", SEEN, seen(INTERNAL), undone.suspected(SEEN, NOW)),
    Row("undone: a second one too soon confirms nothing", SUSPECTED, seen(INTERNAL)),
    Row("undone: confirmed", CONFIRMABLE, seen(INTERNAL), undone.confirmed(CONFIRMABLE, NOW)),
    Row("undone: refuted", SUSPECTED, seen(PENDING), undone.refuted(SUSPECTED, NOW)),
    Row("invited: away", SEEN, MISSING, doubts.away(SEEN, Absence.GONE, NOW)),
    Row("invited: away, the second round too soon", GONE, MISSING),
    Row("invited: gone for good", GONE_LONG, MISSING, doubts.gone(GONE_LONG, NOW)),
    Row("invited: in the bin for not quite 30 days", BINNED, IN_BIN),
    Row("invited: in the bin for 30 days", BINNED_LONG, IN_BIN, doubts.gone(BINNED_LONG, NOW)),
    Row("invited: out of the bin and not there, counted anew", BINNED_LONG, MISSING,
        doubts.away(BINNED_LONG, Absence.GONE, NOW)),
    Row("invited: restored; what it shows counts from the next read", GONE_LONG, seen(INTERNAL),
        doubts.back(GONE_LONG, NOW)),
)
# fmt: on


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.said)
def test_each_reading_changes_the_conversion_as_in_the_table(case: Row) -> None:
    assert followed(case.conversion, case.sighting, LIMITS, NOW) == case.change


def test_an_unreadable_time_of_acceptance_is_replaced_by_the_apps_time() -> None:
    nameless = user(externalUserState="Accepted", externalUserStateChangeDateTime="yesterday")
    change = followed(SEEN, seen(nameless), LIMITS, NOW)
    assert change is not None
    assert change.row.accepted_at == NOW


@pytest.mark.parametrize("stage", list(Stage))
def test_only_open_invitations_and_reviews_in_doubt_are_followed(stage: Stage) -> None:
    always = {"inviting", "invited"}
    assert is_followed(conversion(stage)) is (stage.value in always)
    assert is_followed(conversion(stage, doubts=(doubt(HOUR),))) is (stage.value in {*always, "needsReview"})


OURS = conversion(Stage.INVITED, invited_at=NOW - DAY, was_internal=True, invitation_id="i-1", generation=2)
KNOWN = Known(invisible=("b~1",))
WAITS = user(externalUserState="PendingAcceptance", externalUserStateChangeDateTime=(NOW - DAY).isoformat())


def test_a_visible_invitation_of_ours_proves_that_the_tenant_shows_them() -> None:
    assert learned(OURS, replace(OURS, seen_at=NOW), WAITS, KNOWN).shows is Shows.YES


@pytest.mark.parametrize(
    ("late", "shows"), [(MINUTE, Shows.YES), (MINUTE + SECOND, Shows.UNKNOWN)], ids=["clocks differ", "too late"]
)
def test_an_account_pending_since_after_our_invitation_proves_nothing(late: timedelta, shows: Shows) -> None:
    since = (NOW - DAY + late).isoformat()
    account = user(externalUserState="PendingAcceptance", externalUserStateChangeDateTime=since)
    assert learned(OURS, replace(OURS, seen_at=NOW), account, KNOWN).shows is shows


@pytest.mark.parametrize("account", [None, user(externalUserState="PendingAcceptance")], ids=["unread", "undated"])
def test_an_account_pending_since_an_unknown_time_proves_nothing(account: Account | None) -> None:
    assert learned(OURS, replace(OURS, seen_at=NOW), account, KNOWN) is KNOWN


def test_an_invisible_invitation_counts_once_per_account_and_generation() -> None:
    after = replace(OURS, waiting=NOT_VISIBLE)
    assert learned(OURS, after, INTERNAL, KNOWN) == Known(invisible=("b~1", f"{ANNA}~2"))
    assert learned(after, after, INTERNAL, Known(invisible=("b~1", f"{ANNA}~2"))).invisible == ("b~1", f"{ANNA}~2")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OURS, OURS),
        (replace(OURS, seen_at=NOW - DAY), replace(OURS, seen_at=NOW - DAY)),
        (OURS, replace(OURS, seen_at=NOW, accepted_at=NOW)),
        (OURS, replace(OURS, waiting=DELETED)),
        (replace(OURS, was_internal=False), replace(OURS, was_internal=False, seen_at=NOW)),
        (replace(OURS, invitation_id=""), replace(OURS, invitation_id="", seen_at=NOW)),
        (replace(OURS, invitation_id=""), replace(OURS, invitation_id="", waiting=NOT_VISIBLE)),
        (replace(OURS, was_internal=False), replace(OURS, was_internal=False, waiting=NOT_VISIBLE)),
    ],
    ids=[
        "nothing new",
        "seen before",
        "redeemed before it was seen waiting",
        "deleted",
        "it showed a state before our invitation",
        "seen without a 201",
        "invisible without a 201",
        "invisible, and external before",
    ],
)
def test_other_changes_prove_nothing_about_the_tenant(before: Conversion, after: Conversion) -> None:
    assert learned(before, after, WAITS, KNOWN) is KNOWN
