"""When all instances pause: Graph's Retry-After, and the circuit breaker that opens, probes and closes."""

from dataclasses import asdict, replace

import pytest

from b2b.domain.pacing import (
    SMALLEST_SAMPLE,
    BreakerLimits,
    Counts,
    Pace,
    Permit,
    counted,
    opened,
    pause,
    permit,
    probe,
    probed,
    unused,
)
from tests.unit.protocol import HOUR, MINUTE, NOW, SECOND, kinds

LIMITS = BreakerLimits(share=0.5, window=5 * MINUTE)
OPEN = Pace(open_until=NOW + MINUTE, why_open="3 of 5 invitations failed")


def test_a_longer_pause_replaces_a_shorter_one_but_not_vice_versa() -> None:
    first = pause(Pace(), NOW + MINUTE, "429", NOW)
    assert first is not None
    assert (first.row.paused_until, first.row.reason, kinds(first)) == (NOW + MINUTE, "429", ["paused"])
    assert first.events[0].detail == "60 s: 429"
    assert pause(first.row, NOW + MINUTE, "429", NOW) is None
    assert pause(first.row, NOW + 30 * SECOND, "429", NOW) is None
    longer = pause(first.row, NOW + HOUR, "503", NOW)
    assert longer is not None
    assert (longer.row.paused_until, longer.row.reason) == (NOW + HOUR, "503")


@pytest.mark.parametrize(
    ("pace", "now", "verdict"),
    [
        (Pace(), NOW, Permit.SEND),
        (OPEN, NOW, Permit.WAIT),
        (OPEN, NOW + MINUTE, Permit.PROBE),
        (replace(OPEN, probe_until=NOW + 2 * MINUTE), NOW + MINUTE, Permit.WAIT),
        (replace(OPEN, probe_until=NOW + 2 * MINUTE), NOW + 2 * MINUTE, Permit.PROBE),
    ],
    ids=["closed", "open", "open long enough", "another instance probes", "whose lease is over"],
)
def test_an_open_breaker_lets_one_probe_through_at_a_time(pace: Pace, now: object, verdict: Permit) -> None:
    assert permit(pace, now) is verdict  # type: ignore[arg-type]


def test_a_probe_records_its_lease_in_the_shared_row() -> None:
    change = probe(OPEN, NOW + MINUTE, NOW)
    assert (change.row, kinds(change)) == (replace(OPEN, probe_until=NOW + MINUTE), ["breaker-probe"])


@pytest.mark.parametrize(
    ("sent", "failed", "opens"),
    [
        (SMALLEST_SAMPLE - 1, SMALLEST_SAMPLE - 1, False),
        (SMALLEST_SAMPLE, SMALLEST_SAMPLE, True),
        (6, 3, False),
        (6, 4, True),
        (100, 50, False),
        (100, 51, True),
    ],
)
def test_the_breaker_opens_if_enough_invitations_fail_beyond_the_share(
    sent: int,
    failed: int,
    opens: bool,  # noqa: FBT001 - a column
) -> None:
    change = counted(Pace(), NOW, LIMITS, Counts(sent, failed))
    assert change is not None
    assert (change.row.sent, change.row.failed, change.row.window_started) == (sent, failed, NOW)
    assert (change.row.open_until == NOW + LIMITS.window) is opens
    assert kinds(change) == (["breaker-open"] if opens else [])


def test_counts_of_one_window_add_up_across_instances() -> None:
    begun = Pace(window_started=NOW - 4 * MINUTE, sent=3, failed=3)
    change = counted(begun, NOW, LIMITS, Counts(2, 1))
    assert change is not None
    assert (change.row.sent, change.row.failed, change.row.window_started) == (5, 4, begun.window_started)
    assert change.row.why_open == "4 of 5 invitations failed"


def test_the_first_count_after_a_window_begins_a_new_one() -> None:
    change = counted(Pace(window_started=NOW - 5 * MINUTE, sent=9, failed=9), NOW, LIMITS, Counts(2, 2))
    assert change is not None
    assert (change.row.sent, change.row.failed, change.row.window_started) == (2, 2, NOW)
    assert change.row.open_until is None


def test_an_open_breaker_counts_only_probes() -> None:
    assert counted(OPEN, NOW, LIMITS, Counts(9, 9)) is None


def test_a_successful_probe_closes_the_breaker_and_resets_its_counts() -> None:
    probing = replace(OPEN, probe_until=NOW, sent=9, failed=9, window_started=NOW, paused_until=NOW + HOUR)
    change = probed(probing, NOW, LIMITS, failed=False)
    assert change is not None
    assert (change.row, kinds(change)) == (Pace(paused_until=NOW + HOUR), ["breaker-closed"])


def test_a_failed_probe_keeps_the_breaker_open_for_another_window() -> None:
    change = probed(replace(OPEN, probe_until=NOW + MINUTE), NOW, LIMITS, failed=True)
    assert change is not None
    assert (change.row.open_until, change.row.probe_until) == (NOW + LIMITS.window, None)
    assert kinds(change) == ["breaker-open"]


def test_a_probe_that_sends_nothing_gives_its_lease_back() -> None:
    change = unused(replace(OPEN, probe_until=NOW + MINUTE), NOW + MINUTE, NOW)
    assert change is not None
    assert (change.row, kinds(change)) == (OPEN, ["breaker-probe-unused"])


def test_a_probe_that_sends_nothing_leaves_the_lease_of_a_later_probe_alone() -> None:
    assert unused(replace(OPEN, probe_until=NOW + 2 * MINUTE), NOW + MINUTE, NOW) is None


@pytest.mark.parametrize("failed", [False, True])
def test_a_probe_changes_nothing_if_another_instance_has_closed_the_breaker(failed: bool) -> None:  # noqa: FBT001 - a column
    assert probed(Pace(), NOW, LIMITS, failed=failed) is None


def test_an_open_breaker_has_a_reason() -> None:
    change = opened(Pace(), NOW, LIMITS, "the application may not invite")
    assert (change.row.why_open, change.events[0].detail) == ("the application may not invite",) * 2


def test_an_instance_counts_its_own_invitations() -> None:
    assert Counts().and_one(failed=True).and_one(failed=False) == Counts(2, 1)


def test_a_new_pace_allows_sending() -> None:
    assert not any(asdict(Pace()).values())
    assert permit(Pace(), NOW) is Permit.SEND
