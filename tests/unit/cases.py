"""A request for a partner's account that passes every rule, and ways to change it in a test."""

from collections.abc import Mapping
from typing import Any

import msgspec

from b2b.domain.account import SELECT, Account, from_graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.eligibility.tenant import Domains
from b2b.domain.findings import Profile
from b2b.domain.request import ConversionRequest

ANNA = "6c1f7c62-6d3b-4a53-8f0c-0d6f0c1f3a11"
BORIS = "0f2b9b0e-97a2-4c8e-9a5d-2f1f6f4f0b22"
CONTOSO = "b1f0a3c4-1d2e-4f5a-8b6c-7d8e9f0a1b2c"
FABRIKAM = "c2a1b4d5-2e3f-4a6b-9c7d-8e9f0a1b2c3d"
ADDRESS = "anna@fabrikam.com"
MAILBOX_PLAN = {
    "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "service": "exchange",
    "capabilityStatus": "Enabled",
}

READY_USER = {
    "id": ANNA,
    "userPrincipalName": "anna@contoso.com",
    "displayName": "Anna Berg",
    "mail": ADDRESS,
    "otherMails": [ADDRESS],
    "accountEnabled": True,
}
READY_FACTS: Mapping[Fact[Any], Any] = {
    facts.DOMAINS: Domains(verified=frozenset({"contoso.com"})),
    facts.INVITATION_POLICY: "everyone",
    facts.HOME_TENANT: FABRIKAM,
}


def user(**changes: Any) -> Account:
    """Return an internal cloud account of a partner; `changes` use Graph's property names."""
    return from_graph({**dict.fromkeys(SELECT), **READY_USER, **changes})


def request_for(**fields: Any) -> ConversionRequest:
    """Return a request that names the account by object id; `fields` use the API's names."""
    return msgspec.convert({"invitedUser": {"id": ANNA}, **fields}, ConversionRequest)


def case(
    profile: Profile,
    *,
    account: Mapping[str, Any] | None = READY_USER,
    request: Mapping[str, Any] | None = None,
    known: Mapping[Fact[Any], Any] | None = None,
    **changes: Any,
) -> Case:
    """Return a case that is ready, with changes. `account=None` stands for an account that was not found."""
    asked = request_for(**(request or {}))
    found = () if account is None else (user(**account),)
    ready: dict[str, Any] = {"sign_in": f"https://myapps.microsoft.com?tenantId={CONTOSO}"}
    read = Facts({facts.ACCOUNT: found, **READY_FACTS, **(known or {})})
    return Case(request=asked, profile=profile, facts=read, **{**ready, **changes})
