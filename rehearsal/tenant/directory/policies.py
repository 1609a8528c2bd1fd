"""Policies of the tenant: Microsoft's service defaults, and helpers to read what a seed sets instead."""

import json
from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]

AUTHORIZATION_POLICY: JSON = {
    "id": "authorizationPolicy",
    "allowInvitesFrom": "everyone",
    "allowedToSignUpEmailBasedSubscriptions": True,
    "allowedToUseSSPR": True,
    "allowEmailVerifiedUsersToJoinOrganization": False,
    "allowUserConsentForRiskyApps": None,
    "blockMsolPowerShell": False,
    "displayName": "Authorization Policy",
    "description": "Used to manage authorization related settings across the company.",
    "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
    "defaultUserRolePermissions": {
        "allowedToCreateApps": False,
        "allowedToCreateSecurityGroups": True,
        "allowedToCreateTenants": True,
        "allowedToReadBitlockerKeysForOwnedDevice": True,
        "allowedToReadOtherUsers": True,
        "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"],
    },
}
"""The documented sample of GET /policies/authorizationPolicy."""


def _b2b_setting(access: str) -> JSON:
    return {
        "usersAndGroups": {"accessType": access, "targets": [{"target": "AllUsers", "targetType": "user"}]},
        "applications": {"accessType": access, "targets": [{"target": "AllApplications", "targetType": "application"}]},
    }


CROSS_TENANT_DEFAULT: JSON = {
    "isServiceDefault": True,
    "inboundTrust": {
        "isMfaAccepted": False,
        "isCompliantDeviceAccepted": False,
        "isHybridAzureADJoinedDeviceAccepted": False,
    },
    "b2bCollaborationOutbound": _b2b_setting("allowed"),
    "b2bCollaborationInbound": _b2b_setting("allowed"),
    "b2bDirectConnectOutbound": _b2b_setting("blocked"),
    "b2bDirectConnectInbound": _b2b_setting("blocked"),
    "automaticUserConsentSettings": {"inboundAllowed": False, "outboundAllowed": False},
    "invitationRedemptionIdentityProviderConfiguration": {
        "primaryIdentityProviderPrecedenceOrder": [
            "azureActiveDirectory",
            "externalFederation",
            "socialIdentityProviders",
        ],
        "fallbackIdentityProvider": "defaultConfiguredIdp",
    },
}
"""Microsoft's defaults for cross-tenant access (cross-tenant-access-overview article)."""

CROSS_TENANT_PARTNER: JSON = {
    "isServiceProvider": None,
    "isInMultiTenantOrganization": False,
    "inboundTrust": None,
    "b2bCollaborationOutbound": None,
    "b2bCollaborationInbound": None,
    "b2bDirectConnectOutbound": None,
    "b2bDirectConnectInbound": None,
    "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None},
}
"""A partner entry that sets nothing: every null means that the default applies."""


def b2b_management_policy(lists: Mapping[str, Any]) -> JSON:
    """Return the allow or deny list in beta's form, whose definition is JSON in a string (KelvinTegelaar/CIPP-API)."""
    definition = {
        "B2BManagementPolicy": {
            "InvitationsAllowedAndBlockedDomainsPolicy": {
                "AllowedDomains": list(lists.get("allowedDomains", ())),
                "BlockedDomains": list(lists.get("blockedDomains", ())),
            },
            "AutoRedeemPolicy": {"AdminConsentedForUsersIntoTenantIds": [], "NoAADConsentForUsersFromTenantsIds": []},
        }
    }
    return {
        "id": "6f2a7f2e-6a3e-4c0e-8a52-5c5c1d5c0b2b",
        "deletedDateTime": None,
        "definition": [json.dumps(definition)],
        "displayName": "B2BManagementPolicy",
        "isOrganizationDefault": True,
    }


SKU_FIELDS = frozenset(
    {
        "accountId",
        "accountName",
        "appliesTo",
        "capabilityStatus",
        "consumedUnits",
        "id",
        "prepaidUnits",
        "servicePlans",
        "skuId",
        "skuPartNumber",
        "subscriptionIds",
    }
)
_NO_UNITS = {"enabled": 0, "suspended": 0, "warning": 0, "lockedOut": 0}


def subscription(given: Mapping[str, Any]) -> JSON:
    """Return a subscription in Graph's form, filled up with defaults. Raises ValueError for an unknown field."""
    strangers = given.keys() - SKU_FIELDS
    if strangers:
        raise ValueError(f"a subscribed SKU has no {', '.join(sorted(strangers))}")
    defaults = {"appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": 0, "id": given["skuId"]}
    return defaults | dict(given) | {"prepaidUnits": _NO_UNITS | given.get("prepaidUnits", {})}


def inbound_setting(policy: Mapping[str, Any], partner_tenant: str) -> JSON:
    """Return the inbound setting for a partner tenant: that of the partner's entry if it has one, else the default."""
    for partner in policy["partners"]:
        if partner["tenantId"].lower() == partner_tenant.lower() and partner["b2bCollaborationInbound"] is not None:
            return dict(partner["b2bCollaborationInbound"])
    return dict(policy["default"]["b2bCollaborationInbound"])


def list_excludes(lists: Mapping[str, Any], domain: str) -> bool:
    """Tell whether the allow or deny list excludes a domain. An empty list excludes none."""
    allowed = {name.lower() for name in lists.get("allowedDomains") or ()}
    blocked = {name.lower() for name in lists.get("blockedDomains") or ()}
    return domain in blocked or bool(allowed and domain not in allowed)
