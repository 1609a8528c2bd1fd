"""Acts of administrators that only the directory in memory offers, not the rehearsal's double of Graph."""

from datetime import UTC, datetime

import pytest

from tests.adapters.directory_support import NOT_A_USER
from tests.rehearsal.tenant_support import ANNA, BEN, GONE, GUEST, SEED
from tests.simulation.directory_asking import account
from tests.simulation.directory_contract import MemoryWorld

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


async def test_an_added_account_is_unknown_to_a_read_that_lags() -> None:
    world = MemoryWorld(SEED, NOON)
    added = world.directory.add(id=NOT_A_USER.upper(), userPrincipalName="nora@contoso.com", mail="nora@fabrikam.com")
    world.set_lag(60)
    before = await account(world, added)
    world.advance(60)
    found = await account(world, added)
    assert (added, before, found.mail) == (NOT_A_USER, None, "nora@fabrikam.com")
    assert set(world.directory.ids()) == {ANNA, BEN, GUEST, GONE, NOT_A_USER}


def test_groups_and_roles_can_be_assigned_and_removed() -> None:
    here = MemoryWorld(SEED, NOON)
    before = list(here.directory.tenant.role_assignments)
    here.directory.set_groups(ANNA, ["Partners"])
    here.directory.set_roles(ANNA, ["Helpdesk Administrator"])
    given = [(kind, container["id"]) for kind, container in here.directory.tenant.containers(ANNA)]
    here.directory.set_groups(ANNA, [])
    here.directory.set_roles(ANNA, [])
    assert given == [("group", "Partners"), ("directoryRole", "helpdesk administrator")]
    assert (list(here.directory.tenant.containers(ANNA)), here.directory.tenant.role_assignments) == ([], before)


def test_renaming_an_account_to_a_name_in_use_fails() -> None:
    here = MemoryWorld(SEED, NOON)
    assert not here.directory.rename(ANNA, "BEN@contoso.com")
    assert here.directory.rename(BEN, "ben.old@contoso.com")
    assert here.directory.rename(ANNA, "ben@contoso.com")
    assert [(here.directory.truth(user_id) or {})["userPrincipalName"] for user_id in (ANNA, BEN)] == [
        "ben@contoso.com",
        "ben.old@contoso.com",
    ]


def test_an_account_that_is_converted_back_has_no_redeemable_link() -> None:
    here = MemoryWorld(SEED, NOON)
    assert not here.directory.convert_back(ANNA)
    assert here.directory.invite_by_hand(ANNA)
    assert here.directory.redeem(ANNA)
    assert here.directory.reset_redemption(ANNA, mail="anna.new@fabrikam.com")
    assert here.directory.convert_back(ANNA)
    found = here.directory.truth(ANNA) or {}
    assert (found["externalUserState"], found["mail"]) == (None, "anna.new@fabrikam.com")
    assert [identity["signInType"] for identity in found["identities"]] == ["userPrincipalName"]
    assert not here.directory.redeem(ANNA)


@pytest.mark.parametrize(("name", "position"), [("pending-state", "maybe"), ("batch-order", "as-sent")])
def test_an_unknown_switch_or_position_is_refused(name: str, position: str) -> None:
    with pytest.raises(ValueError, match=name):
        MemoryWorld(SEED, NOON, {name: position})
