"""The tenant's domains and policies, as the rules use them."""

from typing import Any

import pytest

from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList, Domains
from tests.unit.cases import CONTOSO, FABRIKAM


def side(access: str, *targets: str) -> dict[str, Any]:
    return {"accessType": access, "targets": [{"target": target, "targetType": "user"} for target in targets]}


OPEN = {"usersAndGroups": side("allowed", "AllUsers"), "applications": side("allowed", "AllApplications")}
CLOSED = {"usersAndGroups": side("blocked", "AllUsers"), "applications": side("blocked", "AllApplications")}


@pytest.mark.parametrize(
    ("domain", "own"),
    [
        ("contoso.com", "contoso.com"),
        ("CONTOSO.com", "contoso.com"),
        ("eu.contoso.com", "contoso.com"),
        ("a.b.contoso.com", "contoso.com"),
        ("partners.contoso.com", "partners.contoso.com"),
        ("notcontoso.com", None),
        ("contoso.com.fabrikam.com", None),
        ("com", None),
        ("", None),
    ],
)
def test_a_domain_is_own_if_it_or_a_parent_is_verified(domain: str, own: str | None) -> None:
    assert Domains(frozenset({"contoso.com", "partners.contoso.com"})).own(domain) == own


@pytest.mark.parametrize(
    ("domains", "refused"),
    [
        (DomainList(), False),
        (DomainList(allowed=frozenset({"fabrikam.com"})), False),
        (DomainList(allowed=frozenset({"adatum.com"})), True),
        (DomainList(blocked=frozenset({"fabrikam.com"})), True),
        (DomainList(blocked=frozenset({"adatum.com"})), False),
    ],
)
def test_an_allow_list_refuses_all_other_domains_and_a_deny_list_only_its_own(
    domains: DomainList, *, refused: bool
) -> None:
    assert domains.refuses("fabrikam.com") is refused


@pytest.mark.parametrize(
    ("inbound", "restricted"),
    [
        (OPEN, False),
        (CLOSED, True),
        ({}, False),
        ({"usersAndGroups": None, "applications": None}, False),
        ({"usersAndGroups": side("allowed", "AllUsers")}, False),
        ({"usersAndGroups": side("allowed", "3a2f5a0e-0000-4000-8000-000000000001")}, True),
        ({"usersAndGroups": side("blocked", "3a2f5a0e-0000-4000-8000-000000000001")}, True),
        ({**OPEN, "applications": side("blocked", "AllApplications")}, True),
        ({**OPEN, "applications": side("allowed", "Office365")}, False),
        ({**OPEN, "applications": side("blocked", "Office365")}, False),
    ],
)
def test_inbound_access_that_is_not_open_to_all_users_is_restricted(
    inbound: dict[str, Any], *, restricted: bool
) -> None:
    assert CrossTenantAccess(default=inbound).restricts(FABRIKAM) is restricted
    assert CrossTenantAccess(default=CLOSED if not restricted else OPEN, partners={FABRIKAM: inbound}).restricts(
        FABRIKAM.upper()
    ) is (restricted if inbound else not restricted)


def test_a_partner_without_settings_has_the_default() -> None:
    access = CrossTenantAccess(default=CLOSED, partners={CONTOSO: OPEN})
    assert access.restricts(FABRIKAM)
    assert not access.restricts(CONTOSO)
