"""The invitation for a ready account, the sign-in address, and what Graph's refusals mean."""

from typing import Any

import pytest

from b2b.domain.eligibility import RULE_IDS
from b2b.domain.invitation import (
    Defaults,
    invitation_for,
    redirect_url,
    refusal,
    scrubbed,
    sends_message,
    sign_in_address,
)
from tests.unit.cases import ADDRESS, ANNA, BORIS, CONTOSO, request_for

DEFAULTS = Defaults("https://myapps.microsoft.com?tenantId=", send_message=True)
GUID = "0f2b9b0e-97a2-4c8e-9a5d-2f1f6f4f0b22"


def test_the_invitation_always_names_the_account() -> None:
    invitation = invitation_for(request_for(), ANNA, ADDRESS, CONTOSO, DEFAULTS)
    assert invitation.user_id == ANNA
    assert invitation.address == ADDRESS
    assert invitation.redirect_url == f"https://myapps.microsoft.com?tenantId={CONTOSO}"
    assert invitation.send_message is True
    assert (invitation.language, invitation.message, invitation.cc, invitation.sponsors) == (None, None, (), ())


def test_what_the_request_says_goes_into_the_invitation() -> None:
    request = request_for(
        sendInvitationMessage=False,
        invitedUserSponsors=[BORIS],
        invitedUserMessageInfo={
            "messageLanguage": "pt-BR",
            "customizedMessageBody": "Welcome.",
            "ccRecipients": [{"emailAddress": {"name": "Boris", "address": "boris@adatum.com"}}],
        },
    )
    invitation = invitation_for(request, ANNA, ADDRESS, CONTOSO, DEFAULTS)
    assert invitation.send_message is False
    assert (invitation.language, invitation.message) == ("pt-BR", "Welcome.")
    assert invitation.cc == (("Boris", "boris@adatum.com"),)
    assert invitation.sponsors == (BORIS,)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False), (None, None)])
def test_the_setting_decides_only_where_the_request_is_silent(
    said: bool | None,  # noqa: FBT001  a column of the table
    expected: bool | None,  # noqa: FBT001
    default: bool,  # noqa: FBT001
) -> None:
    defaults = Defaults("https://myapps.microsoft.com", send_message=default)
    wanted = default if expected is None else expected
    assert sends_message(request_for(sendInvitationMessage=said), defaults) is wanted


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("https://myapps.microsoft.com?tenantId=", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
        ("https://myapps.microsoft.com/?TENANTID=", f"https://myapps.microsoft.com/?TENANTID={CONTOSO}"),
        ("http://myapps.microsoft.com?tenantId=", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
        ("HTTP://myapps.microsoft.com", "https://myapps.microsoft.com"),
        ("https://myapps.microsoft.com?tenantId=other", "https://myapps.microsoft.com?tenantId=other"),
        (
            "https://teams.microsoft.com/l/team?a=1&tenantId=&b=x%20y",
            f"https://teams.microsoft.com/l/team?a=1&tenantId={CONTOSO}&b=x+y",
        ),
        ("https://partners.contoso.com/start#here", "https://partners.contoso.com/start#here"),
        ("https://partners.contoso.com/start?flag=", "https://partners.contoso.com/start?flag="),
    ],
)
def test_the_redirect_is_https_and_an_empty_tenant_is_filled_in(asked: str, sent: str) -> None:
    assert redirect_url(request_for(inviteRedirectUrl=asked), CONTOSO, DEFAULTS) == sent
    assert redirect_url(request_for(), CONTOSO, Defaults(asked, send_message=True)) == sent


@pytest.mark.parametrize(
    ("asked", "sign_in"),
    [
        ("https://myapps.microsoft.com?tenantId=", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
        ("https://myapps.microsoft.com", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
        ("https://teams.microsoft.com/l/team?a=1", f"https://teams.microsoft.com/l/team?a=1&tenantId={CONTOSO}"),
        ("https://partners.contoso.com/start", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
        ("https://partners.contoso.com/?tenantId=", f"https://partners.contoso.com/?tenantId={CONTOSO}"),
        ("https://evilmicrosoft.com/", f"https://myapps.microsoft.com?tenantId={CONTOSO}"),
    ],
)
def test_the_sign_in_address_carries_the_tenant_where_it_is_understood(asked: str, sign_in: str) -> None:
    assert sign_in_address(request_for(inviteRedirectUrl=asked), CONTOSO, DEFAULTS) == sign_in


_EXISTS = f"The invited user already exists in the directory as object ID: {GUID}"
_VERIFIED = "the domain of the user's email address is a verified domain of this directory."
_ACCESS = "configure cross-tenant access settings to allow the invitation."
REFUSALS: list[tuple[str, str | None]] = [
    (f"This user cannot be invited because {_VERIFIED}", "own-verified-domain"),
    ("Invitee is in inviter tenant", "own-verified-domain"),
    ("The invited user email address does not match any emails on the user object.", "address-not-on-account"),
    (
        f"{_EXISTS}, but the account is blocked from signing in. If it is unblocked, they can use it.",
        "account-disabled",
    ),
    (f"{_EXISTS}. They can use that account to sign in to shared apps and resources.", "address-in-use"),
    (_EXISTS.replace("object ID", "objectID"), "address-in-use"),
    ("Group email address is not supported", "group-address"),
    ("Guest invitations not allowed for your company. Contact your company administrator.", "invitations-disabled"),
    (f"This invitation is blocked by cross-tenant access settings. Admins must {_ACCESS}", "cross-tenant-blocked"),
    ("Invalid request input.", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "rule"), REFUSALS)
def test_a_text_of_the_invitation_service_means_a_rule(text: str, rule: str | None) -> None:
    for spelling in (text, text.upper()):
        found = refusal(400, "BadRequest", spelling)
        assert (found.status, found.code, found.rule) == (400, "BadRequest", rule)
    assert rule is None or rule in RULE_IDS


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("User anna@fabrikam.com exists.", "User <address> exists."),
        ("Users 'anna@fabrikam.com', \"b.c@adatum.com\"", "Users '<address>', \"<address>\""),
        ("See <anna@fabrikam.com> (boris@adatum.com)", "See <<address>> (<address>)"),
        ("Look at https://login.microsoftonline.com/redeem?rd=secret now", "Look at <link> now"),
        ("Redeem at login.microsoftonline.com?rd=secret", "(a text that may hold an address or a link)"),
        ("user anna%40fabrikam.com", "(a text that may hold an address or a link)"),
        ("http://a.example/?user=anna@fabrikam.com", "<link>"),
        (f"object ID: {GUID}", f"object ID: {GUID}"),
        ("anna_fabrikam.com#EXT#@contoso.onmicrosoft.com", "<address>"),
    ],
)
def test_addresses_and_links_are_taken_out_of_a_services_text(text: str, clean: str) -> None:
    assert scrubbed(text) == clean


def test_a_link_in_capitals_is_taken_out_too() -> None:
    assert "secret" not in scrubbed("HTTPS://LOGIN.MICROSOFTONLINE.COM/REDEEM?RD=secret")


def test_a_text_is_scrubbed_before_it_is_cut() -> None:
    text = "x" * 295 + " anna@fabrikam.com"
    assert "anna" not in scrubbed(text)
    assert len(scrubbed("y" * 10_000)) == 300


def test_a_refusal_carries_the_clean_text() -> None:
    said: Any = refusal(400, "BadRequest", "anna@fabrikam.com is no good").text
    assert said == "<address> is no good"
