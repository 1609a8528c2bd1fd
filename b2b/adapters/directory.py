"""Read facts about accounts and the tenant from Graph. `b2b.domain.eligibility.facts` defines the facts."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx

from b2b.adapters.batch import Answer, Call, unlicensed
from b2b.adapters.graph import FORBIDDEN, NOT_FOUND, Graph
from b2b.domain.account import PENDING, STATE, Account, from_graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Ask, Fact, Facts, Values
from b2b.domain.eligibility.facts import AskedAbout
from b2b.domain.errors import GRAPH, AccessDenied, Transient
from b2b.domain.readings import NotReadable, NotThere
from b2b.domain.request import InvitedUser

EVENTUAL = {"ConsistencyLevel": "eventual"}
OWN_TROUBLE = frozenset({400, 500, 502})
LASTING = frozenset({400, 402, 405, 406, 410, 411, 412, 413, 414, 415, 416, 421, 422, 426, 428, 431, 451})
"""Status codes that a repeated read would get again. A throttle, a refused token, a conflict or a lock passes."""
PENDING_ACCOUNTS = Call(f"/users?$filter=externalUserState eq '{PENDING}'&$select=id&$top=999")
"""A plain query. With the header of advanced queries, Graph would answer from an index that lags further behind."""
NOBODY = "00000000-0000-0000-0000-000000000000"


class Directory:
    """Reads facts. A question is a fact and its subject: a selector, an account's id, an address or a domain."""

    def __init__(self, graph: Graph) -> None:
        """Use a Graph client."""
        self._graph = graph

    async def read(self, questions: Mapping[Fact[Any], AskedAbout]) -> Facts:
        """Answer all questions in as few round trips as `$batch` allows.

        A fact is `NotReadable` if the app lacks its permission, or if Graph refuses its question for good. A fact is
        `NotThere` if its object does not exist.

        Raises:
            Transient: Graph throttles, is down, or does not show its own writes yet.
            AccessDenied: the app may not read accounts, so nothing can be decided.

        """
        return await self._answered(questions, LASTING)

    async def granted(self, user_id: str, wanted: Iterable[Fact[Any]]) -> Facts:
        """Read an account by its id, with facts about it. If one fact cannot be read, the others are read all the same.

        Raises:
            Transient: Graph throttles, is down, or refuses to read the account itself. Try again later.
            AccessDenied: the app may not read accounts.

        """
        questions: dict[Fact[Any], AskedAbout] = {facts.ACCOUNT: InvitedUser(id=user_id)}
        known = await self._answered(questions | dict.fromkeys(wanted, user_id), LASTING | OWN_TROUBLE)
        if facts.ACCOUNT in known.unreadable:
            raise Transient(GRAPH, f"the account {user_id} cannot be read")
        return known

    async def _answered(self, questions: Mapping[Fact[Any], AskedAbout], refusals: frozenset[int]) -> Facts:
        """Answer questions. If Graph answers a question with a status in ``refusals``, only its fact is unreadable."""
        calls = {fact: _calls(fact, subject) for fact, subject in questions.items()}
        answers = iter(await self._graph.read([call for group in calls.values() for call in group], refusals))
        found: dict[Fact[Any], Any] = {}
        for fact, group in calls.items():
            answered = [next(answers) for _ in group]
            found |= {row: _answer(row, answered, refusals) for row in facts.FACTS if fact in (row, row.comes_with)}
        if found.get(facts.ACCOUNT) == NotReadable():
            raise _no_accounts()
        return Facts(found)

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read many accounts by id. The value is None if an account does not exist; an unreadable account has no entry.

        One unreadable account does not fail the others. An account counts as unreadable if the answer leaves out its
        `externalUserState`, because such an account would look like an internal one.

        Raises:
            AccessDenied: the app may not read accounts.

        """
        answers = await self._graph.read([_user(user_id) for user_id in user_ids], OWN_TROUBLE)
        if any(answer.status == FORBIDDEN for answer in answers):
            raise _no_accounts()
        found: dict[str, Account | None] = {}
        for user_id, answer in zip(user_ids, answers, strict=True):
            if answer.status == NOT_FOUND:
                found[user_id] = None
            elif answer.status not in OWN_TROUBLE:
                with suppress(ValueError):
                    account = from_graph(answer.body)
                    found |= {} if STATE in account.withheld else {user_id: account}
        return found

    async def deleted(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Return the ids of those accounts that are in the recycle bin.

        Raises:
            AccessDenied: the app may not read the recycle bin, so it cannot know whether an account is in it.

        """
        calls = [_calls(facts.DELETED_ACCOUNT, user_id)[0] for user_id in user_ids]
        answers = await self._graph.read(calls)
        if any(answer.status == FORBIDDEN for answer in answers):
            raise AccessDenied(GRAPH, f"the recycle bin cannot be read without {facts.DELETED_ACCOUNT.permission}")
        return frozenset(
            user_id for user_id, answer in zip(user_ids, answers, strict=True) if answer.status == httpx.codes.OK
        )

    async def pending(self) -> AsyncIterator[list[str]]:
        """Yield the object ids of all accounts in the tenant that wait for their redemption, page by page.

        Raises:
            Transient: the list broke off. An account that is not on the pages so far may still be pending.
            AccessDenied: the app may not read accounts.

        """
        async for page in self._graph.pages(PENDING_ACCOUNTS):
            try:
                yield [str(account["id"]).lower() for account in page]
            except (KeyError, TypeError) as error:
                raise Transient(GRAPH, "a list of accounts cannot be read") from error

    async def check(self) -> None:
        """Ask Graph for an object id that no account has. "Not found" shows that Graph answers and the app may read.

        Raises:
            AccessDenied: the app may not read accounts.

        """
        (answer,) = await self._graph.read([_user(NOBODY)])
        if answer.status == FORBIDDEN:
            raise _no_accounts()


def _no_accounts() -> AccessDenied:
    return AccessDenied(GRAPH, f"accounts cannot be read without {facts.ACCOUNT.permission}")


def _calls(fact: Fact[Any], subject: AskedAbout) -> list[Call]:
    """Return the calls whose placeholders the subject fills. A selector fills the placeholder for its kind of name."""
    values: Values
    if isinstance(subject, InvitedUser):
        values = facts.selector(subject)
    else:
        values = {} if subject is None else {fact.about.value: subject}
    return [_call(ask, values) for ask in fact.asks if ask.placeholders <= values.keys()]


def _call(ask: Ask, values: Values) -> Call:
    return Call(ask.url(values), EVENTUAL if ask.advanced else {}, ask.beta)


def _user(user_id: str) -> Call:
    (call,) = _calls(facts.ACCOUNT, InvitedUser(id=user_id))
    return call


def _answer(fact: Fact[Any], answers: list[Answer], refusals: frozenset[int]) -> Any:
    statuses = {answer.status for answer in answers}
    if FORBIDDEN in statuses:
        return NotReadable()
    if NOT_FOUND in statuses:
        if not fact.may_be_absent:
            raise Transient(GRAPH, f"nothing is there to read {fact.name} from")
        return NotThere()
    if any(unlicensed(answer.body) for answer in answers):
        if not fact.licensed:
            raise Transient(GRAPH, f"{fact.name} needs a licence that the tenant lacks")
        return fact.default
    if refused := next((answer for answer in answers if answer.status in refusals), None):
        error = refused.body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        return NotReadable(f"Graph answers {refused.status} {code or ''}".rstrip())
    if fact.read is None:
        raise ValueError(f"{fact.name} is not read from Graph")
    try:
        return fact.read([answer.body for answer in answers])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Transient(GRAPH, f"the answer for {fact.name} cannot be read: {type(error).__name__}") from error
