"""Who redeemed, as a table: what identities, the audit log and domains say together."""

from typing import Any

import pytest

from b2b.domain.account import Account, ObjectIdentity
from b2b.domain.conversion.redeemer import Matches, Sources, doubtful, finding, redeemer, strange_domains
from b2b.domain.findings import REDEEMED_BY_OTHER, Severity

INVITED = "anna@fabrikam.com"
OWN = ObjectIdentity("userPrincipalName", "contoso.com", "anna@contoso.com")
FABRIKAM, ELSEWHERE = "8a1f6a7e-0000-4000-8000-000000000001", "8a1f6a7e-0000-4000-8000-000000000002"
HOMES = {"fabrikam.com": FABRIKAM, "fabrikam.onmicrosoft.com": FABRIKAM, "elsewhere.com": ELSEWHERE, "none.org": None}
YES, NO, CANNOT_TELL = Matches
ENTRA = ("ExternalAzureAD", None)


def account(*identities: tuple[str, str | None]) -> Account:
    """Return an account with these identities. Each is an issuer and the id that the issuer gave the person."""
    others = [ObjectIdentity("federated", issuer, own) for issuer, own in identities]
    return Account("1", "anna@contoso.com", identities=[OWN, *others])


def judged(*identities: tuple[str, str | None], logged: str = "", homes: dict[str, Any] | None = None) -> Matches:
    known = Sources(logged, homes=HOMES if homes is None else homes)
    return redeemer(account(*identities), INVITED, known).matches


@pytest.mark.parametrize(
    ("identities", "expected"),
    [
        ([], CANNOT_TELL),
        ([ENTRA], CANNOT_TELL),
        ([("MicrosoftAccount", None)], CANNOT_TELL),
        ([("mail", "Anna@Fabrikam.com")], YES),
        ([("mail", "eve@fabrikam.com")], NO),
        ([("google.com", "anna@none.org")], NO),
        ([("google.com", "113355779900112233445")], CANNOT_TELL),
        ([("https://sts.fabrikam.com", "anna@fabrikam.com")], YES),
        ([("https://sts.fabrikam.com", "a.fischer@fabrikam.com")], CANNOT_TELL),
        ([("https://sts.fabrikam.com", "anna@fabrikam.onmicrosoft.com")], CANNOT_TELL),
        ([("https://sts.elsewhere.com", "anna@elsewhere.com")], NO),
        ([("https://sts.none.org", "anna@none.org")], NO),
        ([("https://sts.unknown.org", "anna@unknown.org")], CANNOT_TELL),
        ([("mail", "anna@fabrikam.com"), ("mail", "eve@elsewhere.com")], NO),
        ([("mail", "anna@fabrikam.com"), ENTRA], CANNOT_TELL),
    ],
)
def test_of_several_identities_the_worst_answer_counts(
    identities: list[tuple[str, str | None]], expected: Matches
) -> None:
    assert judged(*identities) is expected


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ("", CANNOT_TELL),
        ("eve@elsewhere.com", NO),
        ("eve@none.org", NO),
        ("a.fischer@fabrikam.com", CANNOT_TELL),
        ("anna@fabrikam.onmicrosoft.com", CANNOT_TELL),
        ("anna@fabrikam.com", CANNOT_TELL),
        ("Anna@Contoso.com", CANNOT_TELL),
        ("anna_fabrikam.com#EXT#@contoso.onmicrosoft.com", CANNOT_TELL),
        ("eve@unknown.org", CANNOT_TELL),
        ("unknown", CANNOT_TELL),
    ],
)
def test_if_identities_cannot_tell_the_log_can_only_show_another_person(logged: str, expected: Matches) -> None:
    assert judged(ENTRA, logged=logged) is expected


def test_an_identity_that_tells_outweighs_the_log() -> None:
    assert judged(("mail", INVITED), logged="eve@elsewhere.com") is YES
    assert judged(("mail", "eve@elsewhere.com"), logged=INVITED) is NO


def test_if_a_domain_could_not_be_looked_up_the_log_cannot_tell() -> None:
    assert judged(ENTRA, logged="eve@elsewhere.com", homes={}) is CANNOT_TELL
    assert judged(ENTRA, logged="eve@elsewhere.com", homes={"fabrikam.com": FABRIKAM}) is CANNOT_TELL


def test_without_an_invited_address_the_identities_cannot_tell() -> None:
    assert redeemer(account(("mail", "eve@elsewhere.com")), "", Sources()).matches is CANNOT_TELL


@pytest.mark.parametrize(
    ("identity", "logged", "expected"),
    [
        (ENTRA, "", set()),
        (ENTRA, "a.fischer@fabrikam.com", set()),
        (ENTRA, "anna@contoso.com", set()),
        (("mail", "eve@elsewhere.com"), "", set()),
        (ENTRA, "eve@Elsewhere.com", {"elsewhere.com", "fabrikam.com"}),
        (("https://sts.elsewhere.com", "eve@elsewhere.com"), "", {"elsewhere.com", "fabrikam.com"}),
    ],
)
def test_only_domains_that_can_change_the_answer_are_looked_up(
    identity: tuple[str, str | None], logged: str, expected: set[str]
) -> None:
    assert strange_domains(account(identity), INVITED, logged) == expected


def test_the_sentence_names_identities_the_log_and_the_invited_address() -> None:
    def said(*identities: tuple[str, str | None], **known: str) -> str:
        return redeemer(account(*identities), INVITED, Sources(homes=HOMES, **known)).said

    assert said(ENTRA) == "the identity is of ExternalAzureAD, and names no address; the audit log is not read"
    assert said(ENTRA, logged="eve@elsewhere.com") == (
        "the identity is of ExternalAzureAD, and names no address; the audit log names eve@elsewhere.com, and "
        "anna@fabrikam.com was invited"
    )
    assert said(("mail", INVITED)) == "the identity is anna@fabrikam.com of mail, the invited address"
    found = finding(redeemer(account(("mail", "eve@elsewhere.com")), INVITED, Sources()))
    assert (found.rule, found.severity) == (REDEEMED_BY_OTHER, Severity.REVIEW)
    assert found.message == (
        "After the redemption: the identity is eve@elsewhere.com of mail, and anna@fabrikam.com was invited."
    )


@pytest.mark.parametrize(
    ("identity", "corrected", "expected"),
    [
        (("mail", INVITED), False, False),
        (("mail", INVITED), True, False),
        (ENTRA, False, False),
        (ENTRA, True, True),
        (("mail", "eve@elsewhere.com"), False, True),
        (("mail", "eve@elsewhere.com"), True, True),
    ],
)
def test_another_possible_redeemer_needs_a_decision(
    identity: tuple[str, str | None], *, corrected: bool, expected: bool
) -> None:
    assert doubtful(redeemer(account(identity), INVITED, Sources()), corrected=corrected) is expected
