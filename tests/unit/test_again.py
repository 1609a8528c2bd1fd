"""When an invited account may get another mail, and how each attempt changes its conversion."""

from dataclasses import replace
from datetime import timedelta

import pytest

from b2b.domain.conversion import again
from b2b.domain.conversion.again import APART, MOST, check_account, check_apart, check_waiting, claimed, ended
from b2b.domain.conversion.outcome import ANOTHER, InDoubt, NotSent, Outcome, Refused, Taken
from b2b.domain.conversion.records import Conversion, begin
from b2b.domain.conversion.sendings import Fate, Purpose, Sending
from b2b.domain.conversion.situation import SKEW
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import Refusal, RequestRefused
from b2b.domain.readings import Invited
from tests.unit.cases import ADDRESS
from tests.unit.protocol import ACCEPTED, DAY, HOUR, INTERNAL, MINUTE, NOW, PENDING, SECOND, conversion, doubt, kinds

NEW = "anna.right@fabrikam.com"
WAITING = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY)
RESEND = Sending("m-1", Purpose.RESEND, Fate.UNKNOWN, NOW, NOW + 2 * MINUTE, ADDRESS, "nora")
CORRECTION = Sending("m-2", Purpose.CORRECTION, Fate.UNKNOWN, NOW, NOW + 2 * MINUTE, NEW, "nora", ADDRESS)
TAKEN = Taken(Invited("i-2", "PendingAcceptance"))
REFUSED = Refused(Refusal(400, "BadRequest", "the text"))
ELSEWHERE = Refused(Refusal(201, ANOTHER, "Graph invited another"))
LOST, UNSENT = InDoubt("no answer"), NotSent("not reached")


def sent(ago: timedelta, fate: Fate = Fate.SENT, purpose: Purpose = Purpose.RESEND) -> Conversion:
    """Return an invited conversion whose last mail was claimed ``ago``."""
    mail = replace_mail(RESEND, purpose=purpose, fate=fate, at=NOW - ago, until=NOW - ago + 2 * MINUTE)
    return replace(WAITING, sendings=(mail,))


def replace_mail(mail: Sending, **changes: object) -> Sending:
    return Sending(**{name: changes.get(name, getattr(mail, name)) for name in mail.__struct_fields__})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "instead"),
    [
        (conversion(Stage.NEEDS_REVIEW, doubts=(doubt(HOUR),)), "Approving request r-1 sends another one"),
        (conversion(Stage.ACCEPTED, accepted_at=NOW), "has redeemed"),
        (conversion(Stage.COMPLETED, accepted_at=NOW), "has redeemed"),
        (conversion(Stage.BLOCKED), "send a new request"),
        (conversion(Stage.CANCELLED, accepted_at=NOW), "send a new request"),
        (conversion(Stage.INVITING), "not invited yet"),
    ],
    ids=lambda each: each.stage if isinstance(each, Conversion) else "",
)
def test_only_an_invited_account_may_get_another_mail_and_a_refusal_says_what_to_do(
    row: Conversion, instead: str
) -> None:
    check_waiting(WAITING)
    with pytest.raises(RequestRefused, match=instead) as refused:
        check_waiting(row)
    assert refused.value.code == "NotInvited"


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("fate", [Fate.SENT, Fate.UNKNOWN])
def test_a_resend_within_an_hour_of_any_mail_is_refused(fate: Fate, purpose: Purpose) -> None:
    with pytest.raises(RequestRefused, match=r"possible from 20\d\d-") as refused:
        check_apart(sent(APART + SKEW - SECOND, fate, purpose), Purpose.RESEND, NOW)
    assert refused.value.code == "SentJustNow"
    check_apart(sent(APART + SKEW, fate, purpose), Purpose.RESEND, NOW)


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.NOT_SENT])
def test_a_mail_that_was_not_sent_does_not_delay_a_resend(fate: Fate) -> None:
    check_apart(sent(SECOND, fate), Purpose.RESEND, NOW)


def test_a_correction_waits_only_for_a_call_that_is_still_running() -> None:
    check_apart(sent(2 * MINUTE, Fate.UNKNOWN), Purpose.CORRECTION, NOW)
    check_apart(sent(SECOND), Purpose.CORRECTION, NOW)
    with pytest.raises(RequestRefused):
        check_apart(sent(SECOND, Fate.UNKNOWN), Purpose.CORRECTION, NOW)


def test_an_internal_account_may_get_a_mail_unless_it_showed_its_invitation_before() -> None:
    never_seen = replace(WAITING, seen_at=None)
    for row, account in ((WAITING, PENDING), (never_seen, INTERNAL), (WAITING, None)):
        check_account(row, account)
    for row, account in ((WAITING, INTERNAL), (WAITING, ACCEPTED), (never_seen, ACCEPTED)):
        with pytest.raises(RequestRefused, match="Nothing was sent"):
            check_account(row, account)


def test_a_claim_adds_the_attempt_to_the_row_and_records_the_decision() -> None:
    change = claimed(WAITING, RESEND, NOW, "by nora: lost")
    assert (change.row.sendings, change.row.stage) == ((RESEND,), Stage.INVITED)
    assert (change.row.invited_user_email_address, change.row.corrected) == (ADDRESS, False)
    assert change.row.open_doubts == (), "a resend adds no doubt: the account shows its first invitation in any case"
    assert [(event.kind, event.detail) for event in change.events] == [("resend", "by nora: lost")]


@pytest.mark.parametrize(
    ("outcome", "fate", "kind"),
    [
        (TAKEN, Fate.SENT, "resend-sent"),
        (REFUSED, Fate.REFUSED, "resend-refused"),
        (ELSEWHERE, Fate.UNKNOWN, "resend-unknown"),
        (LOST, Fate.UNKNOWN, "resend-unknown"),
        (UNSENT, Fate.NOT_SENT, "resend-not-sent"),
    ],
)
def test_each_outcome_sets_the_fate_of_the_attempt_and_its_event(outcome: Outcome, fate: Fate, kind: str) -> None:
    row = claimed(WAITING, RESEND, NOW, "").row
    change, over = ended(row, RESEND, outcome, NOW + SECOND)
    assert (over.fate, over.until, kinds(change)) == (fate, NOW + SECOND, [kind])
    assert change.row.sendings == (over,)
    assert (change.row.stage, change.row.doubts) == (Stage.INVITED, ())


@pytest.mark.parametrize("outcome", [TAKEN, LOST, ELSEWHERE])
def test_a_corrected_address_stays_if_its_mail_may_have_been_sent(outcome: Outcome) -> None:
    row = claimed(WAITING, CORRECTION, NOW, "").row
    assert (row.invited_user_email_address, row.corrected) == (NEW, True)
    after = ended(row, CORRECTION, outcome, NOW)[0].row
    assert (after.invited_user_email_address, after.corrected, after.earlier_addresses) == (NEW, True, (ADDRESS,))


@pytest.mark.parametrize("outcome", [REFUSED, UNSENT])
@pytest.mark.parametrize("before", [False, True])
def test_if_no_mail_was_sent_the_earlier_address_is_restored(outcome: Outcome, *, before: bool) -> None:
    correction = replace_mail(CORRECTION, again=before)
    row = claimed(replace(WAITING, corrected=before), correction, NOW, "").row
    after = ended(row, correction, outcome, NOW)[0].row
    assert (after.invited_user_email_address, after.corrected, after.earlier_addresses) == (ADDRESS, before, ())


def test_an_outcome_does_not_change_the_stage_after_a_redemption() -> None:
    row = replace(claimed(WAITING, RESEND, NOW, "").row, stage=Stage.ACCEPTED, accepted_at=NOW)
    after = ended(row, RESEND, TAKEN, NOW)[0].row
    assert (after.stage, after.sendings[0].fate) == (Stage.ACCEPTED, Fate.SENT)


def test_a_later_generation_without_the_attempt_records_its_outcome_only_in_the_history() -> None:
    later = conversion(Stage.INVITED, generation=2, invited_user_email_address=NEW)
    change, _ = ended(later, CORRECTION, UNSENT, NOW)
    assert (change.row, kinds(change)) == (later, ["correction-not-sent"])


def test_a_row_keeps_the_newest_attempts_and_older_corrections() -> None:
    row = claimed(WAITING, replace_mail(CORRECTION, fate=Fate.SENT), NOW, "").row
    for number in range(MOST + 1):
        row = claimed(row, replace_mail(RESEND, attempt=f"m-{number}"), NOW, "").row
    assert len(row.sendings) == MOST + 1
    assert row.sendings[0].purpose is Purpose.CORRECTION
    assert again._kept(row.sendings)[-1].attempt == f"m-{MOST}"


@pytest.mark.parametrize(("accepted_at", "kept"), [(None, True), (NOW, False)])
def test_the_next_generation_keeps_mails_until_the_redemption(accepted_at: object, *, kept: bool) -> None:
    ended_row = conversion(Stage.CANCELLED, sendings=(RESEND,), accepted_at=accepted_at)
    assert bool(begin(ended_row, conversion(), NOW).row.sendings) is kept
