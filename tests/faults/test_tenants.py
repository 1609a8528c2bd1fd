from collections import Counter
from itertools import combinations

import pytest

from rehearsal.tenant.switches import TABLE
from tests.faults.tenants import MET, TENANTS


@pytest.mark.parametrize(("one", "other"), list(combinations(MET, 2)))
def test_every_two_positions_of_two_switches_occur_together(one: str, other: str) -> None:
    met = {(tenant[one], tenant[other]) for tenant in TENANTS}
    assert met == {(first, second) for first in TABLE[one].positions for second in TABLE[other].positions}


def test_one_tenant_has_every_switch_in_its_default() -> None:
    assert {name: TABLE[name].default for name in MET} in TENANTS


def test_no_switch_is_dealt_out_twice_or_left_out_of_a_tenant() -> None:
    assert [name for name, times in Counter(MET).items() if times > 1] == []
    assert all(tenant.keys() == set(MET) for tenant in TENANTS)
