"""`$filter`: which filters the directory supports, and how it refuses others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.tenant.directory.schema import USER
from rehearsal.tenant.odata.filters import compile_filter
from rehearsal.tenant.protocol.errors import GraphError
from tests.rehearsal.tenant_support import ANNA, BEN, EXCHANGE_PLAN_2, GONE, GUEST, PARTNERS, changed, contoso, error

PLAN = EXCHANGE_PLAN_2["servicePlanId"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("mail eq 'anna@fabrikam.com'", [ANNA]),
        ("mail eq 'ANNA@Fabrikam.com'", [ANNA]),
        ("displayName eq 'Ben O''Hara'", [BEN]),
        ("mail eq 'x@y.example' or otherMails/any(o:o eq 'anna.fischer@fabrikam.com')", [ANNA]),
        ("proxyAddresses/any(p:p eq 'smtp:anna@fabrikam.com')", [ANNA]),
        ("proxyAddresses/any(x:startsWith(x,'smtp:anna'))", [ANNA]),
        ("identities/any(c:c/issuerAssignedId eq 'ben@contoso.com' and c/issuer eq 'contoso.com')", [BEN]),
        ("identities/any(c:c/issuerAssignedId eq 'ben@contoso.com' and c/issuer eq 'adatum.com')", []),
        (f"assignedPlans/any(p:p/servicePlanId eq {PLAN} and p/capabilityStatus eq 'Enabled')", [ANNA]),
        ("externalUserState eq 'PendingAcceptance'", [GUEST]),
        ("externalUserState in ('PendingAcceptance', 'Accepted')", [GUEST]),
        (f"id in ('{ANNA}','{BEN}')", [ANNA, BEN]),
        ("accountEnabled eq true and startsWith(displayName,'B')", [BEN]),
        ("(userType eq 'Guest' or mail eq 'ben@contoso.com') and accountEnabled eq true", [BEN, GUEST]),
        ("createdDateTime ge 2020-01-01T00:00:00Z and createdDateTime le 2030-01-01", [ANNA, BEN, GUEST]),
        ("userType EQ 'Guest' OR displayName Eq 'Anna Fischer'", [ANNA, GUEST]),
    ],
)
async def test_a_supported_filter_finds_its_users(condition: str, found: list[str]) -> None:
    async with contoso(changed(assignedPlans=[EXCHANGE_PLAN_2])) as tenant:
        assert await tenant.ids("users", filter=condition, select="id") == found
        assert await tenant.violations() == []


@pytest.mark.parametrize(
    ("condition", "operator", "found"),
    [
        ("userType ne 'Guest'", "ne", [ANNA, BEN]),
        ("endsWith(mail,'@litware.com')", "endsWith", [GUEST]),
        ("not(userType eq 'Guest')", "not", [ANNA, BEN]),
        ("not startsWith(mail,'ben')", "not", [ANNA, GUEST]),
        ("onPremisesSyncEnabled eq null", "null", [ANNA, BEN, GUEST]),
        ("otherMails/$count eq 0", "count", [BEN]),
        ("proxyAddresses/$count ne 0", "count", [ANNA]),
    ],
)
async def test_some_operators_need_an_advanced_query(condition: str, operator: str, found: list[str]) -> None:
    async with contoso() as tenant:
        plain = await tenant.get("users", filter=condition)
        half = await tenant.get("users", filter=condition, eventual=True)
        assert await tenant.ids("users", filter=condition, count="true", eventual=True) == found
    for refused in (plain, half):
        status, code, message = error(refused)
        assert (status, code) == (400, "Request_UnsupportedQuery")
        assert message.startswith(f"Operator '{operator}' is not supported because the required parameters")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "jobTitle eq 'x'",
            "Unsupported or invalid query filter clause specified for property 'jobTitle' of resource 'User'.",
        ),
        ("externalUserStateChangeDateTime ge 2024-01-01", "property 'externalUserStateChangeDateTime'"),
        ("userPrincipalName eq ''", "property 'userPrincipalName'"),
        ("otherMails eq 'a@b.example'", "property 'otherMails'"),
        ("nickname eq 'x'", "Could not find a property named 'nickname' on type 'microsoft.graph.user'."),
        ("signInNames/any(s:s eq 'x')", "Could not find a property named 'signInNames'"),
        ("identities/any(i:i/provider eq 'x')", "Could not find a property named 'provider'"),
        ("createdDateTime ge 'long ago'", "'long ago' is no date."),
        ("mail eq", "it ends too early"),
        ("mail eq 'x", "unterminated literal"),
        ("mail like 'x'", "unknown operator"),
        ("mail eq 'x') or (mail eq 'y'", "unexpected ')'"),
        ("mail eq mail", "a literal was expected"),
        (" or ".join(["mail eq 'a@b.example'"] * 16), "expression containing 'OR' operators: 16. Max allowed: 15."),
    ],
)
async def test_an_unsupported_filter_gets_400_and_is_recorded(condition: str, message: str) -> None:
    async with contoso() as tenant:
        response = await tenant.get("users", filter=condition)
        assert response.status_code == 400
        assert message in error(response)[2]
        assert len(await tenant.violations()) == 1


async def test_an_empty_filter_is_refused() -> None:
    async with contoso() as tenant:
        assert (await tenant.get("users", filter="")).status_code == 400


async def test_groups_contacts_and_deleted_users_are_searched_by_address() -> None:
    by_address = "mail eq '{0}' or proxyAddresses/any(p:p eq 'smtp:{0}')"
    async with contoso() as tenant:
        assert await tenant.ids("groups", filter=by_address.format("partners@fabrikam.com")) == [PARTNERS]
        assert len(await tenant.ids("contacts", filter=by_address.format("eve@fabrikam.com"))) == 1
        deleted = await tenant.ids(
            "directory/deletedItems/microsoft.graph.user",
            filter=by_address.format("dora@fabrikam.com"),
            count="true",
            eventual=True,
        )
    assert deleted == [GONE]


@given(st.text(alphabet="abmil eqnotrd()'/:,$0123456789-any", max_size=60))
def test_any_text_compiles_or_is_refused_with_a_400(text: str) -> None:
    thing = USER.complete({"id": ANNA, "userPrincipalName": "anna@contoso.com"})
    refusal: GraphError | None = None
    answer: object = None
    try:
        answer = compile_filter(text, USER).matches(thing)
    except GraphError as error_of_filter:
        refusal = error_of_filter
    assert isinstance(answer, bool) if refusal is None else (refusal.status, bool(refusal.violation)) == (400, True)
