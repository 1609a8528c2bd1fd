"""What the tenant is known to show, and how that is learned: three states, each kind of account apart."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.conversion.tenant_fact import INVISIBLE_IN_A_ROW, Known, Shows, TenantFact


def after(*read: str) -> Known:
    """What is known after these readings: `seen`, or the account that stayed invisible."""
    known = Known()
    for word in read:
        known = known.after_seen() if word == "seen" else known.after_invisible(word)
    return known


@pytest.mark.parametrize(
    ("read", "shows"),
    [
        ((), Shows.UNKNOWN),
        (("seen",), Shows.YES),
        (("a~1", "b~1"), Shows.UNKNOWN),
        (("a~1", "b~1", "c~1"), Shows.NO),
        (("a~1", "b~1", "seen", "c~1"), Shows.YES),
        (("seen", "a~1", "b~1"), Shows.YES),
        (("seen", "a~1", "b~1", "c~1"), Shows.NO),
        (("a~1", "b~1", "c~1", "seen"), Shows.YES),
        (("a~1", "a~1", "a~1"), Shows.UNKNOWN),
        (("a~1", "a~2", "a~3"), Shows.NO),
    ],
)
def test_one_seen_is_proof_and_three_invisible_in_a_row_are_proof_of_the_contrary(
    read: tuple[str, ...], shows: Shows
) -> None:
    assert after(*read).shows is shows


def test_an_account_that_is_read_again_counts_once() -> None:
    known = after("a~1", "b~1")
    assert known.after_invisible("a~1") is known


@given(st.lists(st.sampled_from(["seen", *(f"{name}~1" for name in "abcde")])))
def test_the_last_account_seen_is_followed_by_the_last_run_of_invisible_ones(read: list[str]) -> None:
    known = after(*read)
    seen_at = max((number for number, word in enumerate(read) if word == "seen"), default=-1)
    run = set(read[seen_at + 1 :])
    if len(run) >= INVISIBLE_IN_A_ROW:
        assert known.shows is Shows.NO
    else:
        assert known.shows is (Shows.YES if seen_at >= 0 else Shows.UNKNOWN)
    assert len(known.invisible) <= INVISIBLE_IN_A_ROW


@pytest.mark.parametrize("synced", [False, True])
def test_cloud_and_synced_accounts_are_kept_apart(synced: bool) -> None:  # noqa: FBT001 - a column
    fact = TenantFact().having(Known(Shows.YES), synced=synced)
    assert fact.of(synced=synced).shows is Shows.YES
    assert fact.of(synced=not synced).shows is Shows.UNKNOWN
    both = fact.having(Known(Shows.NO), synced=not synced)
    assert (both.of(synced=synced).shows, both.of(synced=not synced).shows) == (Shows.YES, Shows.NO)


def test_it_survives_being_stored() -> None:
    fact = TenantFact(after("a~1", "b~1"), after("seen"))
    assert msgspec.json.decode(msgspec.json.encode(fact), type=TenantFact) == fact
