"""Examples for each rule: cases that it hits, and similar cases that it must not hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Wishes
from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList, Domains
from b2b.domain.readings import Memberships, NotThere
from tests.unit.cases import ANNA, BORIS, CONTOSO, FABRIKAM, MAILBOX_PLAN, user


@dataclass(frozen=True)
class Example:
    """Changes to a ready case: the rule must hit each of `hits` and none of `misses`."""

    hits: tuple[Mapping[str, Any], ...]
    misses: tuple[Mapping[str, Any], ...]
    along: frozenset[str] = frozenset()
    """Other rules that necessarily hit the same cases."""
    applies: Mapping[str, Any] = field(default_factory=dict)
    """Changes that make the rule applicable, if it does not apply to a ready case."""


def _plan(plan: str, status: str = "Enabled", service: str = "exchange") -> dict[str, Any]:
    entry = {"servicePlanId": plan, "service": service, "capabilityStatus": status}
    return {"account": {"assignedPlans": [entry]}}


def _address(address: str) -> dict[str, Any]:
    return {"account": {"mail": address, "otherMails": [address]}}


def _copy_to(address: str) -> dict[str, Any]:
    recipients = [{"emailAddress": {"address": address}}]
    return {"request": {"invitedUserMessageInfo": {"ccRecipients": recipients}}}


def _sponsored(users: Mapping[str, bool], groups: tuple[str, ...], *sponsors: str) -> dict[str, Any]:
    known: dict[Any, Any] = {facts.SPONSORING_USERS: users, facts.SPONSORING_GROUPS: groups}
    return {"request": {"invitedUserSponsors": [*sponsors] or [BORIS]}, "known": known}


def _named(name: str | None, address: str, **properties: str) -> dict[str, Any]:
    return {"account": {"displayName": name, "mail": address, "otherMails": [address], **properties}}


def _of_company(address: str, domains: Mapping[str, int]) -> dict[str, Any]:
    return {**_address(address), "known": {facts.COLLEAGUES: domains}}


def _side(access: str, *targets: str) -> dict[str, Any]:
    return {"accessType": access, "targets": [{"target": target, "targetType": "user"} for target in targets]}


CLOSED = {"usersAndGroups": _side("blocked", "AllUsers"), "applications": _side("blocked", "AllApplications")}
OPEN = {"usersAndGroups": _side("allowed", "AllUsers"), "applications": _side("allowed", "AllApplications")}
FOUNDATION = "113feb6c-3fe4-4440-bddc-54d774bf0318"
ARCHIVE = "176a09a6-7ec5-4039-ac02-b2791c6ba793"
UNHEARD_OF = "deadbeef-0000-4000-8000-000000000001"
GROUP = "d3b2c5e6-3f4a-4b7c-8d8e-9f0a1b2c3d4e"
IN_GROUP = Memberships(groups=frozenset({GROUP}))
TWINS = (user(), user(id=BORIS))

EXAMPLES: Mapping[str, Example] = {
    "account-not-found": Example(
        hits=(
            {"account": None, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
            {"account": None, "known": {facts.DELETED_ACCOUNT: True}},
        ),
        misses=({"known": {facts.ACCOUNT: TWINS}}, {}),
    ),
    "account-ambiguous": Example(
        hits=({"known": {facts.ACCOUNT: TWINS}},),
        misses=({}, {"account": None}),
    ),
    "sponsor-unusable": Example(
        hits=(
            _sponsored({}, ()),
            _sponsored({BORIS: True}, (), BORIS, GROUP),
        ),
        misses=(
            {},
            _sponsored({BORIS: True}, (GROUP,), BORIS.upper(), GROUP),
            {"known": {facts.SPONSORING_USERS: {BORIS: False}}},
        ),
        applies={"request": {"invitedUserSponsors": [BORIS]}},
    ),
    "already-external": Example(
        hits=(
            {"account": {"externalUserState": "Accepted"}},
            {"account": {"creationType": "Invitation"}},
            {"account": {"userPrincipalName": "anna_fabrikam.com#EXT#@contoso.onmicrosoft.com"}},
            {"account": {"identities": [{"signInType": "federated", "issuer": "ExternalAzureAD"}]}},
        ),
        misses=(
            {"account": {"externalUserState": "PendingAcceptance", "creationType": "Invitation"}},
            {"account": {"identities": [{"signInType": "userPrincipalName", "issuer": "contoso.onmicrosoft.com"}]}},
            {"account": {"userPrincipalName": "anna_fabrikam.com@contoso.com"}},
        ),
    ),
    "invitation-pending": Example(
        hits=({"account": {"externalUserState": "PendingAcceptance"}},),
        misses=({"account": {"externalUserState": "Accepted"}}, {"account": {"externalUserState": None}}),
    ),
    "no-external-address": Example(
        hits=({"account": {"mail": None, "otherMails": []}}, {"account": {"mail": "", "otherMails": None}}),
        misses=(
            {"account": {"mail": None, "otherMails": []}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
            {},
        ),
    ),
    "address-not-on-account": Example(
        hits=({"request": {"invitedUserEmailAddress": "anna.b@fabrikam.com"}},),
        misses=({"request": {"invitedUserEmailAddress": "ANNA@Fabrikam.com"}},),
    ),
    "own-verified-domain": Example(
        hits=(_address("anna@contoso.com"), _address("anna@Partners.Contoso.com")),
        misses=(_address("anna@notcontoso.com"), _address("anna@contoso.com.fabrikam.com")),
    ),
    "exchange-mailbox": Example(
        hits=(
            {"account": {"assignedPlans": [MAILBOX_PLAN]}},
            _plan("EFB87545-963C-4E0D-99DF-69C6916D9EB0", "LockedOut"),
            _plan("9aaf7827-d63c-4b61-89c3-182f06f82e5c", "Suspended"),
        ),
        misses=(_plan("efb87545-963c-4e0d-99df-69c6916d9eb0", "Deleted"), _plan(FOUNDATION)),
    ),
    "unknown-exchange-plan": Example(
        hits=(_plan(ARCHIVE), _plan("DA040E0A-B393-4BEA-BB76-928B3FA1CF5A")),
        misses=(_plan(UNHEARD_OF, service="SharePoint"), _plan(UNHEARD_OF, "Deleted"), _plan(FOUNDATION)),
    ),
    "on-premises-upn": Example(
        hits=({"account": {"onPremisesUserPrincipalName": "anna@corp.contoso.com"}},),
        misses=({"account": {"onPremisesUserPrincipalName": None, "onPremisesSyncEnabled": True}},),
    ),
    "on-premises-synced": Example(
        hits=({"account": {"onPremisesSyncEnabled": True}},),
        misses=({"account": {"onPremisesSyncEnabled": False}}, {"account": {"onPremisesSyncEnabled": None}}),
    ),
    "direct-federation": Example(
        hits=({"known": {facts.FEDERATIONS: frozenset({"fabrikam.com"})}},),
        misses=({"known": {facts.FEDERATIONS: frozenset({"eu.fabrikam.com", "adatum.com"})}},),
    ),
    "upn-domain-federated": Example(
        hits=({"known": {facts.DOMAINS: Domains(frozenset({"contoso.com"}), frozenset({"contoso.com"}))}},),
        misses=({"known": {facts.DOMAINS: Domains(frozenset({"contoso.com"}), frozenset({"fabrikam.com"}))}},),
    ),
    "home-account-not-entra": Example(
        hits=({"known": {facts.HOME_TENANT: NotThere()}},), misses=({"known": {facts.HOME_TENANT: FABRIKAM}},)
    ),
    "custom-message-dropped": Example(
        hits=({"request": {"invitedUserMessageInfo": {"customizedMessageBody": "Welcome to Contoso."}}},),
        misses=({"request": {"invitedUserMessageInfo": {"messageLanguage": "en-US"}}},),
    ),
    "address-ambiguous": Example(
        hits=({"account": {"otherMails": ["anna@fabrikam.com", "anna@adatum.com"]}},),
        misses=(
            {"account": {"otherMails": ["anna@fabrikam.com", "anna.old@contoso.com"]}},
            {"account": {"otherMails": ["anna@fabrikam.com", "anna@adatum.com"], "onPremisesSyncEnabled": True}},
            {
                "account": {"otherMails": ["anna@fabrikam.com", "anna@adatum.com"]},
                "request": {"invitedUserEmailAddress": "anna@fabrikam.com"},
            },
        ),
    ),
    "address-in-use": Example(
        hits=(
            {"known": {facts.USERS_WITH_ADDRESS: (BORIS,)}},
            {"known": {facts.DELETED_WITH_ADDRESS: (BORIS,)}},
        ),
        misses=({"known": {facts.GROUPS_WITH_ADDRESS: (GROUP,)}}, {"known": {facts.USERS_WITH_ADDRESS: (ANNA,)}}),
    ),
    "address-requested-twice": Example(
        hits=({"known": {facts.RESERVATION: BORIS}},), misses=({"known": {facts.RESERVATION: None}},)
    ),
    "account-disabled": Example(
        hits=({"account": {"accountEnabled": False}},), misses=({"account": {"accountEnabled": None}}, {})
    ),
    "directory-role": Example(
        hits=(
            {"known": {facts.MEMBERSHIPS: Memberships(roles=("Global Reader",))}},
            {"known": {facts.ROLE_ASSIGNMENTS: ("62e90394-69f5-4237-9190-012177145e10",)}},
            {"known": {facts.ROLE_ELIGIBILITIES: ("62e90394-69f5-4237-9190-012177145e10",)}},
            {"known": {facts.GROUP_DETAILS: ("Helpdesk",)}},
        ),
        misses=({"known": {facts.MEMBERSHIPS: Memberships(groups=frozenset({GROUP}))}},),
    ),
    "restricted-management": Example(
        hits=({"account": {"isManagementRestricted": True}},),
        misses=({"account": {"isManagementRestricted": None}}, {"account": {"isManagementRestricted": False}}),
    ),
    "domain-not-allowed": Example(
        hits=(
            {"known": {facts.DOMAIN_LIST: DomainList(blocked=frozenset({"fabrikam.com"}))}},
            {"known": {facts.DOMAIN_LIST: DomainList(allowed=frozenset({"adatum.com"}))}},
        ),
        misses=(
            {"known": {facts.DOMAIN_LIST: DomainList(blocked=frozenset({"adatum.com"}))}},
            {"known": {facts.DOMAIN_LIST: DomainList(allowed=frozenset({"adatum.com", "fabrikam.com"}))}},
        ),
    ),
    "cross-tenant-blocked": Example(
        hits=(
            {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(default=CLOSED)}},
            {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(default=OPEN, partners={FABRIKAM: CLOSED})}},
        ),
        misses=(
            {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(default=CLOSED, partners={FABRIKAM: OPEN})}},
            {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(default=OPEN, partners={CONTOSO: CLOSED})}},
            {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(default=CLOSED), facts.HOME_TENANT: NotThere()}},
        ),
    ),
    "invitations-disabled": Example(
        hits=({"known": {facts.INVITATION_POLICY: "none"}},),
        misses=(
            {"known": {facts.INVITATION_POLICY: "adminsAndGuestInviters"}},
            {"known": {facts.INVITATION_POLICY: "everyone"}},
        ),
    ),
    "invitations-admins-only": Example(
        hits=({"known": {facts.INVITATION_POLICY: "adminsAndGuestInviters"}},),
        misses=({"known": {facts.INVITATION_POLICY: "adminsGuestInvitersAndAllMembers"}},),
    ),
    "address-characters": Example(
        hits=(_address("anna+b2b@fabrikam.com"), _address("anna'x@fabrikam.com"), _address(".anna@fabrikam.com")),
        misses=(_address("anna.b-2_b@fabrikam.com"),),
    ),
    "copy-recipient": Example(
        applies=_copy_to("boss@contoso.com"),
        hits=(
            _copy_to("boss@adatum.com"),
            {**_copy_to("boss@contoso.com"), "wishes": Wishes(copy_domains=frozenset({"adatum.com"}))},
            _copy_to("boss@notcontoso.com"),
        ),
        misses=(
            _copy_to("boss@Contoso.com"),
            _copy_to("boss@eu.contoso.com"),
            {**_copy_to("boss@adatum.com"), "wishes": Wishes(copy_domains=frozenset({"adatum.com"}))},
            {**_copy_to("boss@adatum.com"), "send_message": False},
        ),
    ),
    "outside-scope": Example(
        hits=(
            {"wishes": Wishes(scope_group=GROUP)},
            {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(scope_group=BORIS)},
        ),
        misses=(
            {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(scope_group=GROUP.upper())},
            {"wishes": Wishes()},
        ),
    ),
    "looks-like-employee": Example(
        hits=(
            {"account": {"employeeType": "Employee"}},
            {"account": {"employeeType": "full-time"}},
            {"account": {"employeeId": "4711"}},
            {"account": {"employeeType": "Contractor", "companyName": "Contoso Ltd."}},
            {"account": {"companyName": "CONTOSO"}},
        ),
        misses=(
            {"account": {"employeeType": "Contractor", "employeeId": "4711"}},
            {"account": {"employeeType": "External employee", "employeeId": "4711"}},
            {"account": {"employeeType": "Non-Employee"}},
            {"account": {"employeeId": "", "employeeType": "", "companyName": ""}},
            {"account": {"companyName": "Contoso Suppliers"}},
            {"account": {"companyName": "Fabrikam GmbH"}},
            {"account": {"companyName": "GmbH"}},
        ),
    ),
    "address-unlikely": Example(
        hits=(
            _named("Boris Novak", "anna.berg@fabrikam.com"),
            _named("Boris Novak", "info@fabrikam.com"),
            _named(None, "info@fabrikam.com", givenName="Boris", surname="Novak"),
            _of_company("anna.berg@fabrikan.com", {"fabrikam.com": 3}),
            _of_company("anna.berg@fabrikan.com", {"fabrikam.com": 3, "fabrikan.com": 1}),
        ),
        misses=(
            _named("Anna Berg", "aberg@fabrikam.com"),
            _named("Anna Berg", "berg.a@fabrikam.com"),
            _named("Anna Berg", "ab7@fabrikam.com"),
            _named("Jürgen Müller", "j.mueller@fabrikam.com"),
            _named("Jürgen Müller", "muller@fabrikam.com"),
            _named("Sean O'Neil", "oneil@fabrikam.com"),
            _named("Bartholomew Schwarzenberger", "schwarz@fabrikam.com"),
            _named("BERG, Anna (Fabrikam)", "support@fabrikam.com", givenName="Support"),
            _named("山田 太郎", "t.yamada@fabrikam.com"),
            _named(None, "info@fabrikam.com"),
            _of_company("anna.berg@fabrikam.com", {"fabrikam.com": 9}),
            _of_company("anna.berg@fabrikan.com", {"fabrikam.com": 2, "fabrikan.com": 1}),
            _of_company("anna.berg@fabrikan.com", {"fabrikam.com": 3, "fabrikan.com": 2}),
        ),
    ),
    "resource-account": Example(
        hits=({"account": {"isResourceAccount": True}},),
        misses=({"account": {"isResourceAccount": False}}, {"account": {"isResourceAccount": None}}),
    ),
    "possible-mailbox": Example(
        hits=({"account": {"proxyAddresses": ["smtp:anna@fabrikam.com", "SMTP:desk@contoso.com"]}},),
        misses=(
            {"account": {"proxyAddresses": ["SMTP:anna@fabrikam.com", "smtp:anna@contoso.com"]}},
            {"account": {"proxyAddresses": ["smtp:desk@contoso.com"]}},
            {"account": {"proxyAddresses": ["SMTP:desk@contoso.com"], "assignedPlans": [MAILBOX_PLAN]}},
        ),
    ),
    "group-address": Example(
        hits=({"known": {facts.GROUPS_WITH_ADDRESS: (GROUP,)}},),
        misses=({"known": {facts.MEMBERSHIPS: IN_GROUP}},),
    ),
    "excluded-group": Example(
        hits=(
            {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(excluded_group=GROUP)},
            {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(excluded_group=GROUP.upper())},
        ),
        misses=(
            {"wishes": Wishes(excluded_group=GROUP)},
            {"known": {facts.MEMBERSHIPS: IN_GROUP}},
        ),
    ),
    "mail-domain-differs": Example(
        hits=(
            {"account": {"mail": "anna@adatum.com"}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
            {"account": {"mail": "anna@eu.fabrikam.com"}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
        ),
        misses=(
            {"account": {"mail": "a@FABRIKAM.com"}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
            {"account": {"mail": None}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
        ),
        along=frozenset({"address-not-on-account"}),
    ),
    "message-suppressed": Example(hits=({"send_message": False},), misses=({"send_message": True},)),
}
