"""The rules as a table, and how a request is judged by them.

Rule ids and severities are the product's contract: README lists them, findings carry them, settings override them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from b2b.domain import address, checks
from b2b.domain.checks import Hit, Result
from b2b.domain.facts import PERMISSIONS, Case, Fact
from b2b.domain.findings import Finding, Profile, Severity

BLOCK, FIX, REVIEW, WARN, INFO, OFF = (
    Severity.BLOCK,
    Severity.FIX,
    Severity.REVIEW,
    Severity.WARN,
    Severity.INFO,
    Severity.OFF,
)

_LEARN = "https://learn.microsoft.com/entra/"
ARTICLE = _LEARN + "external-id/invite-internal-users"
LIMITS = _LEARN + "external-id/troubleshoot"
USER = "https://learn.microsoft.com/graph/api/resources/user"
INVITATION = "https://learn.microsoft.com/graph/api/resources/invitation"
REDEMPTION = _LEARN + "external-id/redemption-experience"
ORIGINAL = "https://learn.microsoft.com/azure/active-directory/external-identities/invite-internal-users"
PLANS = _LEARN + "identity/users/licensing-service-plan-reference"


class Subject(Enum):
    """What a rule is about: it is asked only where that is there."""

    REQUEST = "request"
    TENANT = "tenant"
    ACCOUNT = "account"
    ADDRESS = "address"
    """An address that Graph can use; about one that it cannot, nothing is looked up."""


@dataclass(frozen=True)
class Rule:
    """One reason why an account may not, or had better not, be converted.

    ``needs`` are the facts that can be missing: without them, and without a hit from the others, the rule is blind.
    """

    id: str
    subject: Subject
    current: Severity
    legacy: Severity
    test: Callable[[Case], Result]
    fix: str
    source: str
    needs: frozenset[Fact] = frozenset()
    pinned: bool = False
    """There is nothing to invite where it hits, so settings may not soften it."""
    applies: Callable[[Case], bool] = lambda _case: True
    """Where the rule has nothing to say whatever the facts are."""
    enforced_by_graph: bool = False
    """Graph itself refuses such an invitation, so being blind here costs a failed call and nothing else."""

    def severity(self, profile: Profile, overrides: Mapping[str, Severity]) -> Severity:
        """Return the severity in force."""
        return overrides.get(self.id, self.legacy if profile is Profile.LEGACY else self.current)


def _rule(
    rule_id: str,
    subject: Subject,
    severities: tuple[Severity, Severity],
    test: Callable[[Case], Result],
    fix: str,
    source: str,
    *needs: Fact,
    **more: Any,
) -> Rule:
    current, legacy = severities
    return Rule(rule_id, subject, current, legacy, test, fix, source, frozenset(needs), **more)


R, T, A, D = Subject.REQUEST, Subject.TENANT, Subject.ACCOUNT, Subject.ADDRESS

# fmt: off
RULES: tuple[Rule, ...] = (
    _rule("account-not-found", R, (BLOCK, BLOCK), checks.account_not_found,
          "Check the identifier; restore the account if it lies in the recycle bin.", USER, pinned=True),
    _rule("account-ambiguous", R, (BLOCK, BLOCK), checks.account_ambiguous,
          "Name the account by its object id.", USER, pinned=True),
    _rule("already-external", A, (BLOCK, BLOCK), checks.already_external,
          "Nothing to do.", _LEARN + "external-id/user-properties", pinned=True),
    _rule("invitation-pending", A, (BLOCK, BLOCK), checks.invitation_pending,
          "Nothing to do: the person has to redeem the invitation.", _LEARN + "external-id/user-properties",
          pinned=True),
    _rule("no-external-address", A, (FIX, BLOCK), checks.no_external_address,
          "Set mail to the external address, or name the address in the request.", ARTICLE, pinned=True),
    _rule("address-not-on-account", A, (FIX, BLOCK), checks.address_not_on_account,
          "Set mail to the external address first; allow five minutes for it to spread.", ARTICLE),
    _rule("own-verified-domain", D, (BLOCK, BLOCK), checks.own_verified_domain,
          "Use the person's address at their own organisation.", LIMITS, Fact.DOMAINS),
    _rule("exchange-mailbox", A, (BLOCK, BLOCK), checks.exchange_mailbox,
          "Remove the Exchange licence and let the mailbox go first: B2B users with a mailbox are not supported.",
          ARTICLE),
    _rule("unknown-exchange-plan", A, (WARN, WARN), checks.unknown_exchange_plan,
          "Look whether the account has a mailbox or an archive before it is converted.", PLANS),
    _rule("on-premises-upn", A, (BLOCK, WARN), checks.on_premises_upn,
          "Change the synchronisation rule so that it does not write onPremisesUserPrincipalName.", ARTICLE),
    _rule("on-premises-synced", A, (WARN, WARN), checks.on_premises_synced,
          "Do not delete or disable the on-premises account, that hits the cloud account too; after redemption, "
          "set its password to a random value.", ARTICLE),
    _rule("direct-federation", D, (WARN, BLOCK), checks.direct_federation,
          "Test the redemption with one person of this partner first.", REDEMPTION, Fact.FEDERATIONS),
    _rule("upn-domain-federated", A, (WARN, OFF), checks.upn_domain_federated,
          "Know that converting back needs a user principal name in a domain that is not federated.",
          _LEARN + "identity/users/convert-external-users-internal", Fact.DOMAINS),
    _rule("home-account-not-entra", D, (WARN, BLOCK), checks.home_account_not_entra,
          "Tell the person what to expect; with a one-time passcode the internal password stops working.",
          _LEARN + "external-id/one-time-passcode", Fact.HOME_TENANT,
          applies=lambda case: case.profile is Profile.CURRENT or not case.synced),
    _rule("custom-message-dropped", R, (WARN, WARN), checks.custom_message_dropped,
          "Leave customizedMessageBody out, or set sendInvitationMessage to false and send your own mail.", LIMITS),
    _rule("address-ambiguous", A, (OFF, REVIEW), checks.address_ambiguous,
          "Name the address in the request: whoever gets the invitation gets the account.", ORIGINAL, Fact.DOMAINS,
          applies=lambda case: not case.request.invited_user_email_address and not case.synced),
    _rule("address-in-use", D, (BLOCK, BLOCK), checks.address_in_use,
          "Remove the address from the other object, or delete that object for good.", LIMITS,
          Fact.USERS_WITH_ADDRESS, Fact.DELETED_WITH_ADDRESS, Fact.CONTACTS_WITH_ADDRESS),
    _rule("address-requested-twice", D, (BLOCK, BLOCK), checks.address_requested_twice,
          "Decide which of the two accounts the person keeps.", INVITATION, Fact.RESERVATION),
    _rule("account-disabled", A, (REVIEW, REVIEW), checks.account_disabled,
          "Enable the account, or leave it alone.", LIMITS),
    _rule("directory-role", A, (REVIEW, REVIEW), checks.directory_role,
          "Remove the roles first: whoever redeems the invitation holds them.",
          _LEARN + "external-id/reset-redemption-status",
          Fact.MEMBERSHIPS, Fact.GROUP_DETAILS, Fact.ROLE_ASSIGNMENTS, Fact.ROLE_ELIGIBILITIES),
    _rule("restricted-management", A, (BLOCK, BLOCK), checks.restricted_management,
          "Take the account out of the restricted management administrative unit.", USER, enforced_by_graph=True),
    _rule("domain-not-allowed", D, (BLOCK, OFF), checks.domain_not_allowed,
          "Change the collaboration restrictions of the tenant.", _LEARN + "external-id/allow-deny-list",
          Fact.DOMAIN_LIST, enforced_by_graph=True),
    _rule("cross-tenant-blocked", D, (REVIEW, OFF), checks.cross_tenant_blocked,
          "Allow inbound collaboration for this partner in the cross-tenant access settings.", LIMITS,
          Fact.HOME_TENANT, Fact.CROSS_TENANT_ACCESS, enforced_by_graph=True,
          applies=lambda case: case.home_tenant is not None or Fact.HOME_TENANT in case.unreadable),
    _rule("invitations-disabled", T, (BLOCK, BLOCK), checks.invitations_disabled,
          "Change who can invite in the external collaboration settings; it takes up to an hour.",
          "https://learn.microsoft.com/graph/api/invitation-post", Fact.INVITATION_POLICY, enforced_by_graph=True),
    _rule("invitations-admins-only", T, (INFO, OFF), checks.invitations_admins_only,
          "Make sure that the application holds User.Invite.All.",
          "https://learn.microsoft.com/graph/api/invitation-post", Fact.INVITATION_POLICY),
    _rule("address-characters", R, (BLOCK, BLOCK), checks.address_characters,
          "Use an address without that character; Entra takes no plus signs either.", INVITATION, pinned=True),
    _rule("group-address", D, (BLOCK, BLOCK), checks.group_address,
          "Use the person's own address.", LIMITS, Fact.GROUPS_WITH_ADDRESS),
    _rule("excluded-group", A, (BLOCK, BLOCK), checks.excluded_group,
          "Take the account out of the group if it really is to be converted.",
          _LEARN + "identity/role-based-access-control/security-emergency-access", Fact.MEMBERSHIPS),
    _rule("mail-domain-differs", D, (WARN, WARN), checks.mail_domain_differs,
          "Set mail to the invited address, so that Teams and others know the person.", ARTICLE),
    _rule("message-suppressed", R, (INFO, INFO), checks.message_suppressed,
          "Tell the person yourself.", INVITATION),
)
# fmt: on

FACT_NOT_READABLE = "fact-not-readable"
"""Not in the table: it stands for whichever rule could not be decided, so no setting can silence it."""
RULE_IDS = tuple(rule.id for rule in RULES)
PINNED = frozenset(rule.id for rule in RULES if rule.pinned)


def needed_facts(profile: Profile, overrides: Mapping[str, Severity]) -> frozenset[Fact]:
    """Return what must be read: the needs of the rules that are on. A rule that is off is not read."""
    return frozenset(fact for rule in RULES if rule.severity(profile, overrides) is not OFF for fact in rule.needs)


def judge(case: Case, overrides: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Ask every rule that is on and applies; return all findings, not only the first."""
    return tuple(finding for rule in RULES for finding in _ask(rule, case, rule.severity(case.profile, overrides)))


def _ask(rule: Rule, case: Case, severity: Severity) -> Iterator[Finding]:
    """A full hit needs no more facts; otherwise one that is missing could have changed the answer."""
    if severity is OFF or not _applies(rule, case):
        return
    result = rule.test(case)
    hit = Hit(result) if isinstance(result, str) else result
    if hit is not None:
        yield Finding(rule.id, _weight(severity, hit, case), hit.message, rule.fix, rule.source)
    blind = sorted(rule.needs & case.unreadable)
    if blind and (hit is None or hit.at_most is not None):
        yield _not_readable(rule, severity, blind)


def _applies(rule: Rule, case: Case) -> bool:
    there = {
        Subject.REQUEST: True,
        Subject.TENANT: True,
        Subject.ACCOUNT: case.account is not None,
        Subject.ADDRESS: case.address is not None and address.problem(case.address) is None,
    }
    return there[rule.subject] and rule.applies(case)


def _weight(severity: Severity, hit: Hit, case: Case) -> Severity:
    if severity is FIX and case.account is not None:
        # Graph refuses to change mail of a synced account and of one that Exchange masters, so no fix of ours can help.
        fixed_elsewhere = case.account.synced or case.account.has_mailbox
        severity = BLOCK if fixed_elsewhere else FIX
    order = list(Severity)
    return severity if hit.at_most is None else max(severity, hit.at_most, key=order.index)


def _not_readable(rule: Rule, severity: Severity, blind: list[Fact]) -> Finding:
    permissions = ", ".join(sorted({PERMISSIONS.get(fact, "") for fact in blind} - {""}))
    return Finding(
        FACT_NOT_READABLE,
        _blind_weight(rule, severity),
        f"The rule {rule.id} could not be decided: {', '.join(blind)} cannot be read without {permissions}.",
        f"Grant {permissions} to the application, or set the rule {rule.id} to off in B2B_RULE_OVERRIDES.",
        "https://learn.microsoft.com/graph/permissions-reference",
    )


def _blind_weight(rule: Rule, severity: Severity) -> Severity:
    """A protecting rule that is blind needs a person, because the way back is narrow; a warning only warns."""
    if severity in {WARN, INFO}:
        return severity
    return WARN if rule.enforced_by_graph else REVIEW
