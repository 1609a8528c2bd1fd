"""The test of each rule: what is so, in words, or None. Which test belongs to which rule stands in `eligibility`."""

from collections.abc import Sequence
from typing import NamedTuple

from b2b.domain import address as addresses
from b2b.domain.account import Account
from b2b.domain.address import domain_of
from b2b.domain.envelope import digest
from b2b.domain.facts import Case, Fact
from b2b.domain.findings import Profile, Severity
from b2b.domain.service_plans import PlanKind
from b2b.domain.tenant import InvitesFrom


class Hit(NamedTuple):
    """A rule's message, with a milder severity than the rule's own where this case deserves one."""

    message: str
    at_most: Severity | None = None


Result = str | Hit | None


def _account(case: Case) -> Account:
    if case.account is None:
        raise ValueError("a rule about the account was asked without one")
    return case.account


def _listed(names: Sequence[str], most: int = 20) -> str:
    """Name all that a person has to judge; of too many, a digest stands for the rest, so that a change shows."""
    names = sorted(names)
    shown = ", ".join(names[:most])
    rest = names[most:]
    return f"{shown} and {len(rest)} more ({digest(' '.join(rest).encode())[:8]})" if rest else shown


def account_not_found(case: Case) -> Result:
    """Nothing to convert."""
    if case.candidates:
        return None
    return (
        "The account was deleted and lies in the recycle bin." if case.deleted else "The directory has no such account."
    )


def account_ambiguous(case: Case) -> Result:
    """Whoever gets the invitation gets the account, so a guess will not do."""
    return f"{case.candidates} accounts hold this address in mail or otherMails." if case.candidates > 1 else None


def already_external(case: Case) -> Result:
    """The UPN alone proves nothing: a converted user keeps its own, so every sign counts."""
    account = _account(case)
    if account.pending:
        return None
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


def invitation_pending(case: Case) -> Result:
    """Invited by somebody else, not redeemed yet."""
    account = _account(case)
    return f"The account was invited and has not redeemed the invitation{_since(account)}." if account.pending else None


def _since(account: Account) -> str:
    when = account.external_user_state_change_date_time
    return f", since {when}" if when else ""


def no_external_address(case: Case) -> Result:
    """The request names none and the account has none."""
    if case.address:
        return None
    where = "otherMails" if case.profile is Profile.LEGACY and not _account(case).synced else "mail"
    return f"The request names no address and the account's {where} is empty."


def address_not_on_account(case: Case) -> Result:
    """Graph matches the invited address against the account's own."""
    account = _account(case)
    own = addresses.own_addresses(account, case.profile)
    if case.address is None or case.address.lower() in {text.lower() for text in own}:
        return None
    where = "otherMails" if case.profile is Profile.LEGACY and not account.synced else "mail"
    return f"The invited address is not the account's {where}."


def address_characters(case: Case) -> Result:
    """What Graph does not take in an invited address."""
    found = addresses.problem(case.address) if case.address else None
    return f"The address cannot be invited: {found}." if found else None


def own_verified_domain(case: Case) -> Result:
    """An address of the tenant itself is not external."""
    own = case.tenant.domains.own(case.domain)
    return f"The address is in {own}, a verified domain of this tenant." if own else None


def exchange_mailbox(case: Case) -> Result:
    """A plan with a mailbox that is not Deleted."""
    return "The account has an Exchange plan with a mailbox." if _account(case).has_mailbox else None


def unknown_exchange_plan(case: Case) -> Result:
    """An Exchange plan that nobody has classed; an archive is one of them."""
    unknown = PlanKind.UNKNOWN in _account(case).exchange_plans
    return "The account has an Exchange plan of which it is not known whether it brings a mailbox." if unknown else None


def on_premises_upn(case: Case) -> Result:
    """The one hard block that Microsoft's current article names."""
    return "The account has an onPremisesUserPrincipalName." if _account(case).on_premises_user_principal_name else None


def on_premises_synced(case: Case) -> Result:
    """Active Directory stays the source of authority."""
    return (
        "The account is synchronised from Active Directory, which stays in charge of it."
        if _account(case).synced
        else None
    )


def direct_federation(case: Case) -> Result:
    """SAML/WS-Fed federation with the partner's domain."""
    federated = case.domain in case.tenant.federations
    return f"The domain {case.domain} is set up for direct federation (SAML/WS-Fed)." if federated else None


def upn_domain_federated(case: Case) -> Result:
    """Matters for the way back, which needs a domain that is not federated."""
    domain = domain_of(_account(case).user_principal_name)
    federated = domain in case.tenant.domains.federated
    return f"The account signs in under {domain}, which is federated." if federated else None


def home_account_not_entra(case: Case) -> Result:
    """No tenant owns the domain."""
    if case.home_tenant or Fact.HOME_TENANT in case.unreadable:
        return None
    return f"No Entra tenant owns {case.domain}: the person redeems with another provider or a one-time passcode."


def custom_message_dropped(case: Case) -> Result:
    """Microsoft leaves custom text out of invitations that an application sends."""
    info = case.request.invited_user_message_info
    if info is None or info.customized_message_body is None:
        return None
    return "Microsoft drops customizedMessageBody when an application invites, and then ignores messageLanguage."


def address_ambiguous(case: Case) -> Result:
    """The original article takes `otherMails`: with several external ones, the first is a guess."""
    external = [mail for mail in _account(case).other_mails or () if not case.tenant.domains.own(domain_of(mail))]
    return f"The account has {len(external)} external addresses in otherMails." if len(external) > 1 else None


def address_in_use(case: Case) -> Result:
    """There is no merge: a second holder makes the invitation fail or land on the wrong object."""
    if case.holders:
        return f"Another user holds the address: {_listed(case.holders)}."
    if case.holding_contacts:
        return Hit(f"An organisational contact holds the address: {_listed(case.holding_contacts)}.", Severity.WARN)
    return None


def address_requested_twice(case: Case) -> Result:
    """One address, two accounts."""
    if case.reserved_for is None:
        return None
    return f"The account {case.reserved_for} is being, or was, converted with the same address."


def account_disabled(case: Case) -> Result:
    """Somebody switched it off for a reason."""
    return "The account is disabled." if _account(case).account_enabled is False else None


def directory_role(case: Case) -> Result:
    """Whoever redeems gets the role."""
    roles = case.roles
    found = [
        f"{label}: {_listed(names)}"
        for label, names in (
            ("active role", roles.active),
            ("eligible role", roles.eligible),
            ("role-assignable group", roles.role_assignable_groups),
        )
        if names
    ]
    return f"The account is privileged ({'; '.join(found)})." if found else None


def restricted_management(case: Case) -> Result:
    """Only a role scoped to the unit may change its members."""
    restricted = _account(case).is_management_restricted
    return "The account is in a restricted management administrative unit." if restricted else None


def domain_not_allowed(case: Case) -> Result:
    """The B2B collaboration allow or deny list."""
    refused = case.tenant.domain_list.refuses(case.domain)
    return f"The tenant's collaboration restrictions exclude {case.domain}." if refused else None


def cross_tenant_blocked(case: Case) -> Result:
    """Applies to people whose home is another Entra tenant."""
    restricted = case.home_tenant is not None and case.tenant.access.restricts(case.home_tenant)
    return f"Cross-tenant access settings restrict inbound collaboration from {case.domain}." if restricted else None


def invitations_disabled(case: Case) -> Result:
    """Nobody may invite, applications included."""
    return "Nobody may invite in this tenant." if case.tenant.invites_from == InvitesFrom.NONE else None


def invitations_admins_only(case: Case) -> Result:
    """Works for an application that holds User.Invite.All; sources disagree about any other permission."""
    admins_only = case.tenant.invites_from == InvitesFrom.ADMINS
    return "Only administrators and guest inviters may invite in this tenant." if admins_only else None


def group_address(case: Case) -> Result:
    """Only groups of the own tenant can be seen."""
    return f"A group holds the address: {_listed(case.holding_groups)}." if case.holding_groups else None


def excluded_group(case: Case) -> Result:
    """Emergency access, service and shared accounts, by an operator's choice."""
    excluded = (case.excluded_group or "").lower()
    return f"The account is a member of the excluded group {excluded}." if excluded in case.groups else None


def mail_domain_differs(case: Case) -> Result:
    """The original article: Teams and others know the person by the domain of `mail`."""
    mail = case.account.mail if case.account else None
    if not mail or domain_of(mail) == case.domain:
        return None
    return f"The account's mail is in {domain_of(mail)}, the invited address in {case.domain}."


def message_suppressed(case: Case) -> Result:
    """Nobody tells the person unless the caller does."""
    if case.send_message:
        return None
    return f"Microsoft sends no mail for this request. The person redeems by signing in at {case.sign_in}"
