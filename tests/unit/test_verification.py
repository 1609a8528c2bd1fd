"""Comparison after redemption, as a table: what a reading says about a conversion, and when to look again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from b2b.domain.account import ACCEPTED, PENDING, Account
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.proof import uncompared
from b2b.domain.conversion.records import Absence, Conversion
from b2b.domain.conversion.redeemer import Matches, Redeemer
from b2b.domain.conversion.situation import limits_of
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.findings import ACCESS_CHANGED, REDEEMED_BY_OTHER, Finding, Severity, Verdict
from b2b.domain.lifecycle import verification
from b2b.domain.lifecycle.snapshot import Kind, Moment, Snapshot, snapshot_of
from b2b.domain.lifecycle.verification import REFRESH, Kept, Look, Outcome
from b2b.domain.readings import NotReadable

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LIMITS = limits_of(30, 300, 86_400)
WINDOW = LIMITS.window
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
REDEEMED = Account("1", "anna@contoso.com", external_user_state=ACCEPTED, withheld=())
HAD: dict[Fact[Any], Any] = {
    facts.DIRECT_GROUPS: {"g1": "Partners"},
    facts.APP_ROLES: {"portal/role": "Portal"},
    facts.ROLE_ASSIGNMENTS: (),
    facts.MANAGER: {},
    facts.SPONSORS: {},
    facts.OWNED_OBJECTS: {},
    facts.REGISTERED_DEVICES: {},
}
ROW = Conversion(
    user_id="1",
    stage=Stage.ACCEPTED,
    request_id="r1",
    baseline=1,
    invited_at=NOON - DAY,
    accepted_at=NOON,
    comparing_since=NOON,
    waiting=Waiting(WaitReason.COMPARING, NOON),
)
WAITING = replace(ROW, stage=Stage.INVITED, accepted_at=None, comparing_since=None, waiting=None)
PENDING_STILL = msgspec.structs.replace(REDEEMED, external_user_state=PENDING)


def snapshot(account: Account = REDEEMED, **changes: Any) -> Snapshot:
    return snapshot_of(account, Facts(HAD | {getattr(facts, k.upper()): v for k, v in changes.items()}), NOON)


BEFORE = snapshot()
FEWER = snapshot(direct_groups={})


def read(at: datetime, account: Account | None = REDEEMED, found: Snapshot | None = BEFORE, **where: bool) -> Look:
    return Look(Sighting(at, account, **where), None if account is None else found)


KEPT = Kept(BEFORE)


def compared(row: Conversion, look: Look, kept: Kept = KEPT) -> Outcome:
    return verification.compared(row, look, kept, LIMITS, DAY, look.sighting.at + SECOND)


def refreshed(row: Conversion, look: Look, kept: Kept = KEPT) -> Outcome:
    return verification.refreshed(row, look, kept, LIMITS, look.sighting.at + SECOND)


def kinds(outcome: Outcome) -> list[str]:
    return [event.kind for event in outcome.change.events] if outcome.change else []


def row_after(outcome: Outcome) -> Conversion:
    assert outcome.change is not None
    return outcome.change.row


def test_one_equal_reading_does_not_verify() -> None:
    outcome = compared(ROW, read(NOON))
    assert (kinds(outcome), row_after(outcome).stage) == (["equal"], Stage.ACCEPTED)
    assert (row_after(outcome).equal_since, outcome.look_at) == (NOON, NOON + WINDOW)


def test_a_second_equal_reading_within_the_window_does_not_verify() -> None:
    outcome = compared(replace(ROW, equal_since=NOON), read(NOON + WINDOW - SECOND))
    assert (kinds(outcome), outcome.look_at) == ([], NOON + WINDOW)


def test_two_equal_readings_a_window_apart_verify_and_complete() -> None:
    outcome = compared(replace(ROW, equal_since=NOON), read(NOON + WINDOW))
    assert kinds(outcome) == ["verified", "completed"]
    row = row_after(outcome)
    assert (row.stage, row.waiting, row.findings) == (Stage.COMPLETED, None, ())
    assert (outcome.keep, outcome.look_at) == (((Moment.AFTER, BEFORE),), None)
    assert outcome.change is not None
    assert outcome.change.events[0].detail == "everything was compared"


def test_verified_names_the_kinds_that_were_not_readable_before() -> None:
    before = snapshot(app_roles=NotReadable())
    outcome = compared(replace(ROW, equal_since=NOON), read(NOON + WINDOW), Kept(before))
    assert outcome.change is not None
    said = "not compared: app roles: the permission Directory.Read.All is missing"
    assert outcome.change.events[0].detail == said


def test_a_difference_restarts_the_wait_for_two_equal_readings() -> None:
    outcome = compared(replace(ROW, equal_since=NOON), read(NOON + WINDOW, found=FEWER))
    assert (kinds(outcome), row_after(outcome).equal_since) == (["differs"], None)
    assert outcome.change is not None
    assert outcome.change.events[0].detail == "groups: missing Partners (g1)"
    again = compared(row_after(outcome), read(NOON + 2 * WINDOW, found=FEWER))
    assert kinds(again) == []
    assert again.look_at is not None
    assert NOON + 2 * WINDOW < again.look_at <= NOON + DAY


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (FEWER, "groups: missing Partners (g1)"),
        (snapshot(direct_groups={"g1": "", "g2": "All"}), "groups: new All (g2)"),
        (
            snapshot(app_roles=NotReadable()),
            "app roles cannot be read any more: the permission Directory.Read.All is missing",
        ),
    ],
)
def test_at_the_deadline_a_finding_names_the_differences(found: Snapshot, said: str) -> None:
    early = compared(ROW, read(NOON + DAY - 2 * SECOND, found=found))
    assert (kinds(early), early.look_at) == ([], NOON + DAY)
    outcome = compared(ROW, read(NOON + DAY, found=found))
    row = row_after(outcome)
    assert (kinds(outcome), row.stage, row.verdict) == (["unverified"], Stage.UNVERIFIED, Verdict.NEEDS_REVIEW)
    (finding,) = row.findings
    assert (finding.rule, finding.severity) == (ACCESS_CHANGED, Severity.REVIEW)
    assert finding.message == f"After the redemption: {said}."
    assert (outcome.keep, outcome.look_at) == (((Moment.AFTER, found),), None)


def test_an_account_equal_at_the_deadline_gets_a_second_reading() -> None:
    outcome = compared(ROW, read(NOON + DAY))
    assert (kinds(outcome), outcome.look_at) == (["equal"], NOON + DAY + WINDOW)


def test_without_a_snapshot_the_account_is_unverified() -> None:
    outcome = compared(ROW, read(NOON), Kept(None))
    assert row_after(outcome).stage is Stage.UNVERIFIED


@pytest.mark.parametrize("state", [None, PENDING])
def test_an_account_without_a_visible_redemption_is_read_again(state: str | None) -> None:
    account = msgspec.structs.replace(REDEEMED, external_user_state=state)
    outcome = compared(ROW, read(NOON + WINDOW - 2 * SECOND, account))
    assert (outcome.change, outcome.look_at) == (None, NOON + WINDOW)


def test_after_a_reset_the_same_conversion_is_invited_again() -> None:
    outcome = compared(replace(ROW, equal_since=NOON), read(NOON + WINDOW, PENDING_STILL))
    row = row_after(outcome)
    assert (row.stage, row.generation, row.accepted_at, row.equal_since) == (Stage.INVITED, 1, None, None)
    assert (row.seen_at, row.baseline, outcome.look_at) == (NOON + WINDOW + SECOND, 1, None)


def test_an_internal_account_is_cancelled_after_two_readings() -> None:
    internal = msgspec.structs.replace(REDEEMED, external_user_state=None)
    first = compared(ROW, read(NOON + WINDOW, internal))
    assert (kinds(first), first.look_at) == (["reads-internal"], NOON + WINDOW + SECOND + LIMITS.confirm)
    too_early = compared(row_after(first), read(NOON + WINDOW + 2 * SECOND, internal))
    assert too_early.change is None
    second = compared(row_after(first), read(NOON + WINDOW + LIMITS.confirm + SECOND, internal))
    assert row_after(second).stage is Stage.CANCELLED
    refuted = compared(row_after(first), read(NOON + 2 * WINDOW))
    assert (kinds(refuted), row_after(refuted).internal_since) == (["reads-external"], None)


def test_an_account_in_the_recycle_bin_is_unverified_at_the_deadline() -> None:
    away = compared(ROW, read(NOON, None, in_bin=True))
    row = row_after(away)
    assert (row.absence, row.waiting and row.waiting.reason) == (Absence.BIN, WaitReason.ACCOUNT_DELETED)
    assert compared(row, read(NOON + timedelta(hours=23), None, in_bin=True)).change is None
    outcome = compared(row, read(NOON + DAY, None, in_bin=True))
    assert row_after(outcome).stage is Stage.UNVERIFIED
    assert "recycle bin" in row_after(outcome).findings[0].message


def test_a_permanently_deleted_account_is_cancelled() -> None:
    row = row_after(compared(ROW, read(NOON, None)))
    assert row_after(compared(row, read(NOON + WINDOW + SECOND, None))).stage is Stage.CANCELLED


def test_a_restored_account_continues_its_comparison() -> None:
    row = row_after(compared(ROW, read(NOON, None, in_bin=True)))
    outcome = compared(row, read(NOON + WINDOW))
    back = row_after(outcome)
    assert (back.absence, back.waiting and back.waiting.reason) == (None, WaitReason.COMPARING)
    assert outcome.look_at == NOON + WINDOW + SECOND


def test_an_unchanged_invited_account_is_read_again_after_a_week() -> None:
    outcome = refreshed(WAITING, read(NOON, PENDING_STILL))
    assert (outcome.change, outcome.keep) == (None, ())
    assert outcome.look_at == NOON - DAY + REFRESH
    assert verification.first_refresh(WAITING, NOON) == outcome.look_at
    assert verification.first_refresh(replace(WAITING, baseline=0), NOON) is None


def test_a_change_before_redemption_counts_once_a_reading_a_window_later_confirms_it() -> None:
    seen = refreshed(WAITING, read(NOON, PENDING_STILL, FEWER))
    row = row_after(seen)
    assert (kinds(seen), row.access_seen_at, row.baseline) == (["access-seen"], NOON + SECOND, 1)
    ((moment, kept),) = seen.keep
    assert (moment, kept.kinds, seen.look_at) == (Moment.SEEN, FEWER.kinds, NOON + SECOND + WINDOW)
    early = refreshed(row, read(NOON + WINDOW, PENDING_STILL, FEWER), Kept(BEFORE, FEWER))
    assert (early.change, early.keep, early.look_at) == (None, (), NOON + SECOND + WINDOW)
    outcome = refreshed(row, read(NOON + SECOND + WINDOW, PENDING_STILL, FEWER), Kept(BEFORE, FEWER))
    assert (kinds(outcome), outcome.keep) == (["access-changed-before"], ((Moment.BEFORE, FEWER),))
    assert row_after(outcome).access_seen_at is None
    assert outcome.change is not None
    assert outcome.change.events[0].detail == "groups: missing Partners (g1)"


def test_a_seen_change_is_not_kept_if_the_next_reading_shows_a_redemption() -> None:
    row = replace(WAITING, access_seen_at=NOON)
    outcome = refreshed(row, read(NOON + WINDOW, REDEEMED, FEWER), Kept(BEFORE, FEWER))
    assert outcome == Outcome()


def test_a_second_change_needs_its_own_confirmation() -> None:
    row = replace(WAITING, access_seen_at=NOON)
    outcome = refreshed(row, read(NOON + WINDOW, PENDING_STILL, BEFORE), Kept(BEFORE, FEWER))
    assert kinds(outcome) == ["access-changed-before", "access-seen"]
    assert dict(outcome.keep)[Moment.BEFORE] == FEWER
    assert dict(outcome.keep)[Moment.SEEN].kinds[Kind.GROUPS] == BEFORE.kinds[Kind.GROUPS]
    assert row_after(outcome).access_seen_at == NOON + WINDOW + SECOND


def test_a_refresh_adds_readable_kinds_and_keeps_unreadable_ones() -> None:
    blind = snapshot(app_roles=NotReadable())
    seen = dict(refreshed(WAITING, read(NOON, PENDING_STILL), Kept(blind)).keep)[Moment.SEEN]
    assert seen.unread == {}
    assert refreshed(WAITING, read(NOON, PENDING_STILL, blind)).change is None


def test_a_missing_invited_account_is_read_again_at_the_next_refresh() -> None:
    outcome = refreshed(WAITING, read(NOON, None))
    assert (outcome.change, outcome.look_at) == (None, NOON - DAY + REFRESH)


def unverified() -> Conversion:
    others = (Finding("account-disabled", Severity.WARN, "m", "f", "s"),)
    return row_after(compared(replace(ROW, findings=others), read(NOON + DAY, found=FEWER)))


def test_accepting_a_change_records_the_person_reason_and_change() -> None:
    change = verification.accepted_by(unverified(), "by admin: wanted", NOON + 2 * DAY)
    assert change.row.stage is Stage.COMPLETED
    assert change.events[0].detail == (
        "accepted by admin: wanted: After the redemption: groups: missing Partners (g1)."
    )
    first, taken = change.row.findings
    assert (first.rule, taken.severity, change.row.verdict) == ("account-disabled", Severity.INFO, Verdict.READY)
    assert taken.message.endswith("Accepted by admin: wanted.")


def test_a_fresh_comparison_removes_the_finding_and_sets_a_new_deadline() -> None:
    row = verification.compared_anew(unverified(), "by admin", NOON + 2 * DAY).row
    assert (row.stage, [finding.rule for finding in row.findings]) == (Stage.ACCEPTED, ["account-disabled"])
    assert (row.comparing_since, row.equal_since, row.verdict) == (NOON + 2 * DAY, None, Verdict.READY)
    assert row.waiting == Waiting(WaitReason.COMPARING, NOON + 2 * DAY)
    assert compared(row, read(NOON + 2 * DAY + SECOND, found=FEWER)).change is None


STRANGER = Redeemer(Matches.NO, "the identity is eve@elsewhere.com of mail, and anna@fabrikam.com was invited")
NOBODY_KNOWS = Redeemer(Matches.CANNOT_TELL, "the identity is of ExternalAzureAD, and names no address")
HERSELF = Redeemer(Matches.YES, "the identity is anna@fabrikam.com of mail, the invited address")


def by(redeemer: Redeemer, at: datetime, found: Snapshot | None = BEFORE) -> Look:
    return replace(read(at, found=found), redeemer=redeemer)


@pytest.mark.parametrize("found", [BEFORE, FEWER], ids=["equal", "differs"])
def test_another_redeemer_is_a_finding_after_the_replication_window(found: Snapshot) -> None:
    early = compared(ROW, by(STRANGER, NOON + WINDOW - SECOND, found))
    assert "unverified" not in kinds(early)
    assert early.look_at is not None
    assert early.look_at <= NOON + WINDOW + (WINDOW if found is BEFORE else timedelta(0))
    row = row_after(compared(ROW, by(STRANGER, NOON + WINDOW, found)))
    assert (row.stage, row.sign_in_matches) == (Stage.UNVERIFIED, "no")
    rules = [each.rule for each in row.findings]
    assert rules == ([] if found is BEFORE else [ACCESS_CHANGED]) + [REDEEMED_BY_OTHER]


@pytest.mark.parametrize(("redeemer", "matches"), [(HERSELF, "yes"), (NOBODY_KNOWS, "cannotTell")])
def test_the_right_or_an_unknown_redeemer_is_recorded_and_completes(redeemer: Redeemer, matches: str) -> None:
    outcome = compared(replace(ROW, equal_since=NOON), by(redeemer, NOON + WINDOW))
    assert (row_after(outcome).stage, row_after(outcome).sign_in_matches) == (Stage.COMPLETED, matches)
    assert outcome.change is not None
    said = f"everything was compared; signs in with the invited address: {matches} ({redeemer.said})"
    assert outcome.change.events[0].detail == said


def test_after_a_corrected_address_an_unknown_redeemer_is_a_finding() -> None:
    corrected = replace(ROW, equal_since=NOON, corrected=True)
    row = row_after(compared(corrected, by(NOBODY_KNOWS, NOON + WINDOW)))
    assert (row.stage, [each.rule for each in row.findings]) == (Stage.UNVERIFIED, [REDEEMED_BY_OTHER])
    assert row_after(compared(corrected, by(HERSELF, NOON + WINDOW))).stage is Stage.COMPLETED


def test_one_acceptance_or_fresh_comparison_covers_both_findings() -> None:
    row = row_after(compared(ROW, by(STRANGER, NOON + DAY, FEWER)))
    change = verification.accepted_by(row, "by admin: it is hers", NOON + DAY)
    assert change.events[0].detail.count("After the redemption") == 2
    assert {each.severity for each in change.row.findings} == {Severity.INFO}
    assert change.row.sign_in_matches == "no"
    anew = verification.compared_anew(row, "by admin", NOON + DAY).row
    assert (anew.findings, anew.sign_in_matches) == ((), "")


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("redeemer", [None, HERSELF, NOBODY_KNOWS, STRANGER], ids=lambda each: each and each.matches)
def test_without_comparison_another_redeemer_is_still_unverified(redeemer: Redeemer | None, *, corrected: bool) -> None:
    change = uncompared(replace(ROW, corrected=corrected), "it is off", redeemer, NOON)
    held = redeemer is STRANGER or (redeemer is NOBODY_KNOWS and corrected)
    assert change.row.stage is (Stage.UNVERIFIED if held else Stage.COMPLETED)


def test_an_account_gone_at_the_deadline_has_no_answer_about_its_redeemer() -> None:
    row = replace(ROW, absence=Absence.BIN, absent_since=NOON, sign_in_matches="yes")
    found = row_after(compared(row, read(NOON + DAY, None, in_bin=True)))
    assert (found.stage, found.sign_in_matches) == (Stage.UNVERIFIED, "")


def test_without_comparison_the_history_says_so() -> None:
    change = uncompared(ROW, "it is off", None, NOON)
    assert (change.row.stage, change.events[0].detail) == (Stage.COMPLETED, "nothing was compared: it is off")
