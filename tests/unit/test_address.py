"""Which address an invitation goes to, and which addresses Graph can use."""

from typing import Any

import pytest

from b2b.domain.address import domain_of, invited_address, own_addresses, problem
from b2b.domain.findings import Profile
from tests.unit.cases import request_for, user

CURRENT, LEGACY = Profile.CURRENT, Profile.LEGACY
SYNCED = {"onPremisesSyncEnabled": True}
TWO = {"mail": "m@fabrikam.com", "otherMails": ["o@fabrikam.com", "p@fabrikam.com"]}
LIMIT = 320


@pytest.mark.parametrize(
    ("profile", "account", "expected"),
    [
        (CURRENT, TWO, "m@fabrikam.com"),
        (CURRENT, {**TWO, **SYNCED}, "m@fabrikam.com"),
        (LEGACY, TWO, "o@fabrikam.com"),
        (LEGACY, {**TWO, **SYNCED}, "m@fabrikam.com"),
        (CURRENT, {**TWO, "mail": None}, None),
        (CURRENT, {**TWO, "mail": ""}, None),
        (LEGACY, {**TWO, "otherMails": []}, None),
        (LEGACY, {**TWO, "otherMails": None}, None),
        (LEGACY, {**TWO, **SYNCED, "mail": None}, None),
    ],
)
def test_without_a_word_in_the_request_the_accounts_own_address_is_invited(
    profile: Profile, account: dict[str, Any], expected: str | None
) -> None:
    assert invited_address(request_for(), user(**account), profile) == expected


@pytest.mark.parametrize("profile", [CURRENT, LEGACY])
def test_the_address_in_the_request_comes_first_and_loses_its_blanks(profile: Profile) -> None:
    request = request_for(invitedUserEmailAddress=" x@adatum.com ")
    assert invited_address(request, user(), profile) == "x@adatum.com"
    assert invited_address(request, None, profile) == "x@adatum.com"


def test_without_an_account_and_without_a_word_there_is_no_address() -> None:
    assert invited_address(request_for(), None, CURRENT) is None


def test_the_2020_article_lets_every_other_mail_of_a_cloud_account_be_used() -> None:
    assert own_addresses(user(**TWO), LEGACY) == ("o@fabrikam.com", "p@fabrikam.com")
    assert own_addresses(user(**TWO), CURRENT) == ("m@fabrikam.com",)


@pytest.mark.parametrize(
    "address",
    [
        "anna@fabrikam.com",
        "a@b.co",
        "anna.b-c_d@sub.fabrikam.com",
        "_anna_@fabrikam.com",
        "1@2.example",
        "anna@xn--bcher-kva.example",
        "a" * (LIMIT - len("@fabrikam.com")) + "@fabrikam.com",
    ],
)
def test_an_address_that_graph_can_use(address: str) -> None:
    assert problem(address) is None


@pytest.mark.parametrize("character", list("~!#$%^&*()+=[]{}\\/|;:\"<>?,'"))
def test_every_character_that_graph_forbids_is_named(character: str) -> None:
    said = problem(f"an{character}na@fabrikam.com")
    assert said is not None
    assert repr(character) in said


@pytest.mark.parametrize("character", ["é", " ", "\t", "\n", "\x00", "\u200b", "日", "\x7f"])
def test_accents_blanks_and_control_characters_are_named_in_plain_letters(character: str) -> None:
    said = problem(f"an{character}na@fabrikam.com")
    assert said is not None
    assert said.isascii()
    assert said.isprintable()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "name@domain"),
        ("anna", "name@domain"),
        ("@fabrikam.com", "name@domain"),
        ("anna@b@fabrikam.com", "name@domain"),
        (".anna@fabrikam.com", "dot or hyphen"),
        ("anna.@fabrikam.com", "dot or hyphen"),
        ("-anna@fabrikam.com", "dot or hyphen"),
        ("anna-@fabrikam.com", "dot or hyphen"),
        ("anna@", "domain name"),
        ("anna@fabrikam", "domain name"),
        ("anna@-fabrikam.com", "domain name"),
        ("anna@fabrikam-.com", "domain name"),
        ("anna@fabrikam..com", "domain name"),
        ("anna@.fabrikam.com", "domain name"),
        ("anna@fabrikam.com.", "domain name"),
        ("anna@fabri_kam.com", "domain name"),
        ("a" * (LIMIT + 1 - len("@fabrikam.com")) + "@fabrikam.com", "320"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_repeating_it(address: str, why: str) -> None:
    said = problem(address)
    assert said is not None
    assert why in said
    assert not address or address not in said


def test_a_domain_is_compared_in_lower_case() -> None:
    assert domain_of("Anna@Fabrikam.COM") == "fabrikam.com"
