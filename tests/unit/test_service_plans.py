"""Which Exchange plans include a mailbox: by plan id, never by the name of the service."""

import pytest

from b2b.domain.service_plans import ARCHIVE_PLANS, MAILBOX_PLANS, OTHER_PLANS, PlanKind, kinds
from tests.unit.cases import MAILBOX_PLAN, user

MAILBOX, UNKNOWN = PlanKind.MAILBOX, PlanKind.UNKNOWN
PLAN_2 = "efb87545-963c-4e0d-99df-69c6916d9eb0"
FOUNDATION = "113feb6c-3fe4-4440-bddc-54d774bf0318"
UNHEARD_OF = "deadbeef-0000-4000-8000-000000000001"


PUBLISHED = {
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "EXCHANGE_S_STANDARD": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
    "EXCHANGE_S_DESKLESS": "4a82b400-a79f-41a4-b4e2-e94f5787b113",
    "EXCHANGE_S_ESSENTIALS": "1126bef5-da20-4f07-b45e-ad25d2581aa8",
    "EXCHANGE_L_STANDARD": "d42bdbd6-c335-4231-ab3d-c8f348d5aff5",
    "EXCHANGE_S_STANDARD_MIDMARKET": "fc52cc4b-ed7d-472d-bbe7-b081c23ecc56",
    "EXCHANGE_B_STANDARD": "90927877-dcff-4af6-b346-2332c0b15bb7",
    "EXCHANGE_S_ENTERPRISE_GOV": "8c3069c0-ccdb-44be-ab77-986203a67df2",
    "EXCHANGE_S_STANDARD_GOV": "e9b4930a-925f-45e2-ac2a-3f7788ca6fdd",
    "EXCHANGE_S_DESKLESS_GOV": "88f4d7ef-a73b-4246-8047-516022144c9f",
}
WITHOUT_A_MAILBOX = {
    "EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318",
    "EXCHANGE_S_FOUNDATION_GOV": "922ba911-5694-4e99-a794-73aed9bfeec8",
    "EXCHANGE_ANALYTICS": "34c0d7a0-a70f-4668-9238-47f9fc208882",
    "MIP_S_Exchange": "cd31b152-6326-4d1b-ae1b-997b625182e6",
    "EXCHANGEONLINE_MULTIGEO": "897d51f1-2cfa-4848-9b30-469149f5e68e",
}
ARCHIVES = {
    "EXCHANGE_S_ARCHIVE_ADDON": "176a09a6-7ec5-4039-ac02-b2791c6ba793",
    "EXCHANGE_S_ARCHIVE": "da040e0a-b393-4bea-bb76-928b3fa1cf5a",
}
"""From https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference, copied independently of the
app."""


def test_the_plan_ids_are_those_that_microsoft_publishes() -> None:
    assert {plan: name for name, plan in PUBLISHED.items()} == MAILBOX_PLANS
    assert {plan: name for name, plan in WITHOUT_A_MAILBOX.items()} == OTHER_PLANS
    assert {plan: name for name, plan in ARCHIVES.items()} == ARCHIVE_PLANS


@pytest.mark.parametrize("plan", MAILBOX_PLANS)
@pytest.mark.parametrize("status", ["Enabled", "Warning", "Suspended", "LockedOut", ""])
def test_a_mailbox_plan_counts_in_every_status_except_deleted(plan: str, status: str) -> None:
    assert kinds([(plan, "exchange", status)]) == {MAILBOX}
    assert kinds([(plan.upper(), "", status)]) == {MAILBOX}
    assert kinds([(plan, "exchange", "Deleted")]) == frozenset()


@pytest.mark.parametrize("plan", OTHER_PLANS)
def test_an_exchange_plan_without_a_mailbox_is_ignored(plan: str) -> None:
    assert kinds([(plan, "exchange", "Enabled")]) == frozenset()


def test_the_foundation_plan_is_not_a_mailbox_plan() -> None:
    assert OTHER_PLANS[FOUNDATION] == "EXCHANGE_S_FOUNDATION"
    assert MAILBOX_PLANS[PLAN_2] == "EXCHANGE_S_ENTERPRISE"


@pytest.mark.parametrize("archive", ARCHIVE_PLANS)
def test_an_archive_is_recognised_by_its_plan_id(archive: str) -> None:
    assert kinds([(archive.upper(), "", "Enabled")]) == {PlanKind.ARCHIVE}
    assert kinds([(archive, "exchange", "Deleted")]) == frozenset()


def test_an_unclassified_exchange_plan_is_unknown() -> None:
    assert kinds([(UNHEARD_OF, "Exchange", "Enabled")]) == {UNKNOWN}
    assert kinds([(UNHEARD_OF, "SharePoint", "Enabled")]) == frozenset()


def test_several_plans_give_all_their_kinds() -> None:
    plans = [(PLAN_2, "exchange", "Enabled"), (UNHEARD_OF, "exchange", "Enabled"), (FOUNDATION, "exchange", "Enabled")]
    assert kinds(plans) == {MAILBOX, UNKNOWN}


def test_an_account_without_plans_or_with_empty_ones_has_no_mailbox() -> None:
    empty = {"servicePlanId": None, "service": None, "capabilityStatus": None}
    for plans in (None, [], [empty]):
        assert not user(assignedPlans=plans).has_mailbox
    assert user(assignedPlans=[empty, MAILBOX_PLAN]).has_mailbox
