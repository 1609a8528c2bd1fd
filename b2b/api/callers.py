"""Find out who calls, and what the caller may do.

With function keys, the host has checked the key, and a caller may do everything. With sign-in, App Service
authentication checks the token before the app sees the request, and writes who signed in into a header, which a caller
cannot set. A request without that header, or with one that cannot be read, is refused.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from b2b.domain.actors import BY_KEY, Actor, ActorKind
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused
from b2b.domain.request.ids import GUID

PRINCIPAL = "x-ms-client-principal"
PROVIDER = "aad"
SIGN_IN_AGAIN = "Get a token of this tenant for the app's registration and send it as Authorization: Bearer."


class Role(StrEnum):
    """The roles of the app's registration, as they appear in a token."""

    READ = "Read"
    REQUEST = "Request"
    DECIDE = "Decide"
    MANAGE = "Manage"


MEANING = {
    Role.READ: "See where requests and campaigns stand, by name.",
    Role.REQUEST: "Ask for conversions, see where a request stands, and retry and cancel requests. "
    "Make campaigns, send their lists, have them judged, and pause, resume and end them.",
    Role.DECIDE: "Approve, refuse and release requests and members of campaigns, and see what there is to decide.",
    Role.MANAGE: "Look after the app: see everything, retry and cancel requests, and pause, resume and end campaigns.",
}
"""What each role lets its holder do, in the words of the app's registration."""
ANY = frozenset(Role)


@dataclass(frozen=True)
class Caller:
    """A caller, with the roles that the caller holds."""

    actor: Actor
    roles: frozenset[Role] = ANY

    def require(self, allowed: frozenset[Role]) -> None:
        """Raise unless the caller holds one of these roles.

        Raises:
            RequestRefused: the caller holds none of them.

        """
        if not self.roles & allowed:
            names = " or ".join(role.value for role in Role if role in allowed)
            raise RequestRefused(ErrorCode.ROLE_MISSING, f"The caller has not the role {names}. Assign it in Entra ID.")


KEY_HOLDER = Caller(BY_KEY)


class _Claim(msgspec.Struct):
    typ: str
    val: str


class _Principal(msgspec.Struct):
    auth_typ: str
    claims: list[_Claim]
    role_typ: str = "roles"


_LONG = "http://schemas.microsoft.com/identity/claims/"
_OBJECT_ID = ("oid", f"{_LONG}objectidentifier")
_SUBJECT = ("sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_TYPE = ("idtyp",)


def signed_in(headers: Mapping[str, str]) -> Caller:
    """Return the caller that App Service authentication names in its header.

    Raises:
        RequestRefused: no caller is signed in, or the header of App Service authentication cannot be read.

    """
    principal = _read(headers.get(PRINCIPAL, ""))
    object_id, subject = _only(principal, _OBJECT_ID), _only(principal, _SUBJECT)
    if not GUID.fullmatch(object_id) or not subject:
        raise _unknown("The caller's token names no account of the directory.")
    of_application = object_id == subject or "app" in _values(principal, _TYPE)
    kind = ActorKind.APPLICATION if of_application else ActorKind.PERSON
    known = {role.value: role for role in Role}
    held = frozenset(known[value] for value in _values(principal, (*_ROLES, principal.role_typ)) if value in known)
    return Caller(Actor(kind, object_id.lower()), held)


def _read(header: str) -> _Principal:
    if not header:
        raise _unknown("The caller is not signed in.")
    try:
        found = msgspec.json.decode(base64.b64decode(header, validate=True), type=_Principal)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _unknown("The header of App Service authentication cannot be read.") from error
    if found.auth_typ != PROVIDER:
        raise _unknown("The caller is not signed in with Microsoft Entra ID.")
    return found


def _values(principal: _Principal, types: Iterable[str]) -> list[str]:
    wanted = frozenset(types)
    return [claim.val for claim in principal.claims if claim.typ in wanted]


def _only(principal: _Principal, types: Iterable[str]) -> str:
    """Return the value of a claim. Empty if the claim is missing, or appears with different values."""
    found = set(_values(principal, types))
    return found.pop() if len(found) == 1 else ""


def _unknown(said: str) -> RequestRefused:
    return RequestRefused(ErrorCode.NOT_SIGNED_IN, f"{said} {SIGN_IN_AGAIN}")
