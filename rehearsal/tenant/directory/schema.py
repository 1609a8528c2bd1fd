"""The resource types of the tenant: their properties and types, what a plain GET returns, and what can be filtered.

Names and types are those of the v1.0 metadata (github.com/microsoftgraph/msgraph-metadata); a test compares them with
the models of msgraph-sdk. Filter support follows the advanced-queries article: `D` means that an operator works by
default, `A` that it needs `ConsistencyLevel: eventual` and `$count=true`. A property without an entry has no filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COLLECTION = "[]"
"""The ending of a type name that makes it a collection."""


def words(*lines: str) -> frozenset[str]:
    """Return the words of some lines as a set. It keeps tables of names readable."""
    return frozenset(word for line in lines for word in line.split())


COMPLEX_TYPES: Mapping[str, frozenset[str]] = {
    "objectIdentity": frozenset({"signInType", "issuer", "issuerAssignedId"}),
    "assignedPlan": frozenset({"assignedDateTime", "capabilityStatus", "service", "servicePlanId"}),
    "assignedLicense": frozenset({"disabledPlans", "skuId"}),
    "provisionedPlan": frozenset({"capabilityStatus", "provisioningStatus", "service"}),
    "targetResource": words("id displayName type userPrincipalName groupType modifiedProperties"),
    "keyValue": words("key value"),
    "licenseAssignmentState": frozenset(
        {"assignedByGroup", "disabledPlans", "error", "lastUpdatedDateTime", "skuId", "state"}
    ),
}


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type of Graph. `plain` is what a GET without $select returns; empty means everything."""

    name: str
    properties: Mapping[str, str]
    plain: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    sortable: frozenset[str] = frozenset()

    def default(self, name: str) -> Any:
        """Return the value of a property that was never set: an empty list for a collection, else None."""
        return [] if self.properties[name].endswith(COLLECTION) else None

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all properties of an object; those not given have defaults. An unknown name raises ValueError."""
        unknown = given.keys() - self.properties.keys()
        if unknown:
            raise ValueError(f"microsoft.graph.{self.name} has no property {', '.join(sorted(unknown))}")
        for name, value in given.items():
            self._check(name, value)
        return {name: given.get(name, self.default(name)) for name in self.properties}

    def _check(self, name: str, value: Any) -> None:
        type_name = self.properties[name]
        if type_name.endswith(COLLECTION) != isinstance(value, list):
            raise ValueError(f"{self.name}.{name} is of type {type_name}, got {type(value).__name__}")
        if type_name == "boolean" and not isinstance(value, bool | None):
            raise ValueError(f"{self.name}.{name} is of type boolean, got {type(value).__name__}")
        members = COMPLEX_TYPES.get(type_name.removesuffix(COLLECTION))
        if members is not None:
            for element in value:
                strangers = element.keys() - members
                if strangers:
                    raise ValueError(f"{self.name}.{name} has no member {', '.join(sorted(strangers))}")


def _typed(**names_by_type: str) -> dict[str, str]:
    """Return a table from property to type, made from lists of names by type. A keyword in `s_` means a collection."""
    return {
        name: key.removesuffix("s_") + COLLECTION if key.endswith("s_") else key
        for key, names in names_by_type.items()
        for name in names.split()
    }


USER = ResourceType(
    "user",
    _typed(
        string=(
            "id displayName givenName surname userPrincipalName mail mailNickname jobTitle mobilePhone officeLocation "
            "preferredLanguage ageGroup city companyName consentProvidedForMinor country creationType department "
            "employeeId employeeType externalUserState faxNumber legalAgeGroupClassification "
            "onPremisesDistinguishedName onPremisesDomainName onPremisesImmutableId onPremisesSamAccountName "
            "onPremisesSecurityIdentifier onPremisesUserPrincipalName passwordPolicies postalCode "
            "preferredDataLocation securityIdentifier state streetAddress usageLocation userType"
        ),
        boolean="accountEnabled isManagementRestricted isResourceAccount onPremisesSyncEnabled showInAddressList",
        dateTime=(
            "createdDateTime deletedDateTime employeeHireDate employeeLeaveDateTime externalUserStateChangeDateTime "
            "lastPasswordChangeDateTime onPremisesLastSyncDateTime signInSessionsValidFromDateTime"
        ),
        strings_="businessPhones imAddresses otherMails proxyAddresses",
        objectIdentitys_="identities",
        assignedPlans_="assignedPlans",
        assignedLicenses_="assignedLicenses",
        provisionedPlans_="provisionedPlans",
        licenseAssignmentStates_="licenseAssignmentStates",
    ),
    plain=(
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ),
    filters={
        "accountEnabled": "eqD neA notA inD",
        "assignedLicenses": "eqD notA countA",
        "assignedPlans": "eqD notA",
        "companyName": "eqA neA notA inA startswithA nullA",
        "createdDateTime": "eqD neA notA geD leD inA",
        "creationType": "eqD neA notA inD",
        "department": "eqD neA notA geD leD inD startswithD nullA",
        "displayName": "eqD neA notA inD startswithD nullA",
        "externalUserState": "eqD neA notA inD",
        "externalUserStateChangeDateTime": "eqD neA notA inD",
        "id": "eqD neA notA inD",
        "identities": "eqD",
        "mail": "eqD neA notA geD leD inD startswithD endswithA nullA",
        "mailNickname": "eqD neA notA geD leD inD startswithD nullA",
        "onPremisesImmutableId": "eqA neA notA inA",
        "onPremisesSyncEnabled": "eqD neA notA inD nullA",
        "onPremisesUserPrincipalName": "eqD neA notA geD leD inD startswithD",
        "otherMails": "eqD neA notA geD leD inD startswithD endswithA countA",
        "proxyAddresses": "eqD neA notA geD leD startswithD endswithA nullA countA",
        "surname": "eqD neA notA geD leD inD startswithD nullA",
        "userPrincipalName": "eqD neA notA geD leD inD startswithD endswithA",
        "userType": "eqD neA notA inD nullA",
    },
    sortable=frozenset({"displayName", "userPrincipalName"}),
)

GROUP = ResourceType(
    "group",
    _typed(
        string=(
            "id classification description displayName mail mailNickname membershipRule "
            "membershipRuleProcessingState onPremisesDomainName onPremisesNetBiosName onPremisesSamAccountName "
            "onPremisesSecurityIdentifier preferredDataLocation preferredLanguage securityIdentifier theme uniqueName "
            "visibility"
        ),
        boolean="isAssignableToRole isManagementRestricted mailEnabled onPremisesSyncEnabled securityEnabled",
        dateTime="createdDateTime deletedDateTime expirationDateTime onPremisesLastSyncDateTime renewedDateTime",
        strings_="groupTypes proxyAddresses resourceBehaviorOptions resourceProvisioningOptions",
    ),
    filters={
        "displayName": "eqD neA notA geD leD inD startswithD nullA",
        "id": "eqD neA notA inD",
        "isAssignableToRole": "eqD neA notA",
        "mail": "eqD neA notA geD leD inD startswithD nullA",
        "mailEnabled": "eqD neA notA",
        "mailNickname": "eqD neA notA geD leD inD startswithD",
        "proxyAddresses": "eqD neA notA geD leD startswithD endswithA countA",
        "securityEnabled": "eqD neA notA inD",
    },
    sortable=frozenset({"displayName"}),
)

ORG_CONTACT = ResourceType(
    "orgContact",
    _typed(
        string="id companyName department displayName givenName jobTitle mail mailNickname surname",
        boolean="onPremisesSyncEnabled",
        dateTime="deletedDateTime onPremisesLastSyncDateTime",
        strings_="proxyAddresses",
    ),
    filters={
        "displayName": "eqD neA notA geD leD inD startswithD nullA",
        "id": "eqD neA notA inD",
        "mail": "eqD neA notA geD leD inD startswithD nullA",
        "proxyAddresses": "eqD neA notA geD leD startswithD endswithA countA",
    },
    sortable=frozenset({"displayName"}),
)

DIRECTORY_ROLE = ResourceType(
    "directoryRole",
    _typed(string="id description displayName roleTemplateId", dateTime="deletedDateTime"),
    filters={"id": "eqD inD", "displayName": "eqD inD", "roleTemplateId": "eqD inD"},
)

ROLE_ASSIGNMENT = ResourceType(
    "unifiedRoleAssignment",
    _typed(string="id principalId roleDefinitionId directoryScopeId appScopeId principalOrganizationId condition"),
    plain=("id", "principalId", "principalOrganizationId", "roleDefinitionId", "directoryScopeId"),
    filters={"principalId": "eqD inD", "roleDefinitionId": "eqD inD", "directoryScopeId": "eqD inD", "id": "eqD"},
)

ROLE_ELIGIBILITY = ResourceType(
    "unifiedRoleEligibilitySchedule",
    _typed(
        string="id principalId roleDefinitionId directoryScopeId appScopeId createdUsing memberType status",
        dateTime="createdDateTime modifiedDateTime",
        requestSchedule="scheduleInfo",
    ),
    filters={"principalId": "eqD", "roleDefinitionId": "eqD", "directoryScopeId": "eqD", "status": "eqD"},
)

APP_ROLE_ASSIGNMENT = ResourceType(
    "appRoleAssignment",
    _typed(
        string="id appRoleId principalDisplayName principalId principalType resourceDisplayName resourceId",
        dateTime="createdDateTime deletedDateTime",
    ),
    filters={"resourceId": "eqD"},
)

DOMAIN = ResourceType(
    "domain",
    _typed(
        string="id authenticationType availabilityStatus",
        boolean="isAdminManaged isDefault isInitial isRoot isVerified",
        integer="passwordNotificationWindowInDays passwordValidityPeriodInDays",
        strings_="supportedServices",
        domainState="state",
    ),
)

FEDERATION = ResourceType(
    "samlOrWsFedExternalDomainFederation",
    _typed(
        string=(
            "id displayName issuerUri metadataExchangeUri passiveSignInUri preferredAuthenticationProtocol "
            "signingCertificate"
        )
    ),
)

B2B_POLICY = ResourceType(
    "b2bManagementPolicy",
    _typed(string="id displayName", boolean="isOrganizationDefault", dateTime="deletedDateTime", strings_="definition"),
)

ORGANIZATION = ResourceType(
    "organization",
    _typed(
        string="id city country countryLetterCode displayName postalCode preferredLanguage state street tenantType",
        boolean="onPremisesSyncEnabled",
        dateTime="createdDateTime deletedDateTime onPremisesLastSyncDateTime",
        strings_="businessPhones technicalNotificationMails",
        verifiedDomains_="verifiedDomains",
    ),
)

APPLICATION = ResourceType("application", _typed(string="id appId displayName", dateTime="deletedDateTime"))
SERVICE_PRINCIPAL = ResourceType(
    "servicePrincipal",
    _typed(string="id appId displayName servicePrincipalType", boolean="accountEnabled", dateTime="deletedDateTime"),
)
DEVICE = ResourceType(
    "device",
    _typed(
        string="id deviceId displayName operatingSystem operatingSystemVersion trustType",
        boolean="accountEnabled isCompliant isManaged onPremisesSyncEnabled",
        dateTime="approximateLastSignInDateTime deletedDateTime",
    ),
)
"""Users own or have registered these three types. Each has only the properties that tell one object from another."""

DIRECTORY_OBJECTS: Mapping[str, ResourceType] = {
    resource.name: resource
    for resource in (USER, GROUP, ORG_CONTACT, DIRECTORY_ROLE, APPLICATION, SERVICE_PRINCIPAL, DEVICE)
}

DIRECTORY_AUDIT = ResourceType(
    "directoryAudit",
    _typed(
        string=(
            "id activityDisplayName category correlationId loggedByService operationType result resultReason "
            "initiatedBy"
        ),
        dateTime="activityDateTime",
        targetResources_="targetResources",
        keyValues_="additionalDetails",
    ),
    filters={"activityDisplayName": "eqD startswithD", "activityDateTime": "eqD geD leD"},
)
