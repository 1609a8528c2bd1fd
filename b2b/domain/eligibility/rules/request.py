"""Rules about the request itself. They are asked even if there is no account."""

from b2b.domain.characters import unseen
from b2b.domain.eligibility import address as addresses
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.address import domain_of
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.rule import INVITATION, LIMITS, USER, Hit, Result, Subject, rule
from b2b.domain.eligibility.rules.mail import typed_anew
from b2b.domain.eligibility.wording import listed
from b2b.domain.findings import Severity

BLOCK, REVIEW, WARN, INFO = Severity.BLOCK, Severity.REVIEW, Severity.WARN, Severity.INFO

NOT_TAKEN = "Graph takes no plus sign, apostrophe or accent in an invited address, and no part that is too long."


@rule(
    "account-not-found",
    Subject.REQUEST,
    BLOCK,
    BLOCK,
    facts.ACCOUNT,
    fix="Look the account up in the Entra admin center (Users) and send a new request with its object id.",
    source=USER,
    pinned=True,
)
def account_not_found(case: Case) -> Result:
    """The directory has no such account, or only in the recycle bin."""
    if case.facts[facts.ACCOUNT] or facts.ACCOUNT in case.facts.unreadable:
        return None
    if case.facts[facts.DELETED_ACCOUNT]:
        return Hit(
            "The account was deleted and lies in the recycle bin.",
            fix="Restore it in the Entra admin center (Users > Deleted users), then retry.",
        )
    if case.request.invited_user.mail:
        return Hit(
            "No account holds this address in mail or otherMails.",
            fix="Name the account by its object id or user principal name: aliases (proxyAddresses) are not looked up.",
        )
    if case.request.invited_user.id:
        return Hit(
            "The directory has no account with this object id.",
            fix="Compare the object id with the one in the Entra admin center (Users > the account > Overview), and "
            "send a new request with that. An account that was made anew has another one.",
        )
    return "The directory has no account with this user principal name."


@rule(
    "account-ambiguous",
    Subject.REQUEST,
    BLOCK,
    BLOCK,
    fix="Send a new request with the object id of the right account.",
    source=USER,
    pinned=True,
)
def account_ambiguous(case: Case) -> Result:
    """Several accounts hold the `mail` of the request."""
    found = len(case.facts[facts.ACCOUNT])
    return f"{found} accounts hold this address in mail or otherMails." if found > 1 else None


@rule(
    "address-characters",
    Subject.REQUEST,
    BLOCK,
    BLOCK,
    fix=f"Ask the person for another address, set it as mail of the account, then send a new request. {NOT_TAKEN}",
    legacy_fix="Ask the person for another address, put it into otherMails of the account, then send a new request "
    f"that names it. {NOT_TAKEN}",
    source=INVITATION,
    pinned=True,
)
def address_characters(case: Case) -> Result:
    """The address is too long, or holds a character that Graph does not accept, such as the plus sign."""
    found = addresses.problem(case.address) if case.address else None
    if found is None:
        return None
    pasted = unseen(case.address or "") is not None
    return Hit(f"The address cannot be invited: {found}.", fix=typed_anew(case) if pasted else None)


@rule(
    "custom-message-dropped",
    Subject.REQUEST,
    WARN,
    WARN,
    fix="Leave customizedMessageBody out. For words of your own, set sendInvitationMessage to false and send your own "
    "mail with the sign-in address (links.signIn of GET /api/requests/{requestId}).",
    source=LIMITS,
)
def custom_message_dropped(case: Case) -> Result:
    """The request has a custom message, which is not sent."""
    info = case.request.invited_user_message_info
    if info is None or info.customized_message_body is None:
        return None
    return (
        "The app does not send customizedMessageBody: Microsoft drops it from invitations by an application, and it "
        "would make Graph ignore messageLanguage."
    )


@rule(
    "copy-recipient",
    Subject.REQUEST,
    REVIEW,
    REVIEW,
    facts.DOMAINS,
    fix="Send a new request without the copy. Approve only if that recipient may take over the account: the link in "
    "the mail opens it. To allow the domain for good, name it in B2B_ALLOWED_COPY_DOMAINS, and your own domains beside "
    "it: the setting replaces them.",
    source="https://learn.microsoft.com/graph/api/resources/invitedusermessageinfo",
    applies=lambda case: case.send_message and case.copies != (),
)
def copy_recipient(case: Case) -> Result:
    """A copy of the mail goes outside `B2B_ALLOWED_COPY_DOMAINS`, by default the tenant's verified domains.

    The project's own judgement: Microsoft's page does not say that the link in the copy opens the account.
    """
    allowed, own = case.wishes.copy_domains, case.facts[facts.DOMAINS]
    if not allowed and facts.DOMAINS in case.facts.unreadable:
        return None
    domains = {domain_of(address) for address in case.copies}
    outside = sorted(domain for domain in domains if not (domain in allowed if allowed else own.own(domain)))
    if not outside:
        return None
    where = "B2B_ALLOWED_COPY_DOMAINS" if allowed else "the tenant's verified domains"
    return f"A copy of the mail, with the link, goes to {', '.join(outside)}, outside {where}."


@rule(
    "sponsor-unusable",
    Subject.REQUEST,
    BLOCK,
    BLOCK,
    facts.SPONSORING_USERS,
    facts.SPONSORING_GROUPS,
    fix="Send a new request without these ids, or with the object ids of the right users or groups (Entra admin "
    "center > Users, or > Groups).",
    source=INVITATION,
    enforced_by_graph=True,
    applies=lambda case: case.sponsors != (),
)
def sponsor_unusable(case: Case) -> Result:
    """A sponsor is neither a user nor a group. If a sponsor is a disabled user, this is a warning."""
    users, groups = case.facts[facts.SPONSORING_USERS], case.facts[facts.SPONSORING_GROUPS]
    unknown = [sponsor for sponsor in case.sponsors if sponsor not in users and sponsor not in groups]
    if unknown and not {facts.SPONSORING_USERS, facts.SPONSORING_GROUPS} & case.facts.unreadable.keys():
        return f"No user and no group of this tenant has the object id of this sponsor: {listed(unknown)}."
    if disabled := [sponsor for sponsor in case.sponsors if users.get(sponsor) is False]:
        return Hit(
            f"This sponsor may not sign in: {listed(disabled)}.",
            WARN,
            "Name a sponsor who can answer for the person in a new request, or change the sponsors of the account "
            "after the conversion: this one cannot sign in.",
        )
    return None


@rule(
    "message-suppressed",
    Subject.REQUEST,
    INFO,
    INFO,
    fix="Send the person this address yourself.",
    source=INVITATION,
)
def message_suppressed(case: Case) -> Result:
    """Microsoft sends no mail for this request: tell the person yourself."""
    if case.send_message:
        return None
    return f"Microsoft sends no mail for this request. The person redeems by signing in at {case.sign_in}"
