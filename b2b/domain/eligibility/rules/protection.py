"""Rules that protect accounts from conversion: privileged accounts, excluded accounts, and those of employees."""

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.likeness import is_employee_type, is_outside_type, is_own_company
from b2b.domain.eligibility.rule import ARTICLE, USER, Result, Subject, rule
from b2b.domain.eligibility.wording import listed
from b2b.domain.findings import Severity

BLOCK, REVIEW = Severity.BLOCK, Severity.REVIEW


@rule(
    "directory-role",
    Subject.ACCOUNT,
    REVIEW,
    REVIEW,
    facts.MEMBERSHIPS,
    facts.GROUP_DETAILS,
    facts.ROLE_ASSIGNMENTS,
    facts.ROLE_ELIGIBILITIES,
    fix="Remove these roles and memberships (Entra admin center > Roles & admins), then send a new request. Approve "
    "only if the person is to keep them: who redeems the invitation holds them.",
    source="https://learn.microsoft.com/entra/external-id/reset-redemption-status",
)
def directory_role(case: Case) -> Result:
    """The account has an active or eligible role, or is in a role-assignable group."""
    kinds = {
        "active role": (*case.facts[facts.MEMBERSHIPS].roles, *case.facts[facts.ROLE_ASSIGNMENTS]),
        "eligible role": case.facts[facts.ROLE_ELIGIBILITIES],
        "role-assignable group": case.facts[facts.GROUP_DETAILS],
    }
    found = [f"{kind}: {listed(names)}" for kind, names in kinds.items() if names]
    return f"The account is privileged ({'; '.join(found)})." if found else None


@rule(
    "excluded-group",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    facts.MEMBERSHIPS,
    fix="Leave the account as it is. If it is to be converted after all, take it out of that group, then retry.",
    source="https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access",
    only_with="excluded_group",
)
def excluded_group(case: Case) -> Result:
    """The account is a member of `B2B_EXCLUDED_GROUP_ID`."""
    excluded = (case.wishes.excluded_group or "").lower()
    is_member = excluded in case.facts[facts.MEMBERSHIPS].groups
    return f"The account is a member of the excluded group {excluded} (B2B_EXCLUDED_GROUP_ID)." if is_member else None


@rule(
    "outside-scope",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    facts.MEMBERSHIPS,
    fix="Leave the account as it is. If it is to be converted, add it to that group, wait some minutes, then retry.",
    source=ARTICLE,
    only_with="scope_group",
)
def outside_scope(case: Case) -> Result:
    """`B2B_SCOPE_GROUP_ID` is set and the account is not a member of that group."""
    scope = (case.wishes.scope_group or "").lower()
    if not scope or scope in case.facts[facts.MEMBERSHIPS].groups:
        return None
    return f"The account is not a member of the group {scope}, to which conversions are limited (B2B_SCOPE_GROUP_ID)."


@rule(
    "looks-like-employee",
    Subject.ACCOUNT,
    REVIEW,
    REVIEW,
    "employeeType",
    "employeeId",
    "companyName",
    facts.DOMAINS,
    fix="Ask the manager of the account (Entra admin center > Users > Properties) whether the person is employed here. "
    "If not, approve. If so, refuse: the person would sign in with another organisation's credentials, and there is no "
    "plain way back.",
    source=USER,
)
def looks_like_employee(case: Case) -> Result:
    """The account looks like an employee's, by `employeeType`, `employeeId` or a `companyName` that is the tenant's.

    The project's own judgement. An `employeeType` such as Contractor or Vendor outweighs an `employeeId`.
    """
    account = case.user
    outside = is_outside_type(account.employee_type)
    signs = {
        f"employeeType is {account.employee_type}": is_employee_type(account.employee_type),
        "employeeId is set": bool(account.employee_id) and not outside,
        "companyName is this organisation's": is_own_company(account.company_name, case.facts[facts.DOMAINS].verified),
    }
    found = [sign for sign, present in signs.items() if present]
    return f"The account looks like an employee's: {', '.join(found)}." if found else None


@rule(
    "resource-account",
    Subject.ACCOUNT,
    Severity.WARN,
    Severity.WARN,
    "isResourceAccount",
    fix="Look whether a person signs in with this account (Entra admin center > Users > Sign-in logs). If it belongs "
    "to a phone or a room, do not convert it.",
    source=USER,
)
def resource_account(case: Case) -> Result:
    """`isResourceAccount` is true: an account of Teams for a phone, a room or a device."""
    return "The account is a resource account, not a person's." if case.user.is_resource_account else None
