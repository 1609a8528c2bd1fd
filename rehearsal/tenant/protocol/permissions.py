"""The application permissions that each kind of call needs: any one permission of a set is enough.

Source: microsoftgraph/microsoft-graph-devx-content permissions.json and the permission tables of the reference pages.
"""

USERS_READ = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
USERS_WRITE = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
USERS_RESTORE = USERS_WRITE | {"User.DeleteRestore.All"}
DELETED_USERS_READ = USERS_READ | {"User.DeleteRestore.All"}
GROUPS_READ = frozenset(
    {
        "Group.Read.All",
        "Group.ReadWrite.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        "Group.ReadBasic.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
ROLES_READ = frozenset(
    {
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagement.Read.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
ROLE_ELIGIBILITY_READ = frozenset(
    {
        "RoleEligibilitySchedule.Read.Directory",
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagement.Read.All",
    }
)
CONTACTS_READ = frozenset({"OrgContact.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"})
DOMAINS_READ = frozenset({"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
FEDERATION_READ = frozenset({"IdentityProvider.Read.All", "IdentityProvider.ReadWrite.All"})
AUTHORIZATION_POLICY_READ = frozenset({"Policy.Read.All", "Policy.ReadWrite.Authorization"})
CROSS_TENANT_POLICY_READ = frozenset({"Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"})
B2B_POLICY_READ = frozenset({"Policy.Read.B2BManagementPolicy", "Policy.ReadWrite.B2BManagementPolicy"})
TENANT_INFORMATION_READ = frozenset({"CrossTenantInformation.ReadBasic.All"})
APP_ROLES_READ = frozenset({"AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
APPLICATIONS_READ = frozenset(
    {"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)
DEVICES_READ = frozenset({"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
GROUP_MEMBERS_WRITE = frozenset({"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"})
APP_ROLES_WRITE = frozenset({"AppRoleAssignment.ReadWrite.All"})
ORGANIZATION_READ = frozenset(
    {"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)
LICENCES_READ = ORGANIZATION_READ | {"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All"}
LICENCES_ASSIGN = USERS_WRITE | {"LicenseAssignment.ReadWrite.All"}
AUDIT_LOG_READ = frozenset({"AuditLog.Read.All"})
ANY: frozenset[str] = frozenset()
"""The call needs no permission here: `$batch` checks each part, and `/invitations` checks its permission itself."""

DEFAULT_ROLES = (
    "User.Invite.All",
    "User.ReadWrite.All",
    "User.Read.All",
    "Domain.Read.All",
    "IdentityProvider.Read.All",
    "Policy.Read.All",
    "Policy.Read.B2BManagementPolicy",
    "RoleManagement.Read.Directory",
    "OrgContact.Read.All",
    "Group.Read.All",
    "CrossTenantInformation.ReadBasic.All",
    "Directory.Read.All",
)
"""All that a converter needs: the permissions to assess, the two to invite, and the one to compare."""
