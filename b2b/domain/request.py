"""What a caller asks for: the conversion request, its parsing and its refusals.

Field names are those of Graph's invitation, so the body in Microsoft's article is a valid request as it stands
(https://learn.microsoft.com/entra/external-id/invite-internal-users).
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from b2b.domain import envelope
from b2b.domain.envelope import MAX_BODY_BYTES, REQUEST_ID, ROOM_FOR_ID, digest
from b2b.domain.errors import MalformedRequest

MAX_CC_RECIPIENTS = 1
"""Graph: "Currently only one additional recipient is supported" (invitedUserMessageInfo)."""
MAX_SPONSORS = 5
"""Graph takes at most five sponsors for a user."""
LONGEST_URL = 2048
"""Bytes of a redirect address: what browsers take, and what fits into a finding."""
MAX_ADDRESS = 320
"""RFC 5321: 64 for the local part, 255 for the domain, and the @."""

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACCOUNT_NAME = re.compile(r"[^@\s\x00-\x1f\x7f/\\]{1,64}@[^@\s\x00-\x1f\x7f/\\]{1,255}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_URL_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f\\<>\"]")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A part of the request: camelCase on the wire, unknown fields refused by name."""


class InvitedUser(_Part, frozen=True):
    """The account to convert, by exactly one of its names."""

    id: str | None = None
    user_principal_name: str | None = None
    mail: str | None = None


class EmailAddress(_Part, frozen=True):
    """Graph's emailAddress."""

    name: str | None = None
    address: str | None = None


class Recipient(_Part, frozen=True):
    """Graph's recipient."""

    email_address: EmailAddress


class MessageInfo(_Part, frozen=True):
    """Graph's invitedUserMessageInfo. App-only, the custom text is dropped, and it makes Graph ignore the language."""

    message_language: str | None = None
    cc_recipients: list[Recipient] = []
    customized_message_body: str | None = None


class ConversionRequest(_Part, frozen=True):
    """One account to be converted, as the caller asked for it. ``None`` means: not said."""

    invited_user: InvitedUser
    invited_user_email_address: str | None = None
    send_invitation_message: bool | None = None
    invite_redirect_url: str | None = None
    invited_user_message_info: MessageInfo | None = None
    invited_user_sponsors: list[str] = []
    request_id: str | None = None
    dry_run: bool | None = None
    callback_url: str | None = None

    def body(self) -> bytes:
        """Return the canonical JSON without `requestId`: two requests are the same when these bytes are."""
        return _text({name: value for name, value in msgspec.to_builtins(self).items() if name != "requestId"})

    def message(self, request_id: str) -> bytes:
        """Return the canonical JSON with its request id, as we put it on the queue."""
        return _text({**msgspec.to_builtins(self), "requestId": request_id})

    def body_hash(self) -> str:
        """SHA-256 of `body`, in hex: tells a repeat from another request under the same id."""
        return digest(self.body())


class Parsed(NamedTuple):
    """A request that was understood, with the id its caller or its envelope gave it (None: neither did)."""

    request: ConversionRequest
    request_id: str | None


@dataclass(frozen=True)
class IntakePolicy:
    """What the settings allow a request to say."""

    redirect_hosts: frozenset[str]


def _text(document: dict[str, Any]) -> bytes:
    """Compose JSON that a queue message can carry: UTF-8, and escapes for the two characters that XML does not have."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff").encode()


def parse(raw: bytes, policy: IntakePolicy, limit: int = MAX_BODY_BYTES) -> Parsed:
    """Understand a queue message or an HTTP body: raw or base64 JSON, bare or in a CloudEvents 1.0 envelope.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    document = envelope.document(raw, limit)
    event_id = None
    if "specversion" in document:
        event_id, document = envelope.open_envelope(document)
    request = envelope.convert(document, ConversionRequest, _FIELDS)
    for target, problem in _problems(request, policy):
        code, expected = problem
        raise MalformedRequest(code, f"{target}: {expected}", target)
    if event_id and request.request_id and request.request_id != event_id:
        raise MalformedRequest(
            "InvalidValue", "requestId: left out, because the CloudEvents source and id are the key", "requestId"
        )
    if len(request.message("x" * 64)) > MAX_BODY_BYTES + ROOM_FOR_ID:
        raise MalformedRequest("RequestTooLarge", "the request does not fit into a queue message", status=413)
    return Parsed(request, event_id or request.request_id)


_FIELDS = envelope.names(ConversionRequest, InvitedUser, MessageInfo, Recipient, EmailAddress)


Problem = tuple[str, str]


def _problems(request: ConversionRequest, policy: IntakePolicy) -> Iterator[tuple[str, Problem]]:
    user = request.invited_user
    if sum(value is not None for value in (user.id, user.user_principal_name, user.mail)) != 1:
        yield "invitedUser", ("InvalidValue", "expected exactly one of id, userPrincipalName, mail")
    info = request.invited_user_message_info or MessageInfo()
    yield from _values(
        (
            ("requestId", request.request_id, REQUEST_ID.fullmatch, "1 to 64 of the characters A-Z a-z 0-9 . _ -"),
            ("invitedUser.id", user.id, GUID.fullmatch, "an object id (GUID)"),
            ("invitedUser.userPrincipalName", user.user_principal_name, _ACCOUNT_NAME.fullmatch, "name@domain"),
            ("invitedUser.mail", user.mail, _ACCOUNT_NAME.fullmatch, "name@domain"),
            (
                "invitedUserEmailAddress",
                request.invited_user_email_address,
                lambda text: len(text.strip()) > 0 and len(text) <= MAX_ADDRESS,
                f"an address of 1 to {MAX_ADDRESS} characters",
            ),
            (
                "invitedUserMessageInfo.messageLanguage",
                info.message_language,
                _LANGUAGE.fullmatch,
                "a language tag such as en-US",
            ),
        )
    )
    yield from _recipients(info.cc_recipients)
    yield from _sponsors(request.invited_user_sponsors)
    if request.callback_url is not None:
        yield "callbackUrl", ("CallbackNotAvailable", "left out: nothing delivers callbacks in this version")
    if request.invite_redirect_url is not None:
        yield from _redirect(request.invite_redirect_url, policy)


def _values(
    checks: tuple[tuple[str, str | None, Callable[[str], object], str], ...],
) -> Iterator[tuple[str, Problem]]:
    for target, value, fits, expected in checks:
        if value is not None and not fits(value):
            yield target, ("InvalidValue", f"expected {expected}")


def _recipients(recipients: list[Recipient]) -> Iterator[tuple[str, Problem]]:
    target = "invitedUserMessageInfo.ccRecipients"
    if len(recipients) > MAX_CC_RECIPIENTS:
        yield target, ("InvalidValue", f"expected at most {MAX_CC_RECIPIENTS}, got {len(recipients)}")
    for recipient in recipients:
        if not _ACCOUNT_NAME.fullmatch(recipient.email_address.address or ""):
            yield target, ("InvalidValue", "expected emailAddress.address as name@domain")


def _sponsors(sponsors: list[str]) -> Iterator[tuple[str, Problem]]:
    target = "invitedUserSponsors"
    if len(sponsors) > MAX_SPONSORS:
        yield target, ("InvalidValue", f"expected at most {MAX_SPONSORS} object ids, got {len(sponsors)}")
    if len({sponsor.lower() for sponsor in sponsors}) != len(sponsors):
        yield target, ("InvalidValue", "expected each object id once")
    if not all(GUID.fullmatch(sponsor) for sponsor in sponsors):
        yield target, ("InvalidValue", "expected object ids (GUID)")


def _redirect(url: str, policy: IntakePolicy) -> Iterator[tuple[str, Problem]]:
    target = "inviteRedirectUrl"
    problem = redirect_problem(url) if len(url.encode()) <= LONGEST_URL else f"expected at most {LONGEST_URL} bytes"
    if problem == NO_URL:
        yield target, ("InvalidValue", problem)
    elif (urlsplit(url).hostname or "") not in policy.redirect_hosts:
        allowed = ", ".join(sorted(policy.redirect_hosts))
        yield target, ("RedirectHostNotAllowed", f"expected one of the hosts in B2B_ALLOWED_REDIRECT_HOSTS ({allowed})")
    elif problem:
        yield target, ("InvalidValue", problem)


NO_URL = "expected an absolute https URL"


def redirect_problem(url: str) -> str | None:
    """Say what keeps a text from being a redirect address: an absolute http(s) URL with a host, no user, no port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return NO_URL
    if parts.scheme not in {"http", "https"} or not parts.hostname or _URL_FORBIDDEN.search(url):
        return NO_URL
    if parts.username is not None or parts.password is not None or port is not None:
        return "expected a URL without user, password or port"
    return None
