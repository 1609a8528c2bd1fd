"""Ask how Graph reads: how filters compare text, how lists are cut into pages, and what deleted accounts look like."""

from datetime import timedelta

from probe.bench import Bench
from probe.calls import BATCH, ELIGIBLE_ROLES, FEDERATIONS, LIST_USERS, READ_DELETED
from probe.errors import Skipped, Unclear
from probe.graph import EXPIRED_PAGE, Answer, next_query
from probe.questions.question import MAKES, Question, Reading

PAGE = 2
PAGES = 20
BATCHES = 3
MISSES = 5


def page_shape(bench: Bench) -> Reading:
    """Ask READ-05: whether a page that is not full can have a next page."""
    if bench.tenant.users <= PAGE:
        raise Skipped("the tenant has too few users for a second page")
    first = query = {"$select": "id", "$top": str(PAGE)}
    for _ in range(PAGES):
        answer = bench.ask(LIST_USERS, query=query)
        if answer.code == EXPIRED_PAGE:
            query = first
            continue
        _good(answer)
        link = answer.body.get("@odata.nextLink")
        if link is None:
            return Reading(("full",), answer)
        if len(answer.body["value"]) < PAGE:
            return Reading(("short",), answer)
        query = next_query(link)
    return Reading(("full",), answer)


def filter_case(bench: Bench) -> Reading:
    """Ask READ-10: whether a filter ignores upper and lower case."""
    account = bench.account(bench.address())
    return _compared(bench, account.id, f"mail eq '{account.mail}'", f"mail eq '{account.mail.upper()}'")


def proxy_case(bench: Bench) -> Reading:
    """Ask READ-11: whether a filter ignores the case of `smtp:` in `proxyAddresses`."""
    account = bench.account(bench.address())
    upper, lower = (f"proxyAddresses/any(p:p eq '{kind}:{account.mail}')" for kind in ("SMTP", "smtp"))
    return _compared(bench, account.id, upper, lower)


def deleted_name(bench: Bench) -> Reading:
    """Ask READ-17: whether the name of a deleted account has its id in front."""
    account = bench.account(bench.address())
    bench.accounts.delete(account)
    answer = bench.ask(READ_DELETED, id=account.id, query={"$select": "id,userPrincipalName"})
    for _ in range(10):
        if answer.good:
            break
        bench.clock.sleep(2)
        answer = bench.ask(READ_DELETED, id=account.id, query={"$select": "id,userPrincipalName"})
    name = str(_good(answer).body["userPrincipalName"])
    if name == account.name:
        return Reading(("kept",), answer)
    prefixed = name == account.id.replace("-", "") + account.name
    return Reading(("prefixed",) if prefixed else (), answer)


def eligible_roles(bench: Bench) -> Reading:
    """Ask FACT-10: whether the tenant has the licence that listing eligible roles needs."""
    answer = bench.ask(ELIGIBLE_ROLES, query={"$top": "1", "$select": "id"})
    if answer.good:
        return Reading(("present",), answer)
    return Reading(("absent",) if answer.code == "AadPremiumLicenseRequired" else (), answer)


def federated_domains(bench: Bench) -> Reading:
    """Ask FACT-14: whether identity providers of partners show their domains without `$expand`."""
    answer = _good(bench.ask(FEDERATIONS, every_page=True))
    if not answer.body["value"]:
        raise Skipped("the tenant has no identity provider of a partner (SAML or WS-Fed)")
    shown = all("domains" in federation for federation in answer.body["value"])
    return Reading(("always" if shown else "expanded-only",), answer)


def batch_order(bench: Bench) -> Reading:
    """Ask BATCH-04: whether the parts of a batch may come back in another order.

    One answer in another order proves that they may. Answers in the same order prove nothing, because any order is
    legal.
    """
    names = [str(number) for number in range(5)]
    parts = [{"id": name, "method": "GET", "url": "/users?$top=1&$select=id"} for name in names]
    for _ in range(BATCHES):
        answer = _good(bench.ask(BATCH, body={"requests": parts}))
        if [part["id"] for part in answer.body["responses"]] != names:
            return Reading(("reversed",), answer)
    return Reading(("as-sent",), answer)


def _compared(bench: Bench, identifier: str, exact: str, other: str) -> Reading:
    """Tell whether a filter in another case finds the account that the exact filter finds.

    Lists lag, and replicas answer in turn. So a filter in another case counts as a miss only while the exact one hits.

    Raises:
        Unclear: the list did not show the new account in time.

    """
    begun, missed = bench.clock.now(), 0
    while bench.clock.now() - begun < timedelta(seconds=bench.patience):
        hit, _ = _finds(bench, identifier, exact)
        if not hit:
            missed = 0
        else:
            bench.meter.took("list", (bench.clock.now() - begun) / timedelta(seconds=1))
            also, answer = _finds(bench, identifier, other)
            missed += not also
            if also or missed == MISSES:
                return Reading(("ignored" if also else "exact",), answer)
        bench.clock.sleep(1)
    raise Unclear("the list did not show a new account in time")


def _finds(bench: Bench, identifier: str, condition: str) -> tuple[bool, Answer]:
    answer = _good(bench.ask(LIST_USERS, every_page=True, query={"$filter": condition, "$select": "id"}))
    return any(user["id"] == identifier for user in answer.body["value"]), answer


def _good(answer: Answer) -> Answer:
    if not answer.good:
        raise Unclear(f"the service answered {answer.short}", answer)
    return answer


LISTED = (*MAKES, LIST_USERS)
QUESTIONS = (
    Question("READ-05", "Pages are full", page_shape, (LIST_USERS,), "page-shape", ("full", "short")),
    Question(
        "READ-10",
        "Filters do not tell upper from lower case",
        filter_case,
        LISTED,
        "filter-case",
        ("ignored", "exact"),
        accounts=1,
    ),
    Question(
        "READ-11",
        "That holds for the smtp: of a proxy address as well",
        proxy_case,
        LISTED,
        "proxy-address-case",
        ("ignored", "exact"),
        accounts=1,
    ),
    Question(
        "READ-17",
        "A deleted account's name has its id in front",
        deleted_name,
        MAKES,
        "deleted-upn",
        ("prefixed", "kept"),
        accounts=1,
    ),
    Question(
        "FACT-10",
        "The tenant can list eligible roles",
        eligible_roles,
        (ELIGIBLE_ROLES,),
        "eligibility-licence",
        ("present", "absent"),
    ),
    Question(
        "FACT-14",
        "Identity providers show their domains only when expanded",
        federated_domains,
        (FEDERATIONS,),
        "federated-domains",
        ("expanded-only", "always"),
    ),
    Question(
        "BATCH-04",
        "The parts of a batch come back in another order",
        batch_order,
        (BATCH, LIST_USERS),
        "batch-order",
        ("reversed", "as-sent"),
    ),
)
