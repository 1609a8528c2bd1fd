"""The invitation for a ready account, the sign-in address, and the meaning of Graph's refusals."""

import pytest

from b2b.adapters.invitation import graph_invitation
from b2b.domain.eligibility.judge import RULE_IDS
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
    assert (invitation.language, invitation.cc, invitation.sponsors) == (None, (), ())


def test_a_language_is_sent_instead_of_a_custom_text() -> None:
    info = {"messageLanguage": "de-DE", "customizedMessageBody": "Willkommen."}
    invitation = invitation_for(request_for(invitedUserMessageInfo=info), ANNA, ADDRESS, CONTOSO, DEFAULTS)
    sent = graph_invitation(invitation).invited_user_message_info
    assert sent is not None
    assert (sent.message_language, sent.customized_message_body) == ("de-DE", None)


def test_the_fields_of_the_request_go_into_the_invitation() -> None:
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
    assert invitation.language == "pt-BR"
    assert invitation.cc == (("Boris", "boris@adatum.com"),)
    assert invitation.sponsors == (BORIS,)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False), (None, None)])
def test_the_setting_for_mails_applies_only_if_the_request_does_not_say(
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
            f"https://teams.microsoft.com/l/team?a=1&tenantId={CONTOSO}&b=x%20y",
        ),
        ("https://partners.contoso.com/start#here", "https://partners.contoso.com/start#here"),
        ("https://partners.contoso.com/start?flag=", "https://partners.contoso.com/start?flag="),
    ],
)
def test_the_redirect_is_https_and_an_empty_tenant_id_is_filled_in(asked: str, sent: str) -> None:
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
def test_the_sign_in_address_has_the_tenant_id_on_microsofts_hosts(asked: str, sign_in: str) -> None:
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
    ("Non-external user already exists with the given mail address and can't be invited.", "address-in-use"),
    ("The Primary SMTP Address is an invalid value", "address-characters"),
    ("This user can't be invited to this directory. Please try a different email address.", None),
    ("Invalid request input.", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "rule"), REFUSALS)
def test_an_error_text_of_graph_is_mapped_to_its_rule(text: str, rule: str | None) -> None:
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
def test_addresses_and_links_are_removed_from_an_error_text(text: str, clean: str) -> None:
    assert scrubbed(text) == clean


def test_a_link_in_capitals_is_removed_too() -> None:
    assert "secret" not in scrubbed("HTTPS://LOGIN.MICROSOFTONLINE.COM/REDEEM?RD=secret")


def test_a_text_is_scrubbed_before_it_is_truncated() -> None:
    text = "x" * 295 + " anna@fabrikam.com"
    assert "anna" not in scrubbed(text)
    assert len(scrubbed("y" * 10_000)) == 300


def test_a_refusal_contains_the_scrubbed_text() -> None:
    said = refusal(400, "BadRequest", "anna@fabrikam.com is no good").text
    assert said.startswith("<address> is no good. ")


@pytest.mark.parametrize(("text", "rule"), REFUSALS)
def test_a_refusal_that_no_rule_explains_says_that_retrying_alone_does_not_help(text: str, rule: str | None) -> None:
    assert ("Retrying alone does not help" in refusal(400, "BadRequest", text).text) is (rule is None)


def test_a_disabled_account_other_than_the_invited_one_holds_the_address() -> None:
    """Graph's text is the same for the invited account and for another account, but the fix differs."""
    text = f"{_EXISTS}, but the account is blocked from signing in. If it is unblocked, they can use it."
    assert refusal(400, "BadRequest", text, ANNA).rule == "address-in-use"
    assert refusal(400, "BadRequest", text, GUID.upper()).rule == "account-disabled"


def test_a_refusal_names_the_known_causes() -> None:
    said = refusal(400, "BadRequest", "Invalid request input.").text
    assert "onPremisesUserPrincipalName" in said
    assert "sponsor" in said
    other = refusal(400, "BadRequest", "This user can\u2019t be invited to this directory. Please try another.").text
    assert "another address" in other
