"""Compose the invitation for a ready account, and explain Graph's refusals."""

import re
from dataclasses import dataclass

from msgspec import structs

from b2b.domain.errors import Refusal
from b2b.domain.request.model import ConversionRequest, InvitedUser, MessageInfo
from b2b.domain.request.redirect import host_of, names_tenant, sent_as, with_tenant

_MICROSOFT = ".microsoft.com"
MY_APPS = "https://myapps.microsoft.com"


LONGEST_CALL = 1.2
"""Longest duration of a call, as a multiple of the timeout for Graph. The timeout applies to each part of an answer."""


@dataclass(frozen=True)
class Defaults:
    """Values from the settings, for what a request leaves out."""

    redirect_url: str
    send_message: bool


@dataclass(frozen=True)
class Invitation:
    """What is sent to Graph. The user's id is always set: without it Graph would create a new guest."""

    user_id: str
    address: str
    redirect_url: str
    send_message: bool
    language: str | None = None
    cc: tuple[tuple[str | None, str], ...] = ()
    sponsors: tuple[str, ...] = ()


def invitation_for(
    request: ConversionRequest, user_id: str, address: str, tenant_id: str, defaults: Defaults
) -> Invitation:
    """Return the invitation of an account that was found ready."""
    info = request.invited_user_message_info or MessageInfo()
    return Invitation(
        user_id=user_id,
        address=address,
        redirect_url=redirect_url(request, tenant_id, defaults),
        send_message=sends_message(request, defaults),
        language=info.message_language,
        cc=tuple(
            (recipient.email_address.name, recipient.email_address.address or "") for recipient in info.cc_recipients
        ),
        sponsors=tuple(request.invited_user_sponsors),
    )


def asking_again(asked: ConversionRequest | None, user_id: str, address: str) -> ConversionRequest:
    """Return the request for another mail, with the language, copy and landing page of ``asked``, the first request.

    The sponsors are left out, because the account has them since the first invitation.
    """
    return structs.replace(
        asked or ConversionRequest(InvitedUser()),
        invited_user=InvitedUser(id=user_id),
        invited_user_email_address=address,
        send_invitation_message=True,
        invited_user_sponsors=[],
        request_id=None,
        dry_run=None,
    )


def sends_message(request: ConversionRequest, defaults: Defaults) -> bool:
    """Tell whether Microsoft sends an invitation mail for this request."""
    return defaults.send_message if request.send_invitation_message is None else request.send_invitation_message


def redirect_url(request: ConversionRequest, tenant_id: str, defaults: Defaults) -> str:
    """Return the address to which Microsoft sends the person after redemption."""
    return sent_as(request.invite_redirect_url or defaults.redirect_url, tenant_id)


def sign_in_address(request: ConversionRequest, tenant_id: str, defaults: Defaults) -> str:
    """Return the address at which a person redeems without the secret link. A caller may put it into a mail of its own.

    It is the redirect address with the tenant's id. A redirect address outside microsoft.com that does not name the
    tenant may not understand that parameter, so My Apps takes its place (M365 B2B: tenant-specific direct link).
    """
    url = redirect_url(request, tenant_id, defaults)
    if names_tenant(url):
        return url
    return with_tenant(url if host_of(url).endswith(_MICROSOFT) else MY_APPS, tenant_id)


_HOLDER = "already exists in the directory as object"
# Texts of the invitation service in lower case, each with the rule that covers it: its error codes are too coarse.
# Sources: https://learn.microsoft.com/entra/external-id/troubleshoot, MicrosoftDocs/azure-docs#71825 and #107086,
# microsoftgraph/msgraph-beta-sdk-dotnet#798, MicrosoftDocs/entra-docs#802 and its error codes of cross-tenant
# synchronization (InvitationCreationFailureInvalidPropertyValue).
_REFUSALS: tuple[tuple[str, str], ...] = (
    ("is a verified domain of this directory", "own-verified-domain"),
    ("invitee is in inviter tenant", "own-verified-domain"),
    ("match any emails on the user object", "address-not-on-account"),
    ("blocked from signing in", "account-disabled"),
    (_HOLDER, "address-in-use"),
    ("already exists with the given mail address", "address-in-use"),
    ("group email address is not supported", "group-address"),
    ("matches with the email address of a group", "group-address"),
    ("guest invitations not allowed for your company", "invitations-disabled"),
    ("blocked by cross-tenant access settings", "cross-tenant-blocked"),
    ("primary smtp address is an invalid value", "address-characters"),
)
_NO_CAUSE = (
    "Graph gives no cause; known ones are an onPremisesUserPrincipalName, a sponsor who does not exist and, where the "
    "service still follows the article of 2020, a mailbox, a direct federation or a home account outside Entra."
)
_CAUSES: tuple[tuple[str, str], ...] = (
    ("invalid request input", _NO_CAUSE),
    (
        "can't be invited to this directory",
        "Graph gives no cause; try another address of the person.",
    ),
)
"""Texts that no rule covers, each with its known causes."""
_NO_HELP = "Retrying alone does not help: change what Graph refused, then retry or send a new request."
_ADDRESS = re.compile(r"[^\s@<>'\"(]+@[^\s@<>'\")]+")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_LEFT = re.compile("@|\uff20|%40|redeem", re.IGNORECASE)
"""Signs that a text still holds an address or a redeem link in another spelling. Then none of the text is kept."""
_LONGEST = 300


def refusal(status: int, code: str, message: str, user_id: str = "") -> Refusal:
    """Return why Graph refused an account's invitation, without personal data and links."""
    lowered = message.lower().replace("\u2019", "'")
    if _HOLDER in lowered and user_id and user_id.lower() not in lowered:
        # Another account holds the address. Its state does not matter.
        return Refusal(status, code, scrubbed(message), "address-in-use")
    rule = next((rule for text, rule in _REFUSALS if text in lowered), None)
    if rule is not None:
        return Refusal(status, code, scrubbed(message), rule)
    causes = [said for text, said in _CAUSES if text in lowered]
    said = scrubbed(message)
    return Refusal(status, code, " ".join((said if said.endswith((".", "!", "?")) else f"{said}.", *causes, _NO_HELP)))


def scrubbed(text: str) -> str:
    """Return a service's text for the ledger and the log: without addresses and links, and cut to `_LONGEST`."""
    cut = _ADDRESS.sub("<address>", _URL.sub("<link>", text))
    return "(a text that may hold an address or a link)" if _LEFT.search(cut) else cut[:_LONGEST]
