"""The table of waits: whether the time of a wait counts towards giving up, and how long each delay is."""

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


def test_every_reason_has_one_row_with_its_own_text() -> None:
    assert [row.reason for row in WAITS] == list(WaitReason)
    assert len({row.text for row in WAITS}) == len(WaitReason)
    assert all(row.text.endswith((".", ")")) for row in WAITS)


@pytest.mark.parametrize("reason", list(WaitReason))
def test_each_reason_has_the_listed_cause_wanted_trouble_or_held(reason: WaitReason) -> None:
    expected = Cause.WANTED if reason.value in WANTED else Cause.TROUBLE if reason.value in TROUBLE else Cause.HELD
    assert row_of(reason).cause is Waiting(reason, NOON).cause is expected
    assert Waiting(reason, NOON).text == row_of(reason).text


@pytest.mark.parametrize("reason", list(WaitReason))
def test_delays_grow_up_to_the_longest_of_their_reason(reason: WaitReason) -> None:
    row = row_of(reason)
    delays = [delay(reason, times) for times in range(40)]
    assert delays[0] == row.first
    assert delays[1] == min(2 * row.first, row.most)
    assert delays == sorted(delays)
    assert delays[-1] == row.most <= LONGEST


def test_a_given_delay_is_used_unchanged() -> None:
    assert delay(WaitReason.THROTTLED, 5, 3.5) == 3.5
    assert delay(WaitReason.THROTTLED, 0, 7200.0) == 7200.0
    assert delay(WaitReason.THROTTLED, 3, 0.0) == 0.0


def test_an_account_that_reads_internal_is_read_again_after_over_a_minute() -> None:
    """Two reads confirm each other only a minute apart."""
    assert delay(WaitReason.UNDONE, 0) > 60
