"""Accounts made from the user's own list have the values of their rows."""

import pytest

from rehearsal.run.invented import NO_ADDRESS, Person, tenant_of
from rehearsal.tenant import running

ID = "55DCAE65-B3F4-46FD-A85C-957A08E20172"


def users(*people: Person) -> list[dict[str, object]]:
    """Return the accounts from a tenant with this seed, which also shows that the seed is valid."""
    with running(tenant_of(people)) as tenant:
        return tenant.control.users()


def test_an_account_has_the_id_name_and_address_of_its_row() -> None:
    (user,) = users(Person(ID, "anna.berg@adatum.com", address="anna@fabrikam.com"))
    assert (user["id"], user["userPrincipalName"]) == (ID.lower(), "anna.berg@adatum.com")
    assert (user["mail"], user["otherMails"], user["displayName"]) == (
        "anna@fabrikam.com",
        ["anna@fabrikam.com"],
        "Anna Berg",
    )


@pytest.mark.parametrize("person", [Person(mail="lee@fabrikam.com"), Person(address="lee@fabrikam.com")])
def test_an_account_without_a_name_gets_one_from_its_address(person: Person) -> None:
    (user,) = users(person)
    assert user["mail"] == "lee@fabrikam.com"
    assert user["userPrincipalName"] == "lee@contoso.com"


def test_the_address_to_invite_becomes_the_accounts_mail() -> None:
    (user,) = users(Person(mail="old@fabrikam.com", address="new@fabrikam.com", user_principal_name="a@contoso.com"))
    assert user["mail"] == "new@fabrikam.com"


def test_a_person_without_an_address_gets_an_external_one() -> None:
    (by_name, by_id) = users(Person(user_principal_name="a.b@contoso.com"), Person(ID))
    assert by_name["mail"] == f"a.b@{NO_ADDRESS}"
    assert by_id["mail"] == f"person2@{NO_ADDRESS}"


def test_two_people_with_equal_local_parts_get_different_names() -> None:
    found = users(Person(mail="info@fabrikam.com"), Person(mail="info@adatum.com"))
    assert len({str(user["userPrincipalName"]).lower() for user in found}) == len(found) == 2


def test_a_generated_name_differs_from_names_in_later_rows() -> None:
    made, given = users(Person(mail="lee@fabrikam.com"), Person(user_principal_name="Lee@contoso.com"))
    assert str(made["userPrincipalName"]).lower() != str(given["userPrincipalName"]).lower()


def test_domains_of_names_belong_to_the_tenant_and_domains_of_addresses_to_partners() -> None:
    seed = tenant_of(
        [Person(user_principal_name="a@Adatum.com", address="a@fabrikam.com"), Person(mail="b@adatum.com")]
    )
    assert {domain["id"] for domain in seed["domains"]} == {"adatum.com", "contoso.com", "contoso.onmicrosoft.com"}
    assert set(seed["homeTenants"]) == {"fabrikam.com"}


def test_a_guest_on_the_list_is_a_guest_in_the_tenant() -> None:
    (user,) = users(Person(user_principal_name="a_fabrikam.com#EXT#@contoso.com", mail="a@fabrikam.com"))
    assert (user["userType"], user["externalUserState"]) == ("Guest", "Accepted")
