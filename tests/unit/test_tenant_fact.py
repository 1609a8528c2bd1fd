"""How the app learns whether a tenant shows invitations: three states, for cloud and synced accounts separately."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.conversion.tenant_fact import INVISIBLE_IN_A_ROW, Known, Shows, TenantFact


def after(*read: str) -> Known:
    """Return what is known after these reads: `seen`, or the key of an account that stayed invisible."""
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
def test_one_visible_account_means_yes_and_three_invisible_in_a_row_mean_no(
    read: tuple[str, ...], shows: Shows
) -> None:
    assert after(*read).shows is shows


def test_an_account_that_is_read_again_counts_once() -> None:
    known = after("a~1", "b~1")
    assert known.after_invisible("a~1") is known


@given(st.lists(st.sampled_from(["seen", *(f"{name}~1" for name in "abcde")])))
def test_only_invisible_accounts_since_the_last_visible_one_count(read: list[str]) -> None:
    known = after(*read)
    seen_at = max((number for number, word in enumerate(read) if word == "seen"), default=-1)
    run = set(read[seen_at + 1 :])
    if len(run) >= INVISIBLE_IN_A_ROW:
        assert known.shows is Shows.NO
    else:
        assert known.shows is (Shows.YES if seen_at >= 0 else Shows.UNKNOWN)
    assert len(known.invisible) <= INVISIBLE_IN_A_ROW


@pytest.mark.parametrize("synced", [False, True])
def test_cloud_and_synced_accounts_have_separate_facts(synced: bool) -> None:  # noqa: FBT001 - a column
    fact = TenantFact().having(Known(Shows.YES), synced=synced)
    assert fact.of(synced=synced).shows is Shows.YES
    assert fact.of(synced=not synced).shows is Shows.UNKNOWN
    both = fact.having(Known(Shows.NO), synced=not synced)
    assert (both.of(synced=synced).shows, both.of(synced=not synced).shows) == (Shows.YES, Shows.NO)


def test_a_tenant_fact_is_read_back_as_it_was_stored() -> None:
    fact = TenantFact(after("a~1", "b~1"), after("seen"))
    assert msgspec.json.decode(msgspec.json.encode(fact), type=TenantFact) == fact
