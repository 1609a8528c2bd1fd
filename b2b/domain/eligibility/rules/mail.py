"""Rules about the account's own addresses, and about a mailbox that it may have."""

from b2b.domain.characters import shown, unseen, visible
from b2b.domain.eligibility import address as addresses
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.address import domain_of
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.rule import ARTICLE, ORIGINAL, Hit, Result, Subject, rule
from b2b.domain.eligibility.wording import listed
from b2b.domain.findings import Profile, Severity
from b2b.domain.service_plans import PlanKind

BLOCK, REVIEW, FIX, WARN, OFF = Severity.BLOCK, Severity.REVIEW, Severity.FIX, Severity.WARN, Severity.OFF
ANEW = "delete the internal account and invite the person anew; a new guest has none of its groups and apps"
SET_MAIL = "Set mail to the person's external address (Update-MgUser -Mail), wait five minutes, then retry."
SET_OTHER_MAILS = (
    "Add the person's external address to otherMails (Update-MgUser -OtherMails), wait five minutes, then retry."
)
MAIL = ("mail", "otherMails", "onPremisesSyncEnabled")


@rule(
    "no-external-address",
    Subject.ACCOUNT,
    FIX,
    BLOCK,
    *MAIL,
    fix=f"{SET_MAIL} To name the address in the request alone does not help: it has to be the account's mail.",
    legacy_fix=SET_OTHER_MAILS,
    source=ARTICLE,
    sets_address=True,
    pinned=True,
    applies=lambda case: not case.request.invited_user_email_address,
)
def no_external_address(case: Case) -> Result:
    """Neither the request nor the account has an address."""
    if case.address or set(MAIL) & set(case.user.withheld):
        return None
    return f"The request names no address and the account's {_where(case)} is empty."


@rule(
    "address-not-on-account",
    Subject.ACCOUNT,
    FIX,
    BLOCK,
    *MAIL,
    fix=f"{SET_MAIL} If mail is right and the request is not, send a new request with that address.",
    legacy_fix=f"{SET_OTHER_MAILS} If otherMails is right and the request is not, send a new request with an address "
    "that is in it.",
    refused_fix="The address stands on the account, and Graph did not find it there. Put it into both mail and "
    "otherMails (Update-MgUser -Mail -OtherMails), wait five minutes, then retry.",
    source=ARTICLE,
    sets_address=True,
)
def address_not_on_account(case: Case) -> Result:
    """The address is not the account's `mail` or, for a cloud-only account under `2020`, not in its `otherMails`."""
    own = addresses.own_addresses(case.user, case.profile)
    named = case.address
    if named is None or named.lower() in {text.lower() for text in own} or set(MAIL) & set(case.user.withheld):
        return None
    for text in own:
        if visible(text).lower() == named.lower() and (strange := unseen(text)):
            said = f"The account's {_where(case)} holds the character {shown(strange)}, the invited address does not."
            return Hit(said, fix=typed_anew(case))
    return f"The invited address is not {'the' if _where(case) == 'mail' else 'among the'} account's {_where(case)}."


def _where(case: Case) -> str:
    return "otherMails" if case.profile is Profile.LEGACY and not case.synced else "mail"


def typed_anew(case: Case) -> str:
    """Return the fix for an invisible character in an address: to type the address instead of pasting it."""
    if case.request.invited_user_email_address and unseen(case.request.invited_user_email_address):
        return "Send a new request with the address typed anew: that character came along from another document."
    there = " in Active Directory" if case.synced else ""
    first = f"Type {_where(case)} of the account anew{there}, wait five minutes, then retry:"
    return f"{first} that character came along from another document."


@rule(
    "address-ambiguous",
    Subject.ACCOUNT,
    OFF,
    REVIEW,
    "otherMails",
    facts.DOMAINS,
    fix="Send a new request that names the right address. Approve only if the first one in otherMails is right: the "
    "invitation goes to it, and with it the account.",
    source=ORIGINAL,
    applies=lambda case: not case.request.invited_user_email_address and not case.synced,
)
def address_ambiguous(case: Case) -> Result:
    """There are several external `otherMails` and the request names none."""
    own = case.facts[facts.DOMAINS].own
    external = [mail for mail in case.user.other_mails or () if not own(domain_of(mail))]
    if len(external) <= 1:
        return None
    return f"The account has {len(external)} external addresses in otherMails, and the request names none."


@rule(
    "exchange-mailbox",
    Subject.ACCOUNT,
    BLOCK,
    BLOCK,
    "assignedPlans",
    fix="Save what the mailbox holds and remove the licence with the Exchange plan (Microsoft 365 admin center > "
    "Active users). When the mailbox is gone, set mail to the external address, then retry: B2B users with a mailbox "
    "are not supported.",
    legacy_fix="Remove the licence with the Exchange plan (Microsoft 365 admin center > Active users) and retry when "
    f"the mailbox is gone; or {ANEW}.",
    source=ARTICLE,
)
def exchange_mailbox(case: Case) -> Result:
    """The account has a service plan that includes a mailbox, by plan id. EXCHANGE_S_FOUNDATION includes none."""
    account = case.user
    if not account.has_mailbox:
        return None
    found = "The account has an Exchange plan with a mailbox"
    if not account.licence_groups:
        return f"{found}."
    groups = listed(account.licence_groups)
    also = " or to the account itself" if account.licensed_directly else ""
    return Hit(
        f"{found}; its licences come through a group: {groups}.",
        fix=f"Find out which licence holds the Exchange plan: it was given through {groups}{also}. Take the account "
        "out of that group, for an inherited licence cannot be removed from the account itself. When the mailbox is "
        + (
            "gone, set mail to the external address, then retry."
            if case.profile is Profile.CURRENT
            else f"gone, retry; or {ANEW}."
        ),
    )


@rule(
    "possible-mailbox",
    Subject.ACCOUNT,
    WARN,
    WARN,
    "assignedPlans",
    "proxyAddresses",
    facts.DOMAINS,
    fix="Look the account up in the Exchange admin center (Recipients). If it is a mailbox, do not convert it: B2B "
    "users with a mailbox are not supported.",
    source=ARTICLE,
)
def possible_mailbox(case: Case) -> Result:
    """No plan includes a mailbox, but the primary proxy address is in a verified domain: perhaps a shared mailbox.

    The project's own judgement: no property in Graph marks such a mailbox.
    """
    if not case.unlicensed_mailbox:
        return None
    domain = domain_of(case.user.primary_address or "")
    return f"The account has no plan with a mailbox, but its primary address is in {domain}: perhaps a shared mailbox."


@rule(
    "unknown-exchange-plan",
    Subject.ACCOUNT,
    WARN,
    REVIEW,
    "assignedPlans",
    fix="Look in the Exchange admin center whether the account has a mailbox or an archive, and save what it holds: it "
    "cannot be reached after the conversion.",
    legacy_fix="Look in the Exchange admin center what the archive holds and save it: it cannot be reached after the "
    "conversion. Then approve; or remove the plan and send a new request.",
    source="https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference",
)
def unknown_exchange_plan(case: Case) -> Result:
    """The account has an Exchange archive plan, or an Exchange plan that may include a mailbox (always a warning)."""
    plans = case.user.exchange_plans
    if PlanKind.ARCHIVE in plans:
        return "The account has an Exchange archive plan."
    if PlanKind.UNKNOWN in plans:
        return Hit("The account has an Exchange plan of which it is not known whether it brings a mailbox.", WARN)
    return None
