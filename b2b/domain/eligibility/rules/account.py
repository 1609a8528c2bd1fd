"""Rules about the state of the account."""

from b2b.domain.account import Account
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.address import domain_of
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.rule import ARTICLE, LIMITS, PROPERTIES, USER, Result, Subject, rule
from b2b.domain.findings import Severity

BLOCK, REVIEW, WARN, OFF = Severity.BLOCK, Severity.REVIEW, Severity.WARN, Severity.OFF
CARD = "the B2B collaboration card of the user in the Entra admin center"


@rule(
    "already-external",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    "externalUserState",
    "creationType",
    "userPrincipalName",
    "identities",
    fix=f"Nothing to do. If the person has to redeem again, reset the redemption status on {CARD}.",
    source=PROPERTIES,
    pinned=True,
)
def already_external(case: Case) -> Result:
    """The account is a B2B user already: nothing to do."""
    account = case.user
    if account.pending:
        return None
    # Every sign counts: the user principal name alone is not enough, because a converted user keeps its own.
    signs = {
        "its invitation was accepted": account.accepted,
        "it was created by an invitation": account.creation_type == "Invitation",
        "its user principal name is a guest's": "#EXT#" in account.user_principal_name,
        "it signs in with an identity of another issuer": any(
            identity.sign_in_type == "federated" for identity in account.identities or ()
        ),
    }
    found = [sign for sign, present in signs.items() if present]
    return f"The account is external already: {', '.join(found)}{_since(account)}." if found else None


@rule(
    "invitation-pending",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    "externalUserState",
    fix="The person has to redeem. To let the app follow the account, adopt the request (POST …/adopt). To send the "
    f"mail again, choose Resend invitation on {CARD}.",
    source=PROPERTIES,
    pinned=True,
)
def invitation_pending(case: Case) -> Result:
    """Someone else has invited the account, and its person has not redeemed yet."""
    account = case.user
    return f"The account was invited and has not redeemed the invitation{_since(account)}." if account.pending else None


def _since(account: Account) -> str:
    when = account.external_user_state_change_date_time
    return f", since {when}" if when else ""


@rule(
    "account-disabled",
    Subject.ACCOUNT,
    REVIEW,
    REVIEW,
    "accountEnabled",
    fix="Enable the account (Entra admin center > Users), then approve. Approving "
    "alone does not help: as far as is known, Graph refuses to invite a disabled account.",
    refused_fix="Enable the account (Entra admin center > Users), wait five minutes, then retry.",
    source=LIMITS,
)
def account_disabled(case: Case) -> Result:
    """`accountEnabled` is false. Graph probably refuses such an invitation (evidence INV-27, inferred)."""
    return "The account is disabled." if case.user.account_enabled is False else None


@rule(
    "restricted-management",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    "isManagementRestricted",
    fix="Take the account out of the restricted management administrative unit (Entra admin center > Roles & admins > "
    "Admin units), then retry.",
    source=USER,
    enforced_by_graph=True,
)
def restricted_management(case: Case) -> Result:
    """The account is in a restricted management administrative unit."""
    restricted = case.user.is_management_restricted
    return "The account is in a restricted management administrative unit." if restricted else None


@rule(
    "on-premises-upn",
    Subject.ACCOUNT,
    BLOCK,
    WARN,
    "onPremisesUserPrincipalName",
    fix="Change the synchronisation rule that writes onPremisesUserPrincipalName (Microsoft Entra Connect: "
    "Synchronization Rules Editor), wait until the property is empty, then retry.",
    legacy_fix="Nothing to do under the article of 2020, which does not name the property. Should Graph refuse the "
    "invitation, empty it: change the synchronisation rule that writes it, then retry.",
    source=ARTICLE,
)
def on_premises_upn(case: Case) -> Result:
    """`onPremisesUserPrincipalName` is set."""
    if not case.user.on_premises_user_principal_name:
        return None
    return "The account has an onPremisesUserPrincipalName; today's article says that such accounts are not converted."


@rule(
    "on-premises-synced",
    Subject.ACCOUNT,
    WARN,
    WARN,
    "onPremisesSyncEnabled",
    fix="Keep the account in Active Directory: if it is deleted or disabled there, the cloud account is, too. After "
    "redemption, set its password there to a random value.",
    source=ARTICLE,
)
def on_premises_synced(case: Case) -> Result:
    """The account is synchronised from Active Directory, which stays in charge of it."""
    return "The account is synchronised from Active Directory, which stays in charge of it." if case.synced else None


@rule(
    "upn-domain-federated",
    Subject.ACCOUNT,
    WARN,
    OFF,
    "userPrincipalName",
    facts.DOMAINS,
    fix="Nothing to do now. To convert the account back later, it would need a user principal name in a domain that is "
    "not federated.",
    source="https://learn.microsoft.com/entra/identity/users/convert-external-users-internal",
)
def upn_domain_federated(case: Case) -> Result:
    """The account's own domain is federated, which matters if it is to be converted back."""
    domain = domain_of(case.user.user_principal_name)
    federated = domain in case.facts[facts.DOMAINS].federated
    return f"The account signs in under {domain}, which is federated." if federated else None
