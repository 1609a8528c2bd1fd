"""Each rule's severities as they were designed, and cases that it hits and cases that it just does not.

Written out here and not taken from the product: the tests compare the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from b2b.domain.facts import Fact, Roles
from b2b.domain.tenant import CrossTenantAccess, DomainList, Domains
from tests.unit.cases import BORIS, CONTOSO, FABRIKAM, MAILBOX_PLAN

SEVERITIES = {
    "account-not-found": ("block", "block"),
    "account-ambiguous": ("block", "block"),
    "already-external": ("block", "block"),
    "invitation-pending": ("block", "block"),
    "no-external-address": ("fix", "block"),
    "address-not-on-account": ("fix", "block"),
    "own-verified-domain": ("block", "block"),
    "exchange-mailbox": ("block", "block"),
    "unknown-exchange-plan": ("warn", "warn"),
    "on-premises-upn": ("block", "warn"),
    "on-premises-synced": ("warn", "warn"),
    "direct-federation": ("warn", "block"),
    "upn-domain-federated": ("warn", "off"),
    "home-account-not-entra": ("warn", "block"),
    "custom-message-dropped": ("warn", "warn"),
    "address-ambiguous": ("off", "review"),
    "address-in-use": ("block", "block"),
    "address-requested-twice": ("block", "block"),
    "account-disabled": ("review", "review"),
    "directory-role": ("review", "review"),
    "restricted-management": ("block", "block"),
    "domain-not-allowed": ("block", "off"),
    "cross-tenant-blocked": ("review", "off"),
    "invitations-disabled": ("block", "block"),
    "invitations-admins-only": ("info", "off"),
    "address-characters": ("block", "block"),
    "group-address": ("block", "block"),
    "excluded-group": ("block", "block"),
    "mail-domain-differs": ("warn", "warn"),
    "message-suppressed": ("info", "info"),
}
"""Rule id to severity under `current` and under `2020`."""

NEEDS = {
    "own-verified-domain": {Fact.DOMAINS: "Domain.Read.All"},
    "direct-federation": {Fact.FEDERATIONS: "IdentityProvider.Read.All"},
    "upn-domain-federated": {Fact.DOMAINS: "Domain.Read.All"},
    "home-account-not-entra": {Fact.HOME_TENANT: "CrossTenantInformation.ReadBasic.All"},
    "address-ambiguous": {Fact.DOMAINS: "Domain.Read.All"},
    "address-in-use": {
        Fact.USERS_WITH_ADDRESS: "User.Read.All",
        Fact.DELETED_WITH_ADDRESS: "User.Read.All",
        Fact.CONTACTS_WITH_ADDRESS: "OrgContact.Read.All",
    },
    "directory-role": {
        Fact.MEMBERSHIPS: "User.Read.All",
        Fact.GROUP_DETAILS: "Group.Read.All",
        Fact.ROLE_ASSIGNMENTS: "RoleManagement.Read.Directory",
        Fact.ROLE_ELIGIBILITIES: "RoleManagement.Read.Directory",
    },
    "domain-not-allowed": {Fact.DOMAIN_LIST: "Policy.Read.B2BManagementPolicy"},
    "cross-tenant-blocked": {
        Fact.HOME_TENANT: "CrossTenantInformation.ReadBasic.All",
        Fact.CROSS_TENANT_ACCESS: "Policy.Read.All",
    },
    "invitations-disabled": {Fact.INVITATION_POLICY: "Policy.Read.All"},
    "invitations-admins-only": {Fact.INVITATION_POLICY: "Policy.Read.All"},
    "group-address": {Fact.GROUPS_WITH_ADDRESS: "Group.Read.All"},
    "excluded-group": {Fact.MEMBERSHIPS: "User.Read.All"},
}
"""What Graph may refuse to say, by rule, and the least permission that reads it."""
OWN_ROWS = {"address-requested-twice": Fact.RESERVATION}
"""Read from the ledger: no permission can be missing, but a rule that is off is not read either."""
REFUSED_BY_GRAPH = {"domain-not-allowed", "cross-tenant-blocked", "invitations-disabled", "restricted-management"}
"""Graph itself refuses such an invitation, so that a rule that is blind warns and no more."""


@dataclass(frozen=True)
class Example:
    """Changes to a ready case: each of ``hits`` lets the rule speak, none of ``misses`` does."""

    hits: tuple[Mapping[str, Any], ...]
    misses: tuple[Mapping[str, Any], ...]
    along: frozenset[str] = frozenset()
    """Rules that cannot but speak with it."""


def _plan(plan: str, status: str = "Enabled", service: str = "exchange") -> dict[str, Any]:
    entry = {"servicePlanId": plan, "service": service, "capabilityStatus": status}
    return {"account": {"assignedPlans": [entry]}}


def _address(address: str) -> dict[str, Any]:
    return {"account": {"mail": address, "otherMails": [address]}}


def _side(access: str, *targets: str) -> dict[str, Any]:
    return {"accessType": access, "targets": [{"target": target, "targetType": "user"} for target in targets]}


CLOSED = {"usersAndGroups": _side("blocked", "AllUsers"), "applications": _side("blocked", "AllApplications")}
OPEN = {"usersAndGroups": _side("allowed", "AllUsers"), "applications": _side("allowed", "AllApplications")}
FOUNDATION = "113feb6c-3fe4-4440-bddc-54d774bf0318"
ARCHIVE = "176a09a6-7ec5-4039-ac02-b2791c6ba793"
UNHEARD_OF = "deadbeef-0000-4000-8000-000000000001"
GROUP = "d3b2c5e6-3f4a-4b7c-8d8e-9f0a1b2c3d4e"

EXAMPLES: dict[str, Example] = {
    "account-not-found": Example(
        hits=(
            {"account": None, "candidates": 0, "address": "anna@fabrikam.com"},
            {"account": None, "candidates": 0, "deleted": True},
        ),
        misses=({"account": None, "candidates": 2}, {}),
    ),
    "account-ambiguous": Example(
        hits=({"account": None, "candidates": 2},),
        misses=({"candidates": 1}, {"account": None, "candidates": 0}),
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
        hits=({"request": {"invitedUserEmailAddress": "a.other@fabrikam.com"}},),
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
        hits=(_plan(UNHEARD_OF), _plan(ARCHIVE), _plan(UNHEARD_OF, service="Exchange")),
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
        hits=({"tenant": {"federations": frozenset({"fabrikam.com"})}},),
        misses=({"tenant": {"federations": frozenset({"eu.fabrikam.com", "adatum.com"})}},),
    ),
    "upn-domain-federated": Example(
        hits=({"tenant": {"domains": Domains(frozenset({"contoso.com"}), frozenset({"contoso.com"}))}},),
        misses=({"tenant": {"domains": Domains(frozenset({"contoso.com"}), frozenset({"fabrikam.com"}))}},),
    ),
    "home-account-not-entra": Example(hits=({"home_tenant": None},), misses=({"home_tenant": FABRIKAM},)),
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
    "address-in-use": Example(hits=({"holders": (BORIS,)},), misses=({"holding_groups": (GROUP,)}, {"holders": ()})),
    "address-requested-twice": Example(hits=({"reserved_for": BORIS},), misses=({"reserved_for": None},)),
    "account-disabled": Example(
        hits=({"account": {"accountEnabled": False}},), misses=({"account": {"accountEnabled": None}}, {})
    ),
    "directory-role": Example(
        hits=(
            {"roles": Roles(active=("Global Reader",))},
            {"roles": Roles(eligible=("62e90394-69f5-4237-9190-012177145e10",))},
            {"roles": Roles(role_assignable_groups=("Helpdesk",))},
        ),
        misses=({"roles": Roles(), "groups": frozenset({GROUP})},),
    ),
    "restricted-management": Example(
        hits=({"account": {"isManagementRestricted": True}},),
        misses=({"account": {"isManagementRestricted": None}}, {"account": {"isManagementRestricted": False}}),
    ),
    "domain-not-allowed": Example(
        hits=(
            {"tenant": {"domain_list": DomainList(blocked=frozenset({"fabrikam.com"}))}},
            {"tenant": {"domain_list": DomainList(allowed=frozenset({"adatum.com"}))}},
        ),
        misses=(
            {"tenant": {"domain_list": DomainList(blocked=frozenset({"adatum.com"}))}},
            {"tenant": {"domain_list": DomainList(allowed=frozenset({"adatum.com", "fabrikam.com"}))}},
        ),
    ),
    "cross-tenant-blocked": Example(
        hits=(
            {"tenant": {"access": CrossTenantAccess(default=CLOSED)}},
            {"tenant": {"access": CrossTenantAccess(default=OPEN, partners={FABRIKAM: CLOSED})}},
        ),
        misses=(
            {"tenant": {"access": CrossTenantAccess(default=CLOSED, partners={FABRIKAM: OPEN})}},
            {"tenant": {"access": CrossTenantAccess(default=OPEN, partners={CONTOSO: CLOSED})}},
            {"tenant": {"access": CrossTenantAccess(default=CLOSED)}, "home_tenant": None},
        ),
    ),
    "invitations-disabled": Example(
        hits=({"tenant": {"invites_from": "none"}},),
        misses=({"tenant": {"invites_from": "adminsAndGuestInviters"}}, {"tenant": {"invites_from": "everyone"}}),
    ),
    "invitations-admins-only": Example(
        hits=({"tenant": {"invites_from": "adminsAndGuestInviters"}},),
        misses=({"tenant": {"invites_from": "adminsGuestInvitersAndAllMembers"}},),
    ),
    "address-characters": Example(
        hits=(_address("anna+b2b@fabrikam.com"), _address("anna'x@fabrikam.com"), _address(".anna@fabrikam.com")),
        misses=(_address("anna.b-2_b@fabrikam.com"),),
    ),
    "group-address": Example(hits=({"holding_groups": (GROUP,)},), misses=({"groups": frozenset({GROUP})},)),
    "excluded-group": Example(
        hits=(
            {"groups": frozenset({GROUP}), "excluded_group": GROUP},
            {"groups": frozenset({GROUP}), "excluded_group": GROUP.upper()},
        ),
        misses=(
            {"groups": frozenset({BORIS}), "excluded_group": GROUP},
            {"groups": frozenset({GROUP}), "excluded_group": None},
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
