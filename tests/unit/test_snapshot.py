"""What a snapshot keeps of an account, what it could not read, and how two snapshots differ."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.account import Account, from_graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.lifecycle import snapshot
from b2b.domain.lifecycle.snapshot import Difference, Kind, Snapshot, compare, snapshot_of
from b2b.domain.readings import NotReadable, NotThere

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SKU = "05e9a617-0261-4cee-bb44-138d3ef5d965"
ANNA = from_graph(
    {
        "id": "1",
        "userPrincipalName": "anna@contoso.com",
        "mail": "anna@fabrikam.com",
        "userType": "Member",
        "licenseAssignmentStates": [
            {"skuId": SKU.upper(), "state": "Active"},
            {"skuId": "gone", "state": "Error"},
            {"skuId": SKU, "assignedByGroup": "g", "state": "ActiveWithError"},
        ],
    }
)
WHOLE = msgspec.structs.replace(ANNA, withheld=())
READ: dict[Fact[Any], Any] = {
    facts.DIRECT_GROUPS: {"g1": "Partners", "g2": "Readers"},
    facts.APP_ROLES: {"portal/role": "Order portal"},
    facts.ROLE_ASSIGNMENTS: ("ROLE",),
    facts.MANAGER: {"boss": "Ben"},
    facts.SPONSORS: {},
    facts.OWNED_OBJECTS: {"g1": "Partners"},
    facts.REGISTERED_DEVICES: {"laptop": "ANNA-LAPTOP"},
}


def taken(account: Account = WHOLE, **changes: Any) -> Snapshot:
    changed = {getattr(facts, name.upper()): value for name, value in changes.items()}
    return snapshot_of(account, Facts(READ | changed), NOW)


def test_every_kind_is_in_the_table_once() -> None:
    assert [row.kind for row in snapshot.KINDS] == list(Kind)
    assert READ.keys() == snapshot.FACTS


def test_a_snapshot_contains_the_account_and_the_facts() -> None:
    kinds = taken().kinds
    assert {kind: reading.items for kind, reading in kinds.items()} == {
        Kind.NAME: {"anna@contoso.com": ""},
        Kind.TYPE: {"Member": ""},
        Kind.MAIL: {"anna@fabrikam.com": ""},
        Kind.GROUPS: {"g1": "Partners", "g2": "Readers"},
        Kind.APP_ROLES: {"portal/role": "Order portal"},
        Kind.DIRECTORY_ROLES: {"role": ""},
        Kind.LICENCES: {SKU: ""},
        Kind.MANAGER: {"boss": "Ben"},
        Kind.SPONSORS: {},
        Kind.OWNED_OBJECTS: {"g1": "Partners"},
        Kind.REGISTERED_DEVICES: {"laptop": "ANNA-LAPTOP"},
    }
    assert kinds[Kind.GROUPS].count == 2
    assert taken().unread == {}


def test_snapshots_are_equal_despite_other_order_and_names() -> None:
    again = taken(direct_groups={"g2": "Readers of reports", "g1": ""})
    assert compare(taken(), again) == ()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (NotReadable(), "the permission Directory.Read.All is missing"),
        (NotReadable("Graph answers 400 Request_BadRequest"), "Graph answers 400 Request_BadRequest"),
        (NotThere(), "Graph does not find it"),
    ],
)
def test_an_unreadable_kind_is_not_compared_and_has_a_reason(value: Any, why: str) -> None:
    before = taken(app_roles=value)
    assert before.unread == {Kind.APP_ROLES: why}
    assert compare(before, taken(app_roles={})) == ()
    assert compare(taken(), before) == (Difference(Kind.APP_ROLES, unread=why, before=1),)


def test_a_kind_that_was_not_requested_is_not_compared() -> None:
    before = snapshot_of(WHOLE, Facts(), NOW)
    assert before.unread == {row.kind: "it was not asked for" for row in snapshot.KINDS if row.fact}


def test_a_property_that_graph_leaves_out_counts_as_unread() -> None:
    before = taken(msgspec.structs.replace(WHOLE, mail=None, withheld=("mail",)))
    assert before.unread == {Kind.MAIL: "Graph leaves mail out"}
    assert compare(taken(), before) == (Difference(Kind.MAIL, unread="Graph leaves mail out", before=1),)


def test_a_missing_manager_counts_as_read_and_empty() -> None:
    before = taken(manager=NotThere())
    assert before.kinds[Kind.MANAGER].items == {}
    assert compare(before, taken()) == (Difference(Kind.MANAGER, new={"boss": "Ben"}, before=0, after=1),)


def test_a_comparison_lists_missing_and_new_items() -> None:
    renamed = msgspec.structs.replace(WHOLE, user_principal_name="anna.b@contoso.com")
    found = compare(taken(), taken(renamed, direct_groups={"g2": "Readers", "g3": "Guests"}))
    assert found == (
        Difference(Kind.NAME, {"anna@contoso.com": ""}, {"anna.b@contoso.com": ""}, before=1, after=1),
        Difference(Kind.GROUPS, {"g1": "Partners"}, {"g3": "Guests"}, before=2, after=2),
    )
    assert snapshot.sentence(found) == (
        "user principal name: missing anna@contoso.com; new anna.b@contoso.com; "
        "groups: missing Partners (g1); new Guests (g3)"
    )


def test_the_sentence_names_five_items_and_counts_the_rest() -> None:
    many = {f"g{n:02}": "" for n in range(40)}
    (found,) = compare(taken(direct_groups=many), taken(direct_groups={}))
    assert str(found) == "groups: missing g00, g01, g02, g03, g04 and 35 more"


def test_2000_groups_and_500_app_roles_are_stored_completely() -> None:
    groups = {f"{n:032x}----": f"Group number {n} of Contoso" for n in range(2000)}
    roles = {f"{n:036x}/{n:036x}": f"Application {n}" for n in range(500)}
    kinds = taken(direct_groups=groups, app_roles=roles).kinds
    assert (kinds[Kind.GROUPS].items, kinds[Kind.APP_ROLES].items) == (groups, roles)


def huge(number: int) -> dict[str, str]:
    return {f"{n:032x}----": "名" * 60 for n in range(number)}


def test_a_snapshot_that_is_too_large_drops_names_first() -> None:
    kinds = taken(direct_groups=huge(5000)).kinds
    assert kinds[Kind.GROUPS].items == dict.fromkeys(huge(5000), "")
    assert kinds[Kind.APP_ROLES].items == {"portal/role": "Order portal"}


def test_items_that_do_not_fit_are_compared_by_digest() -> None:
    before, same = taken(direct_groups=huge(20_000)), taken(direct_groups=huge(20_000))
    fewer = taken(direct_groups=huge(19_999))
    assert before.kinds[Kind.GROUPS].items is None
    assert compare(before, same) == ()
    assert compare(before, fewer) == (Difference(Kind.GROUPS, before=20_000, after=19_999),)
    assert str(compare(before, fewer)[0]) == "groups: 20000 before, 19999 now"


@given(st.dictionaries(st.sampled_from([row.fact for row in snapshot.KINDS if row.fact]), st.integers(0, 9000)))
def test_every_snapshot_fits_the_size_limit(sizes: dict[Fact[Any], int]) -> None:
    found = snapshot_of(WHOLE, Facts(READ | {fact: huge(number) for fact, number in sizes.items()}), NOW)
    assert len(msgspec.json.encode(found)) < snapshot.MOST_BYTES + 10_000
    for row in snapshot.KINDS:
        if row.fact in sizes:
            assert found.kinds[row.kind].count == sizes[row.fact]


def test_a_snapshot_survives_json_unchanged() -> None:
    assert msgspec.json.decode(msgspec.json.encode(taken()), type=Snapshot) == taken()


def test_a_kind_unknown_to_an_older_version_is_not_compared() -> None:
    before = taken()
    older = msgspec.structs.replace(before, kinds={k: r for k, r in before.kinds.items() if k is not Kind.MANAGER})
    assert compare(older, taken(manager={})) == ()
    assert compare(before, older) == (Difference(Kind.MANAGER, unread="it was not asked for", before=1),)
