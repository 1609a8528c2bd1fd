"""What is read for a verdict: as little as the rules need, in as few round trips as `$batch` allows."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.lifecycle import snapshot
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]


async def assessed(world: World, **body: Any) -> dict[str, Any]:
    reply = await world.api.assess(json.dumps({"invitedUser": {"id": USER}, **body}).encode())
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = reply.body
    return answer


def round_trips(world: World) -> int:
    return len([call for call in world.tenant.control.journal() if call.get("batch") is None])


async def test_an_assessment_by_id_and_address_takes_one_round_trip(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await assessed(running)
    before = round_trips(running)
    await assessed(running, invitedUserEmailAddress=account(1)["mail"])
    assert round_trips(running) - before == 1


async def test_an_assessment_by_id_alone_takes_two_round_trips(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await assessed(running)
    before = round_trips(running)
    await assessed(running)
    assert round_trips(running) - before == 2


async def test_tenant_facts_are_read_again_when_they_are_old(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), B2B_TENANT_FACTS_SECONDS="600")

    def policy_reads() -> int:
        return len([call for call in running.tenant.control.journal() if call["path"].endswith("authorizationPolicy")])

    await assessed(running)
    await assessed(running)
    assert policy_reads() == 1
    running.clock.advance(601)
    await assessed(running)
    assert policy_reads() == 2


async def test_requests_that_waited_for_throttled_tenant_facts_do_not_read_again(world: MakeWorld) -> None:
    """Graph asks for a wait while ten requests arrive. If each request asked again, nine would break that wait."""
    running = await world(tenant_of(*(account(number) for number in range(1, 11))))
    throttled: list[str] = []

    def deny(request: httpx.Request, response: httpx.Response) -> None:
        if b"authorizationPolicy" in request.content:
            throttled.append(request.url.path)
            response.status_code = 429
            response.headers["Retry-After"] = "60"

    running.graph.after = deny
    await asyncio.gather(*(running.deliver(f"r{number}", account(number)["id"]) for number in range(1, 11)))
    assert len(throttled) == 1
    running.graph.after = lambda _request, _response: None
    running.clock.advance(61)
    for number in range(1, 11):
        await running.redeliver(f"r{number}")
    assert {running.request(f"r{number}")["stage"] for number in range(1, 11)} == {"invited"}


async def test_an_assessment_only_reads(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await assessed(running)
    assert running.posts() == []
    assert running.all_requests() == []


LATER = {*snapshot.FACTS, facts.REDEMPTIONS}
"""What no rule needs: it is compared after the redemption."""
OPTIONAL = [
    fact for fact in facts.FACTS if fact.permission not in {"", facts.ACCOUNT.permission} and fact not in LATER
] + [facts.ROLE_ASSIGNMENTS]


@pytest.mark.parametrize("fact", OPTIONAL, ids=repr)
async def test_a_finding_names_each_missing_permission(world: MakeWorld, fact: Fact[Any]) -> None:
    """If any permission but that for accounts is missing, the rules that need it have a finding that names it."""
    permission = fact.permission
    covers = {permission, "Directory.Read.All", *WIDER.get(permission, ())}
    running = await world(
        tenant_of(
            account(1), groups=[{"id": "33333333-0000-4000-8000-000000000000", "displayName": "g", "members": [USER]}]
        ),
        roles=[role for role in DEFAULT_ROLES if role not in covers],
    )
    answer = await assessed(running)
    blind = [finding for finding in answer["findings"] if finding["rule"] == "fact-not-readable"]
    assert any(permission in finding["message"] for finding in blind)


WIDER = {"Group.Read.All": ["GroupMember.Read.All", "Group.ReadWrite.All"]}


async def test_facts_of_a_rule_that_is_off_are_not_read(world: MakeWorld) -> None:
    running = await world(
        tenant_of(account(1)),
        roles=[role for role in DEFAULT_ROLES if role != "Policy.Read.B2BManagementPolicy"],
        B2B_RULE_OVERRIDES='{"domain-not-allowed": "off"}',
    )
    assert (await assessed(running))["findings"] == []
    assert not [call for call in running.tenant.control.journal() if "b2bManagementPolicies" in call["path"]]


async def test_a_tenant_without_the_licence_has_nobody_eligible(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), switches={"eligibility-licence": "absent"})
    assert (await assessed(running))["findings"] == []


@pytest.mark.parametrize("order", ["reversed", "as-sent"])
@pytest.mark.parametrize("pages", ["full", "short"])
async def test_order_and_paging_of_answers_do_not_change_the_verdict(world: MakeWorld, order: str, pages: str) -> None:
    group = {
        "id": "33333333-0000-4000-8000-000000000000",
        "displayName": "admins",
        "isAssignableToRole": True,
        "members": [USER],
    }
    more = [{"id": f"44444444-0000-4000-8000-{n:012d}", "displayName": f"g{n}", "members": [USER]} for n in range(5)]
    running = await world(
        tenant_of(account(1), groups=[*more, group]), switches={"batch-order": order, "page-shape": pages}
    )
    assert [finding["rule"] for finding in (await assessed(running))["findings"]] == ["directory-role"]


async def test_an_address_that_graph_cannot_use_is_not_looked_up(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    answer = await assessed(running, invitedUserEmailAddress="o'neil+x@fabrikam.com")
    assert {finding["rule"] for finding in answer["findings"]} == {"address-characters", "address-not-on-account"}
    assert not [call for call in running.tenant.control.journal() if "neil" in str(call)]
