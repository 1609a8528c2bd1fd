from collections import Counter
from itertools import combinations

import pytest

from rehearsal.tenant.switches import TABLE
from tests.faults.tenants import MET, TENANTS


@pytest.mark.parametrize(("one", "other"), list(combinations(MET, 2)))
def test_every_pair_of_switch_positions_occurs_in_some_tenant(one: str, other: str) -> None:
    met = {(tenant[one], tenant[other]) for tenant in TENANTS}
    assert met == {(first, second) for first in TABLE[one].positions for second in TABLE[other].positions}


def test_one_tenant_has_all_switches_at_their_defaults() -> None:
    assert {name: TABLE[name].default for name in MET} in TENANTS


def test_each_switch_is_listed_once_and_set_in_every_tenant() -> None:
    assert [name for name, times in Counter(MET).items() if times > 1] == []
    assert all(tenant.keys() == set(MET) for tenant in TENANTS)
