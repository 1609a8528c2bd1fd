"""The address that an invitation goes to, and the addresses that Graph accepts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.adapters.invitation import graph_invitation
from b2b.domain.characters import shown, unseen
from b2b.domain.eligibility.address import domain_of, invited_address, own_addresses, problem
from b2b.domain.eligibility.judge import judge
from b2b.domain.findings import Profile
from b2b.domain.invitation import Defaults, invitation_for
from tests.unit.cases import ANNA, CONTOSO, case, request_for, user

DEFAULTS = Defaults("https://myapps.microsoft.com", send_message=True)
NAMED = {"invitedUserEmailAddress": "anna@fabrikam.com"}

CURRENT, LEGACY = Profile.CURRENT, Profile.LEGACY
SYNCED = {"onPremisesSyncEnabled": True}
TWO = {"mail": "m@fabrikam.com", "otherMails": ["o@fabrikam.com", "p@fabrikam.com"]}


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
def test_if_the_request_names_no_address_the_accounts_own_is_used(
    profile: Profile, account: dict[str, Any], expected: str | None
) -> None:
    assert invited_address(request_for(), user(**account), profile) == expected


@pytest.mark.parametrize("profile", [CURRENT, LEGACY])
def test_the_address_in_the_request_wins_and_is_trimmed(profile: Profile) -> None:
    request = request_for(invitedUserEmailAddress=" x@adatum.com ")
    assert invited_address(request, user(), profile) == "x@adatum.com"
    assert invited_address(request, None, profile) == "x@adatum.com"


def test_without_an_account_and_an_address_in_the_request_there_is_no_address() -> None:
    assert invited_address(request_for(), None, CURRENT) is None


def test_under_2020_a_cloud_account_may_use_each_of_its_other_mails() -> None:
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
        "a" * 64 + "@" + "b" * 63 + ".com",
        "a@" + ".".join(["b" * 63] * 3) + "." + "c" * 59 + ".de",
    ],
)
def test_an_address_that_graph_accepts_has_no_problem(address: str) -> None:
    assert problem(address) is None


@pytest.mark.parametrize("character", list("~!#$%^&*()+=[]{}\\/|;:\"<>?,'"))
def test_a_character_that_graph_forbids_is_named(character: str) -> None:
    said = problem(f"an{character}na@fabrikam.com")
    assert said is not None
    assert shown(character) in said
    assert character in said


@pytest.mark.parametrize("character", ["é", " ", "\t", "\n", "\x00", "\u200b", "日", "\x7f"])
def test_invisible_and_accented_characters_are_named_in_printable_ascii(character: str) -> None:
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
        ("a" * 65 + "@fabrikam.com", "64"),
        ("a@" + "b" * 64 + ".com", "63"),
        ("a@" + ".".join(["b" * 63] * 3) + "." + "c" * 60 + ".com", "255"),
    ],
)
def test_the_problem_of_an_address_is_named_without_repeating_the_address(address: str, why: str) -> None:
    said = problem(address)
    assert said is not None
    assert why in said
    assert not address or address not in said


def test_a_domain_is_returned_in_lower_case() -> None:
    assert domain_of("Anna@Fabrikam.COM") == "fabrikam.com"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.sampled_from(["@fabrikam.com", "@b.co", ""]))
def test_any_address_reaches_graph_unchanged_or_is_refused_by_its_character(local: str, domain: str) -> None:
    address = local + domain
    said = problem(address)
    if said is None:
        sent = graph_invitation(invitation_for(request_for(), ANNA, address, CONTOSO, DEFAULTS))
        assert sent.invited_user_email_address == address
        return
    assert said.isascii()
    forbidden = [character for character in address if not character.isascii() or unseen(character)]
    if forbidden:
        assert "character" in said


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u200b"])
def test_a_mail_that_differs_by_an_invisible_character_is_explained(space: str) -> None:
    found = judge(case(CURRENT, account={"mail": f"anna@fabrikam.com{space}"}, request=NAMED), {})
    assert [finding.rule for finding in found] == ["address-not-on-account"]
    assert shown(space) in found[0].message
    assert "Type mail of the account anew" in found[0].fix
