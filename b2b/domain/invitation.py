"""The invitation for a ready account, and what Graph's refusals mean."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from b2b.domain.errors import Refusal
from b2b.domain.request import ConversionRequest, MessageInfo

_TENANT = "tenantid"
_MICROSOFT = ".microsoft.com"
MY_APPS = "https://myapps.microsoft.com"


LONGEST_CALL = 1.2
"""Graph's timeout holds for each piece of an answer; a fifth more is the limit for the whole of it."""


@dataclass(frozen=True)
class Defaults:
    """What the settings fill in where a request says nothing."""

    redirect_url: str
    send_message: bool


@dataclass(frozen=True)
class Invitation:
    """What is sent to Graph. The user's id is always there: without it Graph would make a second, new guest."""

    user_id: str
    address: str
    redirect_url: str
    send_message: bool
    language: str | None = None
    message: str | None = None
    cc: tuple[tuple[str | None, str], ...] = ()
    sponsors: tuple[str, ...] = ()


def invitation_for(
    request: ConversionRequest, user_id: str, address: str, tenant_id: str, defaults: Defaults
) -> Invitation:
    """Compose the invitation of an account that was found ready."""
    info = request.invited_user_message_info or MessageInfo()
    return Invitation(
        user_id=user_id,
        address=address,
        redirect_url=redirect_url(request, tenant_id, defaults),
        send_message=sends_message(request, defaults),
        language=info.message_language,
        message=info.customized_message_body,
        cc=tuple(
            (recipient.email_address.name, recipient.email_address.address or "") for recipient in info.cc_recipients
        ),
        sponsors=tuple(request.invited_user_sponsors),
    )


def sends_message(request: ConversionRequest, defaults: Defaults) -> bool:
    """Tell whether Microsoft sends its mail for this request."""
    return defaults.send_message if request.send_invitation_message is None else request.send_invitation_message


def redirect_url(request: ConversionRequest, tenant_id: str, defaults: Defaults) -> str:
    """Return where the person lands: https, and an empty `tenantId=` filled in, as Microsoft's samples leave it."""
    parts = urlsplit(request.invite_redirect_url or defaults.redirect_url)
    query = [
        (name, tenant_id if name.lower() == _TENANT and not value else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(scheme="https", query=urlencode(query)))


def sign_in_address(request: ConversionRequest, tenant_id: str, defaults: Defaults) -> str:
    """Return the address at which a person redeems without the secret link, safe to put into a caller's own mail.

    It is the redirect address with the tenant. An address outside Microsoft's that does not carry the tenant would not
    understand the parameter; there My Apps is the way in (M365 B2B: tenant-specific direct link).
    """
    url = redirect_url(request, tenant_id, defaults)
    parts = urlsplit(url)
    if any(name.lower() == _TENANT for name, _ in parse_qsl(parts.query)):
        return url
    if not (parts.hostname or "").endswith(_MICROSOFT):
        return f"{MY_APPS}?{urlencode({'tenantId': tenant_id})}"
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode({"tenantId": tenant_id}))))))


# Texts of the invitation service, lower case, and the rule that each stands for: its error codes are too coarse.
# Sources: https://learn.microsoft.com/entra/external-id/troubleshoot, MicrosoftDocs/azure-docs#71825 and #107086,
# microsoftgraph/msgraph-beta-sdk-dotnet#798.
_REFUSALS: tuple[tuple[str, str], ...] = (
    ("is a verified domain of this directory", "own-verified-domain"),
    ("invitee is in inviter tenant", "own-verified-domain"),
    ("match any emails on the user object", "address-not-on-account"),
    ("blocked from signing in", "account-disabled"),
    ("already exists in the directory as object", "address-in-use"),
    ("group email address is not supported", "group-address"),
    ("matches with the email address of a group", "group-address"),
    ("guest invitations not allowed for your company", "invitations-disabled"),
    ("blocked by cross-tenant access settings", "cross-tenant-blocked"),
)
_ADDRESS = re.compile(r"[^\s@<>'\"(]+@[^\s@<>'\")]+")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_LEFT = re.compile("@|\uff20|%40|redeem", re.IGNORECASE)
"""What an address or a redeem link in another spelling leaves behind: then nothing of the text is kept."""
_LONGEST = 300


def refusal(status: int, code: str, message: str) -> Refusal:
    """Explain a refused invitation without repeating personal data or a link."""
    rule = next((rule for text, rule in _REFUSALS if text in message.lower()), None)
    return Refusal(status, code, scrubbed(message), rule)


def scrubbed(text: str) -> str:
    """Return a service's text fit for the ledger and the log: no addresses, no links, not too long."""
    cut = _ADDRESS.sub("<address>", _URL.sub("<link>", text))
    return "(a text that may hold an address or a link)" if _LEFT.search(cut) else cut[:_LONGEST]
