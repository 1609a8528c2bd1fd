"""Parse a body into a request, and refuse a value that a request may not have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from b2b.domain.characters import shown, unseen, with_character
from b2b.domain.errors import MalformedRequest
from b2b.domain.request import body, cloudevents, fields, hints
from b2b.domain.request.body import MAX_BODY_BYTES, ROOM_FOR_ID
from b2b.domain.request.ids import GUID, ID_CHARACTERS, LONGEST_ID, REQUEST_ID
from b2b.domain.request.model import (
    LONGEST_DOMAIN,
    LONGEST_LOCAL_PART,
    MAX_ADDRESS,
    MAX_CC_RECIPIENTS,
    MAX_SPONSORS,
    TRIMMED,
    ConversionRequest,
    EmailAddress,
    InvitedUser,
    MessageInfo,
    Parsed,
    Recipient,
)
from b2b.domain.request.redirect import NO_URL, NOT_ASCII, authority_of, host_of, redirect_problem

_ACCOUNT_NAME = re.compile(rf"[^@]{{1,{LONGEST_LOCAL_PART}}}@[^@]{{1,{LONGEST_DOMAIN}}}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LONGEST_LANGUAGE = 35
"""The most characters of a language tag (RFC 5646, 4.4.1)."""


@dataclass(frozen=True)
class IntakePolicy:
    """What the settings allow in a request: the hosts to which a redirect address may lead."""

    redirect_hosts: frozenset[str]


def parse(raw: bytes, policy: IntakePolicy, limit: int = MAX_BODY_BYTES) -> Parsed:
    """Parse a queue message or an HTTP body: raw or base64 JSON, bare or in a CloudEvents 1.0 envelope.

    Raises:
        MalformedRequest: the body is not a valid request. The error names the field and what was expected.

    """
    return parse_document(body.document(raw, limit), policy)


def parse_document(document: dict[str, Any], policy: IntakePolicy) -> Parsed:
    """Parse a JSON object: a request, or a CloudEvents 1.0 envelope with a request.

    Raises:
        MalformedRequest: the object is not a valid request. The error names the field and what was expected.

    """
    event_id = None
    if "specversion" in document:
        event_id, document = cloudevents.open_envelope(document)
    if wrapper := hints.of_wrapper(document):
        name, said = wrapper
        raise MalformedRequest("UnknownField", f"{name}: {said}", name)
    request = _understood(document, policy)
    if event_id and request.request_id and request.request_id != event_id:
        raise MalformedRequest(
            "InvalidValue", "requestId: left out, because the CloudEvents source and id are the key", "requestId"
        )
    if len(request.message("x" * 64)) > MAX_BODY_BYTES + ROOM_FOR_ID:
        raise MalformedRequest("RequestTooLarge", "the request does not fit into a queue message")
    return Parsed(request, event_id or request.request_id)


def _understood(document: dict[str, Any], policy: IntakePolicy) -> ConversionRequest:
    """Return a JSON object as a request.

    Raises:
        MalformedRequest: fields are wrong. The error and its ``others`` name all of them. A value is checked only if
            the name and type of its field are right.

    """
    try:
        request = fields.convert(document, ConversionRequest, _SHAPE)
    except MalformedRequest as error:
        found = [error, *error.others]
        left = _without(document, found)
    else:
        found, left = [], document
    found += _out_of_range(left, tuple(fault.target for fault in found), policy)
    if found:
        raise found[0].with_others(found[1:])
    return request


def _out_of_range(left: dict[str, Any], touched: tuple[str, ...], policy: IntakePolicy) -> list[MalformedRequest]:
    """Return the errors in the values of the fields whose names and types are right.

    ``left`` is the document without the wrong fields; ``touched`` are the paths of those fields.
    """
    try:
        request = fields.convert(left, ConversionRequest, _SHAPE)
    except MalformedRequest:
        return []
    return [
        MalformedRequest(code, f"{target}: {said}", target)
        for target, code, said in _problems(request, policy)
        if not any(each == target or each.startswith(f"{target}.") for each in touched)
    ]


def _without(document: dict[str, Any], faults: list[MalformedRequest]) -> dict[str, Any]:
    """Return a JSON object without the fields that have errors."""
    left = {**document, **({} if isinstance(document.get(_USER), dict) else {_USER: {}})}
    left[_USER] = {name: value for name, value in left[_USER].items() if name in _NAMES}
    for fault in faults:
        top, _, name = fault.target.partition(".")
        if top == _USER:
            left[_USER].pop(name, None)
        else:
            left.pop(top.partition("[")[0], None)
    return left


_USER = "invitedUser"
_NAMES = frozenset(field.encode_name for field in structs.fields(InvitedUser))
_SHAPE = fields.Shape.of(ConversionRequest, InvitedUser, MessageInfo, Recipient, EmailAddress, trimmed=TRIMMED)
Problem = tuple[str, str, str]
"""An error in a value: the path of its field, the error code, and what was expected."""


def _problems(request: ConversionRequest, policy: IntakePolicy) -> Iterator[Problem]:
    user, info = request.invited_user, request.invited_user_message_info or MessageInfo()
    if sum(value is not None for value in (user.id, user.user_principal_name, user.mail)) != 1:
        yield "invitedUser", "InvalidValue", "expected exactly one of id, userPrincipalName, mail"
    checks = (
        ("requestId", request.request_id, _request_id),
        ("invitedUser.id", user.id, _object_id),
        ("invitedUser.userPrincipalName", user.user_principal_name, _account_name),
        ("invitedUser.mail", user.mail, _account_name),
        ("invitedUserEmailAddress", request.invited_user_email_address, _address_length),
        ("invitedUserMessageInfo.messageLanguage", info.message_language, _language),
    )
    for target, value, problem in checks:
        if value is not None and (said := problem(value)):
            yield target, "InvalidValue", said
    yield from _recipients(info.cc_recipients)
    yield from _sponsors(request.invited_user_sponsors)
    if request.callback_url is not None:
        yield "callbackUrl", "CallbackNotAvailable", "left out: nothing delivers callbacks in this version"
    if request.invite_redirect_url is not None:
        yield from _redirect(request.invite_redirect_url, policy)


def _request_id(text: str) -> str | None:
    if REQUEST_ID.fullmatch(text):
        return None
    expected = f"expected 1 to {LONGEST_ID} of the characters {ID_CHARACTERS}"
    return f"{expected}, but not this alone" if text in {".", ".."} else with_character(expected, text, "^A-Za-z0-9._-")


def _object_id(text: str) -> str | None:
    if GUID.fullmatch(text):
        return None
    expected = "expected an object id (GUID): 8-4-4-4-12 hex digits with hyphens, without braces"
    return with_character(expected, text, "^0-9A-Fa-f-")


def _account_name(text: str) -> str | None:
    expected = (
        f"expected name@domain, at most {LONGEST_LOCAL_PART} characters before the @ and {LONGEST_DOMAIN} after it"
    )
    if strange := unseen(text):
        return f"{expected}; the character {shown(strange)} is not allowed"
    if re.search(r"[/\\]", text):
        return with_character(expected, text, r"/\\")
    return None if _ACCOUNT_NAME.fullmatch(text) else expected


def _address_length(text: str) -> str | None:
    return None if len(text) <= MAX_ADDRESS else f"expected an address of 1 to {MAX_ADDRESS} characters"


def _language(text: str) -> str | None:
    if len(text) <= _LONGEST_LANGUAGE and _LANGUAGE.fullmatch(text):
        return None
    return with_character("expected a language tag such as en-US", text, "^A-Za-z0-9-")


def _recipients(recipients: list[Recipient]) -> Iterator[Problem]:
    target = "invitedUserMessageInfo.ccRecipients"
    if len(recipients) > MAX_CC_RECIPIENTS:
        yield target, "InvalidValue", f"expected at most {MAX_CC_RECIPIENTS}, got {len(recipients)}"
    for recipient in recipients:
        if said := _account_name(recipient.email_address.address or ""):
            yield target, "InvalidValue", f"emailAddress.address: {said}"


def _sponsors(sponsors: list[str]) -> Iterator[Problem]:
    target = "invitedUserSponsors"
    if len(sponsors) > MAX_SPONSORS:
        yield target, "InvalidValue", f"expected at most {MAX_SPONSORS} object ids, got {len(sponsors)}"
    if len({sponsor.lower() for sponsor in sponsors}) != len(sponsors):
        yield target, "InvalidValue", "expected each object id once"
    if said := next((said for sponsor in sponsors if (said := _object_id(sponsor))), None):
        yield target, "InvalidValue", said


def _redirect(url: str, policy: IntakePolicy) -> Iterator[Problem]:
    target = "inviteRedirectUrl"
    problem = redirect_problem(url) or ""
    if host_of(url) in policy.redirect_hosts or problem.startswith(NO_URL):
        if problem:
            yield target, "InvalidValue", problem
    else:
        allowed = ", ".join(sorted(policy.redirect_hosts))
        expected = f"expected one of the hosts in B2B_ALLOWED_REDIRECT_HOSTS ({allowed})"
        yield target, "RedirectHostNotAllowed", with_character(expected, authority_of(url), NOT_ASCII)
