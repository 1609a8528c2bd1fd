"""Rules that protect people, and properties and reads that Graph omits or refuses, tested through the workflows."""

import json
from typing import Any

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of

GROUP = "33333333-0000-4000-8000-000000000000"


def rules(world: World, request_id: str) -> set[str]:
    return {finding["rule"] for finding in json.loads(world.request(request_id).get("findings", "[]"))}


async def test_nobody_outside_the_scope_group_is_invited(world: MakeWorld) -> None:
    members = [{"id": GROUP, "displayName": "Partners", "members": [account(1)["id"]]}]
    running = await world(tenant_of(account(1), account(2), groups=members), B2B_SCOPE_GROUP_ID=GROUP)
    for number in (1, 2):
        await running.deliver(f"r{number}", account(number)["id"], message=f"m{number}")
    assert [running.request(f"r{number}")["stage"] for number in (1, 2)] == ["invited", "blocked"]
    assert rules(running, "r2") == {"outside-scope"}


async def test_a_copy_outside_the_allowed_domains_requires_review(world: MakeWorld) -> None:
    copies = {"ccRecipients": [{"emailAddress": {"address": "broker@adatum.com"}}]}
    running = await world(tenant_of(account(1)))
    await running.deliver("r1", account(1)["id"], invitedUserMessageInfo=copies)
    assert (running.request("r1")["stage"], rules(running, "r1")) == ("needsReview", {"copy-recipient"})
    allowing = await world(tenant_of(account(1)), B2B_ALLOWED_COPY_DOMAINS="adatum.com")
    await allowing.deliver("r2", account(1)["id"], invitedUserMessageInfo=copies)
    assert allowing.request("r2")["stage"] == "invited"


def company(numbers: range, domain: str, **properties: Any) -> list[dict[str, Any]]:
    return [account(n, mail=f"partner{n}@{domain}", companyName="O'Hara & Co", **properties) for n in numbers]


async def test_an_address_outside_the_companys_domain_requires_review(world: MakeWorld) -> None:
    running = await world(tenant_of(*company(range(1, 4), "fabrikam.com"), *company(range(4, 5), "fabrikan.com")))
    await running.deliver("r4", account(4)["id"])
    assert running.request("r4")["stage"] == "needsReview"
    (finding,) = [row for row in json.loads(running.request("r4")["findings"]) if row["rule"] == "address-unlikely"]
    assert finding["message"].endswith("the other accounts of O'Hara & Co have theirs in fabrikam.com.")


async def test_the_addresses_of_a_company_are_cached(world: MakeWorld) -> None:
    running = await world(tenant_of(*company(range(1, 4), "fabrikam.com")), B2B_TENANT_FACTS_SECONDS="600")

    def asked() -> int:
        return len([call for call in running.tenant.control.journal() if "companyName eq" in json.dumps(call)])

    for number in (1, 2):
        await running.deliver(f"r{number}", account(number)["id"], message=f"m{number}")
    assert asked() == 1
    running.clock.advance(601)
    await running.deliver("r3", account(3)["id"], message="m3")
    assert asked() == 2
    assert [running.request(f"r{number}")["stage"] for number in (1, 2, 3)] == ["invited"] * 3


async def test_a_property_that_graph_omits_is_a_finding_and_no_outage(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), switches={"selected-properties": "empty-ones-left-out"})
    await running.deliver("r1", account(1)["id"])
    row = running.request("r1")
    assert (row["stage"], rules(running, "r1")) == ("blocked", {"fact-not-readable"})
    assert "Graph's answer for the account has no externalUserState" in row["findings"]
    assert running.posts() == []


def refusing(path: str) -> Any:
    """Return a hook that answers each part of a batch that reads `path` with a permanent 400."""

    def after(request: httpx.Request, response: httpx.Response) -> None:
        if not request.url.path.endswith("$batch"):
            return
        wrong = {part["id"] for part in json.loads(request.content)["requests"] if path in part["url"]}
        answers = json.loads(response.content)["responses"]
        error = {"error": {"code": "Request_BadRequest", "message": "The request URI is not valid."}}
        changed = [{**part, "status": 400, "body": error} if part["id"] in wrong else part for part in answers]
        response._content = json.dumps({"responses": changed}).encode()

    return after


@pytest.mark.parametrize(
    ("path", "stage", "fix"),
    [
        (f"/users/{account(1)['id']}?", "blocked", "Name the account by its object id."),
        (
            "/groups?",
            "needsReview",
            "Ask the same question in Graph Explorer to see why, or set the rule",
        ),
    ],
)
async def test_a_read_that_graph_refuses_permanently_ends_the_request(
    world: MakeWorld, path: str, stage: str, fix: str
) -> None:
    running = await world(tenant_of(account(1)))
    running.graph.after = refusing(path)
    await running.deliver("r1", account(1)["id"])
    row = running.request("r1")
    assert (row["stage"], "waiting" in row) == (stage, False)
    assert "Graph answers 400 Request_BadRequest" in row["findings"]
    assert fix in row["findings"]
    reply = await running.api.assess(json.dumps({"invitedUser": {"id": account(1)["id"]}}).encode())
    assert reply.status == 200


async def test_an_unknown_sponsor_blocks_before_the_invitation(world: MakeWorld) -> None:
    nobody, disabled = "0a000000-0000-4000-8000-00000000dead", account(3, accountEnabled=False)
    running = await world(tenant_of(account(1), account(2), disabled))
    await running.deliver("r1", account(1)["id"], invitedUserSponsors=[account(2)["id"], nobody])
    assert (running.request("r1")["stage"], rules(running, "r1")) == ("blocked", {"sponsor-unusable"})
    assert running.posts() == []
    await running.deliver("r2", account(1)["id"], "m2", invitedUserSponsors=[account(2)["id"], disabled["id"]])
    assert (running.request("r2")["stage"], rules(running, "r2")) == ("invited", {"sponsor-unusable"})


@pytest.mark.parametrize(("position", "stage"), [("refused", "failed"), ("ignored", "invited")])
async def test_if_the_rule_is_off_graph_decides_about_an_unknown_sponsor(
    world: MakeWorld, position: str, stage: str
) -> None:
    off = json.dumps({"sponsor-unusable": "off"})
    running = await world(tenant_of(account(1)), switches={"unknown-sponsor": position}, B2B_RULE_OVERRIDES=off)
    await running.deliver("r1", account(1)["id"], invitedUserSponsors=["0a000000-0000-4000-8000-00000000dead"])
    row = running.request("r1")
    assert row["stage"] == stage
    assert ("sponsor" in row.get("lastError", "")) is (stage == "failed")
