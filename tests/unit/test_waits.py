"""The table of waits: why, what that means for giving up, and when the next look is."""

from datetime import UTC, datetime

import pytest

from b2b.domain.conversion.waits import LONGEST, WAITS, Cause, Waiting, WaitReason, delay, row_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WANTED = {
    "account-deleted",
    "campaign-ended",
    "campaign-paused",
    "comparing",
    "mode-assess",
    "not-visible",
    "paced",
    "paused",
}
TROUBLE = {"service-unavailable", "permission-missing"}


def test_every_reason_has_one_row_with_a_text_of_its_own() -> None:
    assert [row.reason for row in WAITS] == list(WaitReason)
    assert len({row.text for row in WAITS}) == len(WaitReason)
    assert all(row.text.endswith((".", ")")) for row in WAITS)


@pytest.mark.parametrize("reason", list(WaitReason))
def test_what_an_administrator_wants_never_counts_towards_giving_up(reason: WaitReason) -> None:
    expected = Cause.WANTED if reason.value in WANTED else Cause.TROUBLE if reason.value in TROUBLE else Cause.HELD
    assert row_of(reason).cause is Waiting(reason, NOON).cause is expected
    assert Waiting(reason, NOON).text == row_of(reason).text


@pytest.mark.parametrize("reason", list(WaitReason))
def test_waits_double_up_to_a_quarter_of_an_hour(reason: WaitReason) -> None:
    row = row_of(reason)
    delays = [delay(reason, times) for times in range(40)]
    assert delays[0] == row.first
    assert delays[1] == min(2 * row.first, row.most)
    assert delays == sorted(delays)
    assert delays[-1] == row.most <= LONGEST


def test_a_wait_that_somebody_knows_is_kept_however_long_it_is() -> None:
    assert delay(WaitReason.THROTTLED, 5, 3.5) == 3.5
    assert delay(WaitReason.THROTTLED, 0, 7200.0) == 7200.0
    assert delay(WaitReason.THROTTLED, 3, 0.0) == 0.0


def test_a_second_look_at_an_account_that_reads_internal_is_more_than_a_minute_away() -> None:
    """Two reads confirm each other only a minute apart."""
    assert delay(WaitReason.UNDONE, 0) > 60
