"""Rules about the external address. They are asked only about an address that Graph can use."""

from b2b.domain.characters import visible
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.address import domain_of
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.likeness import names_person, stranger_domain
from b2b.domain.eligibility.rule import ARTICLE, INVITATION, LIMITS, REDEMPTION, Hit, Result, Subject, rule
from b2b.domain.eligibility.rules.mail import ANEW
from b2b.domain.eligibility.wording import listed
from b2b.domain.findings import Profile, Severity

BLOCK, REVIEW, WARN, OFF = Severity.BLOCK, Severity.REVIEW, Severity.WARN, Severity.OFF
EXCLUDED_IN_2020 = f"The article of 2020 excludes such accounts: {ANEW}."


@rule(
    "own-verified-domain",
    Subject.ADDRESS,
    BLOCK,
    BLOCK,
    facts.DOMAINS,
    fix="Set mail to the person's address at their own organisation (Update-MgUser -Mail), wait five minutes, then "
    "retry. If the request itself names an address of this tenant, send a new one.",
    legacy_fix="Add the person's address at their own organisation to otherMails (Update-MgUser -OtherMails), then "
    "send a new request that names it.",
    source=LIMITS,
    sets_address=True,
)
def own_verified_domain(case: Case) -> Result:
    """The address is in a verified domain of this tenant, or below one."""
    own = case.facts[facts.DOMAINS].own(case.domain)
    return f"The address is in {own}, a verified domain of this tenant." if own else None


@rule(
    "address-unlikely",
    Subject.ADDRESS,
    REVIEW,
    REVIEW,
    "displayName",
    "givenName",
    "surname",
    "companyName",
    "mail",
    facts.COLLEAGUES,
    fix="Ask the person's organisation for the address. If it is this one, approve. If not, correct mail of the "
    "account (Update-MgUser -Mail), wait five minutes and send a new request: who gets the invitation gets the "
    "account.",
    legacy_fix="Ask the person's organisation for the address. If it is this one, approve. If not, put the right one "
    "into otherMails of the account (Update-MgUser -OtherMails), wait five minutes and send a new request that names "
    "it: who gets the invitation gets the account.",
    source=INVITATION,
    applies=lambda case: case.account is not None,
)
def address_unlikely(case: Case) -> Result:
    """No part of the person's name is in the address, or no other account of the company has its domain.

    The project's own judgement. It finds a list in which addresses have moved to other persons' rows.
    """
    account = case.user
    local = (case.address or "").rpartition("@")[0]
    named = names_person(local, (account.display_name, account.given_name, account.surname))
    of_company = case.facts[facts.COLLEAGUES]
    colleagues = {**of_company}
    own = domain_of(account.mail or "")
    if colleagues.get(own):
        colleagues[own] -= 1
    elsewhere = [domain for domain, accounts in colleagues.items() if accounts]
    signs = {
        "no part of the account's name stands before the @": named is False,
        f"the other accounts of {account.company_name} have theirs in {listed(sorted(elsewhere), 3)}": (
            stranger_domain(case.domain, colleagues)
        ),
    }
    found = [sign for sign, present in signs.items() if present]
    return f"The address may be another person's: {', and '.join(found)}." if found else None


@rule(
    "direct-federation",
    Subject.ADDRESS,
    WARN,
    BLOCK,
    facts.FEDERATIONS,
    fix="Convert one person of this partner first and see the redemption work before you go on.",
    legacy_fix=EXCLUDED_IN_2020,
    source=REDEMPTION,
)
def direct_federation(case: Case) -> Result:
    """The partner's domain is set up for SAML/WS-Fed."""
    federated = case.domain in case.facts[facts.FEDERATIONS]
    return f"The domain {case.domain} is set up for direct federation (SAML/WS-Fed)." if federated else None


@rule(
    "home-account-not-entra",
    Subject.ADDRESS,
    WARN,
    BLOCK,
    facts.HOME_TENANT,
    fix="Tell the person what will come: Microsoft mails a one-time passcode to this address, or takes a Microsoft or "
    "another account with it. From then on the internal password no longer signs in.",
    legacy_fix=EXCLUDED_IN_2020,
    source="https://learn.microsoft.com/entra/external-id/one-time-passcode",
    applies=lambda case: case.profile is Profile.CURRENT or not case.synced,
)
def home_account_not_entra(case: Case) -> Result:
    """No Entra tenant owns the partner's domain. Under `2020`, only cloud-only accounts are judged by this."""
    if case.facts[facts.HOME_TENANT] or facts.HOME_TENANT in case.facts.unreadable:
        return None
    return f"No Entra tenant owns {case.domain}: the person redeems with another provider or a one-time passcode."


@rule(
    "address-in-use",
    Subject.ADDRESS,
    BLOCK,
    BLOCK,
    facts.USERS_WITH_ADDRESS,
    facts.DELETED_WITH_ADDRESS,
    facts.CONTACTS_WITH_ADDRESS,
    fix="Look the holder up by object id or by the address (Entra admin center > Users, or > Deleted users). If it is "
    "the same person's guest account, decide which of the two the person keeps. Take the address out of the other's "
    "mail, otherMails and proxyAddresses, or delete that user for good, then retry.",
    source=LIMITS,
)
def address_in_use(case: Case) -> Result:
    """Another user, deleted or not, holds the address. If only a contact holds it, this is a warning."""
    own = case.account.id.lower() if case.account else ""
    holders = {
        "another user": case.facts[facts.USERS_WITH_ADDRESS],
        "a deleted user": case.facts[facts.DELETED_WITH_ADDRESS],
    }
    others = {who: [user for user in users if user != own] for who, users in holders.items()}
    if found := [f"{who} ({listed(users)})" for who, users in others.items() if users]:
        return f"The address is held by {' and by '.join(found)}."
    if contacts := case.facts[facts.CONTACTS_WITH_ADDRESS]:
        return Hit(
            f"An organisational contact holds the address: {listed(contacts)}.",
            WARN,
            "Delete the contact, unless it is needed: while it holds the address, proxyAddresses of the account stays "
            "empty.",
        )
    return None


@rule(
    "address-requested-twice",
    Subject.ADDRESS,
    BLOCK,
    BLOCK,
    facts.RESERVATION,
    fix="Look at both accounts (Entra admin center > Users) and decide which one the person keeps. If it is the other, "
    "leave this one as it is. If it is this one, delete the other for good (Users > Deleted users), then retry.",
    source=INVITATION,
)
def address_requested_twice(case: Case) -> Result:
    """Another account is being converted with the address, or was."""
    holder = case.facts[facts.RESERVATION]
    return f"The account {holder} is being, or was, converted with the same address." if holder else None


@rule(
    "domain-not-allowed",
    Subject.ADDRESS,
    BLOCK,
    OFF,
    facts.DOMAIN_LIST,
    fix="Allow the domain (Entra admin center > External Identities > External collaboration settings > Collaboration "
    "restrictions), then retry.",
    source="https://learn.microsoft.com/entra/external-id/allow-deny-list",
    enforced_by_graph=True,
)
def domain_not_allowed(case: Case) -> Result:
    """The tenant's allow or deny list excludes the domain (Graph beta)."""
    refused = case.facts[facts.DOMAIN_LIST].refuses(case.domain)
    return f"The tenant's collaboration restrictions exclude {case.domain}." if refused else None


@rule(
    "cross-tenant-blocked",
    Subject.ADDRESS,
    REVIEW,
    OFF,
    facts.HOME_TENANT,
    facts.CROSS_TENANT_ACCESS,
    fix="Allow inbound B2B collaboration for this organisation (Entra admin center > External Identities > "
    "Cross-tenant access settings), then send a new request. Approve only if the settings admit this person: Graph "
    "refuses others.",
    refused_fix="Allow inbound B2B collaboration for this organisation or this person (Entra admin center > External "
    "Identities > Cross-tenant access settings), then retry.",
    source=LIMITS,
    enforced_by_graph=True,
    applies=lambda case: case.facts[facts.HOME_TENANT] is not None or facts.HOME_TENANT in case.facts.unreadable,
)
def cross_tenant_blocked(case: Case) -> Result:
    """Cross-tenant access settings restrict the partner."""
    home = case.facts[facts.HOME_TENANT]
    restricted = home is not None and case.facts[facts.CROSS_TENANT_ACCESS].restricts(home)
    return f"Cross-tenant access settings restrict inbound collaboration from {case.domain}." if restricted else None


@rule(
    "group-address",
    Subject.ADDRESS,
    BLOCK,
    BLOCK,
    facts.GROUPS_WITH_ADDRESS,
    fix="Set mail to the person's own address (Update-MgUser -Mail), wait five minutes, then retry: Graph refuses the "
    "address of a group. If the request itself names it, send a new one.",
    legacy_fix="Add the person's own address to otherMails (Update-MgUser -OtherMails), then send a new request that "
    "names it: Graph refuses the address of a group.",
    source=LIMITS,
    sets_address=True,
)
def group_address(case: Case) -> Result:
    """A group of this tenant holds the address."""
    groups = case.facts[facts.GROUPS_WITH_ADDRESS]
    return f"A group holds the address: {listed(groups)}." if groups else None


@rule(
    "mail-domain-differs",
    Subject.ADDRESS,
    WARN,
    REVIEW,
    "mail",
    fix="Set mail to the invited address, or invite the address in mail: Teams and others know people by the domain of "
    "mail.",
    legacy_fix="Set mail to the invited address (a synchronised account's in Active Directory) and send a new request; "
    "or approve, if the person needs no Teams: it knows people by the domain of mail.",
    source=ARTICLE,
)
def mail_domain_differs(case: Case) -> Result:
    """`mail` is in another domain than the invited address."""
    mail = visible(case.account.mail or "") if case.account else ""
    if not mail or domain_of(mail) == case.domain:
        return None
    return f"The account's mail is in {domain_of(mail)}, the invited address in {case.domain}."
