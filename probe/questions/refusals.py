"""Ask which accounts Graph converts. Each account or address differs from an ordinary one in one property."""

from collections.abc import Callable
from uuid import uuid4

from probe.accounts import Account, User
from probe.bench import INVITED, REFUSED, Bench
from probe.calls import ASSIGN_LICENCE, DOMAIN_LISTS, SKUS, Call
from probe.errors import Skipped, Unclear
from probe.facts import SKU_FIELDS, USAGE_LOCATION, blocked_domain, free_mailbox
from probe.graph import Answer
from probe.questions.question import FAILS, HOLDS, INVITES, Question, Reading, belief, either

NO_MATCH = "match any emails"
"""A part of Graph's refusal of an address that the account does not have."""
NOT_FOUND, BAD_REQUEST = 404, 400


def ordinary(bench: Bench) -> Reading:
    """Ask INV-01: whether an ordinary account can be converted."""
    answer = bench.plain().answer
    return either(answer, accepted="holds", refused="fails")


def only_other_mails(bench: Bench) -> Reading:
    """Ask INV-06: whether Graph accepts an address that is only in `otherMails`."""
    address = bench.address()
    account = bench.account(bench.address(), other_mails=[address])
    return either(bench.invite(account, address), accepted="mail-or-other-mails", refused="mail-only")


def other_case(bench: Bench) -> Reading:
    """Ask INV-07: whether Graph compares the address with the account's without regard to case."""
    address = bench.address()
    account = bench.account(address, other_mails=[address])
    return either(bench.invite(account, address.upper()), accepted="ignored", refused="exact")


def verified_domain(bench: Bench) -> Reading:
    """Ask INV-08: whether Graph refuses an address in a verified domain of the tenant."""
    return _in_domain(bench, bench.tenant.default, accepted="fails", refused="holds")


def below_verified_domain(bench: Bench) -> Reading:
    """Ask INV-09: whether Graph refuses an address in a subdomain of a verified domain."""
    return _in_domain(bench, f"b2b-probe.{bench.tenant.default}", accepted="accepted", refused="refused")


def odd_character(bench: Bench) -> Reading:
    """Ask INV-11: in which words Graph refuses a plus sign. Only the refusal itself is documented."""
    local, _, domain = bench.address().rpartition("@")
    address = f"{local}+x@{domain}"
    answer = bench.invite(bench.account(address, other_mails=[address]))
    if answer.status not in REFUSED:
        return Reading((), answer)
    return Reading(("generic" if answer.message == "Invalid request input." else "descriptive",), answer)


def only_mail(bench: Bench) -> Reading:
    """Ask INV-12: whether it is enough that `mail` holds the address.

    The first article wanted the address of a cloud-only account in `otherMails`.
    """
    return either(bench.invite(bench.account(bench.address())), accepted="current", refused="2020")


def mailbox(bench: Bench) -> Reading:
    """Ask INV-13: whether an account with a mailbox can be converted.

    The account gets a free licence, which becomes free again when the account is removed.
    """
    sku = free_mailbox(bench.ask(SKUS, query={"$select": SKU_FIELDS}))
    address = bench.address()
    account = bench.account(address, other_mails=[address], usageLocation=USAGE_LOCATION)
    licence = {"skuId": sku.id, "disabledPlans": list(sku.other_plans)}
    given = bench.ask(ASSIGN_LICENCE, id=account.id, body={"addLicenses": [licence], "removeLicenses": []})
    if not given.good:
        raise Skipped(f"a licence with a mailbox could not be given: {given.short}")
    if not bench.accounts.has_plan(account, sku.mailbox_plan):
        raise Unclear("the plan with the mailbox did not become active in time")
    answer = bench.invite(account)
    if NO_MATCH in answer.message:
        raise Unclear(
            "Exchange has replaced the account's address, so the refusal says nothing about the mailbox", answer
        )
    return either(answer, accepted="accepted", refused="refused")


def blocked_by_list(bench: Bench) -> Reading:
    """Ask INV-23: how Graph refuses a domain that the tenant's list of domains excludes."""
    domain = blocked_domain(bench.ask(DOMAIN_LISTS, every_page=True))
    address = f"{bench.accounts.new_name()}@{domain}"
    answer = bench.invite(bench.account(address, other_mails=[address]))
    if answer.status == INVITED:
        return Reading((), answer)
    return either(answer, accepted="", refused="bad-request" if answer.status == BAD_REQUEST else "forbidden")


def held_address(bench: Bench) -> Reading:
    """Ask INV-25: whether Graph's refusal names the account that holds the address.

    If it does, the app can tell an administrator which account to change.
    """
    invited, holder = _two_with_one_address(bench)
    answer = bench.invite(invited)
    named = holder.id in answer.message
    return either(answer, accepted="accepted", refused="refused" if named else "refused-in-words-of-the-portal")


def held_by_deleted(bench: Bench) -> Reading:
    """Ask INV-26: whether Graph refuses an address that a deleted account holds."""
    invited, holder = _two_with_one_address(bench)
    bench.accounts.delete(holder)
    return either(bench.invite(invited), accepted="ignored", refused="refused")


def disabled(bench: Bench) -> Reading:
    """Ask INV-27: whether a disabled account can be converted."""
    address = bench.address()
    account = bench.account(address, other_mails=[address], accountEnabled=False)
    return either(bench.invite(account), accepted="accepted", refused="refused")


def nobody(bench: Bench) -> Reading:
    """Ask INV-31: how Graph answers an invitation for an object id that does not exist."""
    answer = bench.send(str(uuid4()), bench.address())
    if answer.status == INVITED:
        named = answer.body["invitedUser"]["id"]
        bench.accounts.adopt_guest(named, answer.body["invitedUserEmailAddress"])
        return Reading((), answer)
    return either(answer, accepted="", refused="not-found" if answer.status == NOT_FOUND else "bad-request")


def two_copies(bench: Bench) -> Reading:
    """Ask INV-33: whether Graph accepts two recipients of a copy.

    This is the only question that sends mail. The mail goes to the operator's own addresses.
    """
    if len(bench.addresses) < 2:  # noqa: PLR2004 - two copies
        raise Skipped("it takes a second --address that a copy may go to")
    second = bench.addresses[1]
    account = bench.account(second, other_mails=[second])
    copies = [{"emailAddress": {"address": address}} for address in bench.addresses[:2]]
    answer = bench.invite(account, sendInvitationMessage=True, invitedUserMessageInfo={"ccRecipients": copies})
    return either(answer, accepted="first-only", refused="refused")


def untouched(bench: Bench) -> Reading:
    """Ask INV-02: whether id, name and `userType` stay as they were while the invitation is pending."""
    plain = bench.control()
    user = _read(bench)
    same = (user["id"], user["userPrincipalName"], user["userType"]) == (plain.account.id, plain.account.name, "Member")
    return belief(same and user["creationType"] is None, plain.answer)


def _read(bench: Bench) -> User:
    user = bench.accounts.read(bench.control().account)
    if user is None:
        raise Unclear("the account could not be read")
    return user


def _in_domain(bench: Bench, domain: str, *, accepted: str, refused: str) -> Reading:
    address = f"{bench.accounts.new_name()}@{domain}"
    answer: Answer = bench.invite(bench.account(address, other_mails=[address]))
    return either(answer, accepted=accepted, refused=refused)


def _two_with_one_address(bench: Bench) -> tuple[Account, Account]:
    """Return two new accounts with one address. The second has the address of the first in `otherMails`."""
    address = bench.address()
    invited = bench.account(address, other_mails=[address])
    return invited, bench.account(bench.address(), other_mails=[address])


EITHER = ("accepted", "refused")


def _question(  # noqa: PLR0913 - a row of the table
    identifier: str,
    asks: str,
    ask: Callable[[Bench], Reading],
    switch: str | None = None,
    positions: tuple[str, ...] = (HOLDS, FAILS),
    *,
    calls: tuple[Call, ...] = INVITES,
    accounts: int = 1,
    mails: int = 0,
    licences: int = 0,
) -> Question:
    """Return a question that makes sense only if an ordinary account can be converted."""
    return Question(
        identifier,
        asks,
        ask,
        calls,
        switch,
        positions,
        control=True,
        accounts=accounts,
        mails=mails,
        licences=licences,
    )


QUESTIONS = (
    Question("INV-01", "An invitation with an account's id converts it", ordinary, INVITES),
    _question("INV-02", "Id, name and userType stay while it is pending", untouched, accounts=0),
    _question(
        "INV-06",
        "An address in otherMails alone is enough",
        only_other_mails,
        "address-match",
        ("mail-or-other-mails", "mail-only"),
    ),
    _question("INV-07", "Case makes no difference in the address", other_case, "address-case", ("ignored", "exact")),
    _question("INV-08", "An address in a verified domain is refused", verified_domain),
    _question("INV-09", "So is one below it", below_verified_domain, "verified-subdomain", EITHER),
    _question(
        "INV-11",
        "A refusal without a known text reads 'Invalid request input.'",
        odd_character,
        "refusal-text",
        ("generic", "descriptive"),
    ),
    _question(
        "INV-12",
        "An address in mail alone is enough, as today's article says",
        only_mail,
        "tenant-version",
        ("current", "2020"),
    ),
    _question(
        "INV-13",
        "An account with a mailbox is converted",
        mailbox,
        "mailbox-account",
        EITHER,
        calls=(*INVITES, SKUS, ASSIGN_LICENCE),
        licences=1,
    ),
    _question(
        "INV-23",
        "The refusal by the list of domains is a 403",
        blocked_by_list,
        "domain-list-refusal",
        ("forbidden", "bad-request"),
        calls=(*INVITES, DOMAIN_LISTS),
    ),
    _question(
        "INV-25",
        "An address that another account holds is refused, and the answer names that account's object id",
        held_address,
        "held-address",
        (*EITHER, "refused-in-words-of-the-portal"),
        accounts=2,
    ),
    _question(
        "INV-26",
        "A deleted account that holds the address does not stand in the way",
        held_by_deleted,
        "deleted-holder",
        ("ignored", "refused"),
        accounts=2,
    ),
    _question("INV-27", "A disabled account is refused", disabled, "disabled-account", EITHER),
    _question(
        "INV-31", "The id of no account is a 404", nobody, "unknown-account", ("not-found", "bad-request"), accounts=0
    ),
    _question(
        "INV-33",
        "A second copy of the invitation mail is refused",
        two_copies,
        "several-cc-recipients",
        ("refused", "first-only"),
        mails=1,
    ),
)
