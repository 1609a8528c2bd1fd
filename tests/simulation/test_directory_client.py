"""The Graph client in memory: it raises the errors of the SDK, sends every call through the gate, and refuses what it
does not know.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from b2b.adapters.batch import Call as Read
from b2b.adapters.batch import request_body
from b2b.adapters.directory import EVENTUAL
from b2b.adapters.graph import Graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.request import InvitedUser
from tests.adapters.graph_support import Credential, Outcome, Wire, graph_over, json_response, refusal
from tests.rehearsal.tenant_support import ANNA, BEN, SEED
from tests.simulation.directory_asking import PENDING_LIST, Client, Failed, account, ask, invite, state
from tests.simulation.directory_contract import MemoryWorld, World, both, http_world
from tests.simulation.gate import Call
from tests.simulation.graph_client import ROOT

T = TypeVar("T")

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EVE = "0a000000-0000-4000-8000-000000000009"
QUESTIONS: dict[Fact[Any], Any] = {facts.ACCOUNT: InvitedUser(id=ANNA), facts.MEMBERSHIPS: ANNA}


@dataclass
class Watch:
    """A gate that records calls and delays them. It can make every call fail, or replace its answer."""

    failing: str | None = None
    after: bool = False
    replaced: str | None = None
    calls: list[Call] = field(default_factory=list)
    hold_up: Callable[[], None] = lambda: None

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:
        self.calls.append(call)
        self.hold_up()
        if self.replaced is not None:
            return effect.replaced(self.replaced)  # type: ignore[attr-defined, no-any-return]
        if self.failing is None:
            return effect()
        if self.after:
            effect()
        raise failure(self.failing)


class Here(MemoryWorld):
    """A directory in memory, with a client that sends through a gate."""

    def __init__(self, gate: Watch | None = None, switches: dict[str, str] | None = None) -> None:
        self.gate = gate or Watch()
        super().__init__(SEED, NOON, switches, gate=self.gate)


def answered(status: int, code: str, retry_after: str | None = None) -> httpx.Response:
    response = refusal(status, code, "")
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


ON_THE_WIRE: list[tuple[str, Outcome]] = [
    ("unreachable", httpx.ConnectError("refused")),
    ("reset", httpx.ReadError("reset")),
    ("timeout", httpx.ReadTimeout("late")),
    ("throttled", answered(429, "TooManyRequests", "2")),
    ("throttled:30", answered(429, "TooManyRequests", "30")),
    ("throttled:2.128", answered(429, "TooManyRequests", "2.128")),
    ("throttled:Mon, 04 May 2026 12:01:30 GMT", answered(429, "TooManyRequests", "Mon, 04 May 2026 12:01:30 GMT")),
    ("busy", answered(503, "ServiceUnavailable")),
    ("busy:7", answered(503, "ServiceUnavailable", "7")),
    ("error", answered(500, "InternalServerError")),
    ("conflict", answered(409, "Directory_ConcurrencyViolation")),
    ("not-found", answered(404, "Request_ResourceNotFound")),
    ("unauthorized", answered(401, "InvalidAuthenticationToken")),
    ("refused", answered(400, "BadRequest")),
    ("denied", answered(403, "Authorization_RequestDenied")),
    ("gateway", httpx.Response(504, html="<html><body>Our services are not available</body></html>")),
]


@dataclass
class There:
    """A client that uses HTTP."""

    graph: Graph


@pytest.mark.parametrize(("kind", "outcome"), ON_THE_WIRE, ids=[kind for kind, _ in ON_THE_WIRE])
async def test_each_kind_of_trouble_gives_the_same_error_as_over_http(kind: str, outcome: Outcome) -> None:
    here = Here(Watch(failing=kind))
    async with graph_over(Wire(outcome), clock=lambda: NOON) as graph:
        there = There(graph)
        read, invited = await ask(there, QUESTIONS), await invite(there)
    assert isinstance(read, Failed)
    assert isinstance(invited, Failed)
    assert (await ask(here, QUESTIONS), await invite(here)) == (read, invited)
    assert here.directory.posts == []


@pytest.mark.parametrize("attempt", [invite, account])
async def test_a_refused_token_gives_the_same_error_as_over_http(attempt: Callable[[Client], Any]) -> None:
    refusing = Credential(ClientAuthenticationError("no token"))
    async with graph_over(Wire(json_response({})), credential=refusing) as graph:
        expected = await attempt(There(graph))
    assert await attempt(Here(Watch(failing="no-token"))) == expected
    assert expected == Failed("Transient", "identity: no token: ClientAuthenticationError")


@pytest.mark.parametrize(("status", "kind"), [(429, "429-integer"), (503, "503-json"), (500, "500-json"), (401, "401")])
async def test_a_failed_part_of_a_batch_gives_the_same_error_as_in_the_double(status: int, kind: str) -> None:
    here = Here()
    here.directory.retry_after = "2" if status == 429 else None
    here.directory.part_fault = lambda url: status if "transitiveMemberOf" in url else None
    async with http_world(SEED) as (there, tenant):
        tenant.trouble.script.load([{"kind": kind, "path": "transitiveMemberOf", "where": "part"}])
        expected = await ask(there, QUESTIONS)
    assert isinstance(expected, Failed)
    assert await ask(here, QUESTIONS) == expected


async def test_an_invitation_whose_answer_is_lost_has_an_unknown_outcome() -> None:
    here = Here(Watch(failing="reset", after=True))
    assert (await invite(here)).kind == "OutcomeUnknown"
    assert [post.status for post in here.directory.posts] == [201]
    assert len(here.directory.mails) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "status", "mails"),
    [
        ("refused", "InvitationRefused", 400, 0),
        ("denied", "AccessDenied", 403, 0),
        ("another", "InvitationRefused", 201, 1),
    ],
)
async def test_a_replaced_answer_leaves_the_account_unchanged(answer: str, kind: str, status: int, mails: int) -> None:
    here = Here(Watch(replaced=answer))
    before = here.directory.truth(ANNA)
    assert (await invite(here)).kind == kind
    assert here.directory.truth(ANNA) == before
    assert [(post.user_id, post.status) for post in here.directory.posts] == [(ANNA, status)]
    assert [mail.address for mail in here.directory.mails] == ["anna@fabrikam.com"] * mails


TOO_LATE = Failed("Transient", "the app: too much time has passed between the claim and the call")


@pytest.mark.parametrize("replaced", [None, "refused", "another"])
async def test_an_invitation_that_is_delayed_beyond_its_deadline_is_not_sent(replaced: str | None) -> None:
    here = Here(Watch(replaced=replaced))
    here.gate.hold_up = lambda: here.advance(60)
    assert await invite(here, not_after=NOON + timedelta(seconds=59)) == TOO_LATE
    assert [call.verb for call in here.gate.calls] == ["invite"]
    assert (here.directory.posts, here.directory.mails, here.directory.tickets_of(ANNA)) == ([], [], ())
    assert (here.directory.truth(ANNA) or {})["externalUserState"] is None


async def test_an_invitation_that_is_delayed_until_its_deadline_is_sent() -> None:
    here = Here()
    here.gate.hold_up = lambda: here.advance(60)
    assert await invite(here, not_after=NOON + timedelta(seconds=60)) == "PendingAcceptance"
    assert [post.status for post in here.directory.posts] == [201]


async def test_each_invitation_has_its_own_deadline_and_a_read_has_none() -> None:
    async def script(world: World) -> Any:
        late, in_time = world.now - timedelta(seconds=1), world.now
        outcomes = await asyncio.gather(*(invite(world, not_after=moment) for moment in (late, in_time, late)))
        return outcomes, world.posts(), await state(world)

    outcomes, posts, shown = await both(script)
    assert outcomes == [TOO_LATE, "PendingAcceptance", TOO_LATE]
    assert (len(posts), shown) == (1, "PendingAcceptance")


@pytest.mark.parametrize(
    ("questions", "subject"),
    [
        ({facts.ACCOUNT: InvitedUser(id=ANNA), facts.USERS_WITH_ADDRESS: "anna@fabrikam.com"}, ANNA),
        ({facts.MEMBERSHIPS: ANNA, facts.DELETED_ACCOUNT: ANNA}, ANNA),
        ({facts.ROLE_ASSIGNMENTS: ANNA, facts.DOMAINS: None}, ANNA),
        ({facts.ACCOUNT: InvitedUser(user_principal_name="ANNA@contoso.com")}, ANNA),
        ({facts.ACCOUNT: InvitedUser(user_principal_name="nobody@contoso.com")}, "selector"),
        ({facts.ACCOUNT: InvitedUser(user_principal_name="$nobody@contoso.com")}, "selector"),
        ({facts.ACCOUNT: InvitedUser(id=EVE)}, EVE),
        ({facts.MEMBERSHIPS: ANNA, facts.ACCOUNT: InvitedUser(id=BEN)}, "accounts"),
        ({facts.USERS_WITH_ADDRESS: "anna@fabrikam.com", facts.HOME_TENANT: "fabrikam.com"}, "address"),
        ({facts.USERS_WITH_ADDRESS: "anna@fabrikam.com", facts.COLLEAGUES: "Fabrikam"}, "address"),
        ({facts.COLLEAGUES: "Fabrikam", facts.DOMAINS: None}, "company"),
        ({facts.DOMAINS: None, facts.INVITATION_POLICY: None}, "tenant"),
    ],
)
async def test_the_subject_of_a_batch_is_what_it_asks_about(questions: dict[Fact[Any], Any], subject: str) -> None:
    here = Here()
    await ask(here, questions)
    assert here.gate.calls == [Call("graph", "read", subject, changes=False)]


async def test_the_parts_of_a_batch_are_answered_in_another_order() -> None:
    here = Here()
    information = RequestInformation(Method.POST, "{+root}/$batch", {"root": ROOT})
    information.content = request_body([(number, "/domains", {}) for number in range(3)])
    answer = json.loads(await here.adapter.send_primitive_async(information, "bytes", {"XXX": ODataError}))
    assert [part["id"] for part in answer["responses"]] == ["2", "1", "0"]


async def test_pages_and_invitations_pass_the_gate_with_their_subject() -> None:
    here = Here(switches={"page-shape": "short"})
    await here.graph.read([Read(PENDING_LIST)])
    await invite(here)
    await ask(here, {facts.ROLE_ASSIGNMENTS: BEN, facts.MEMBERSHIPS: BEN})
    assert [(call.verb, call.subject, call.changes) for call in here.gate.calls] == [
        ("read", "list", False),
        ("page", "list", False),
        ("invite", ANNA, True),
        ("read", BEN, False),
        ("page", BEN, False),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "/me",
        f"/users/{ANNA}/createdObjects",
        f"/users/{ANNA}?$expand=manager",
        f"/users/{ANNA}?$select=id,signInActivity",
        "/users?$select=id",
        "/users?$filter=startsWith(mail,'anna')&$select=id",
        "/users?$filter=mail eq 'anna@fabrikam.com' and accountEnabled eq true",
        "/users?$filter=otherMails eq 'anna@fabrikam.com'",
        "/users?$filter=companyName eq 'Fabrikam' or mail eq 'anna@fabrikam.com'",
        "/users/$anna@contoso.com",
        "/users?$filter=externalUserState eq 'PendingAcceptance'&$top=1000",
        "/users?$filter=externalUserState eq 'PendingAcceptance' or mail eq 'anna@fabrikam.com'",
        "/policies/b2bManagementPolicies",
    ],
)
async def test_a_read_that_the_directory_does_not_know_fails_the_test(url: str) -> None:
    with pytest.raises(AssertionError):
        await Here().graph.read([Read(url)])


@pytest.mark.parametrize(("count", "headers"), [("&$count=true", {}), ("", EVENTUAL)], ids=["count", "header"])
async def test_an_advanced_query_without_count_or_header_fails_the_test(count: str, headers: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="ConsistencyLevel"):
        await Here().graph.read([Read(f"/users?$filter=companyName eq 'Fabrikam'{count}", headers)])


@pytest.mark.parametrize("method", [Method.GET, Method.POST, Method.PATCH])
async def test_a_call_other_than_a_batch_page_or_invitation_fails_the_test(method: Method) -> None:
    information = RequestInformation(method, "{+baseurl}/users", {})
    information.content = b"{}"
    with pytest.raises(AssertionError, match="/users"):
        await Here().adapter.send_primitive_async(information, "bytes", {"XXX": ODataError})
