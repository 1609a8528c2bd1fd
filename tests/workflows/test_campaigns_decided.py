"""What a person who decides about members sees, and what the app keeps of the decision."""

from b2b.domain.campaign.deciding import Answer
from b2b.domain.campaign.runs import RunKind
from tests.support.world import MakeWorld, tenant_of
from tests.workflows.campaign_caller import Caller, table
from tests.workflows.campaigning import (
    CISO,
    PEOPLE,
    SPRING,
    campaign,
    changed,
    choice,
    members,
    ran,
    stages,
    work,
)


async def test_the_decider_sees_the_address_that_is_invited(world: MakeWorld) -> None:
    """The address of the account changes between judging and release."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "another@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    waiting = (await members(place))["1"]
    groups = (await Caller(place).call("decisions_waiting", query={"rule": "changed-since-judged"})).body["groups"]
    (shown,) = groups[0]["members"]
    await place.services.campaigns.decide(SPRING, Answer.APPROVE, [choice(waiting)], CISO)
    await work(place)
    assert (await stages(place))["1"] == "invited"
    row = {each["reference"]: each for each in table(await Caller(place).call("members_csv"))}["1"]
    conversion = place.conversion(PEOPLE[0]["id"])
    assert conversion is not None
    assert conversion["invitedUserEmailAddress"] == "another@fabrikam.com"
    assert (shown["invitedUserEmailAddress"], row["address"]) == ("another@fabrikam.com", "another@fabrikam.com")


async def test_a_second_row_of_an_account_can_be_refused_as_its_finding_advises(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    names = f"{PEOPLE[0]['id']},,1\n,{PEOPLE[0]['userPrincipalName']},2\n"
    await campaign(place, f"id,userPrincipalName,reference\n{names}")
    await ran(place, RunKind.JUDGE)
    (twice,) = [each for each in (await members(place)).values() if each.verdict == "blocked"]
    assert "refuse the other one" in twice.findings[-1].fix
    (answer,) = await place.services.campaigns.decide(SPRING, Answer.REFUSE, [choice(twice)], CISO)
    assert answer.refused is None
    await ran(place, RunKind.JUDGE)
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert sorted((await stages(place)).values()) == ["cancelled", "invited"]


async def test_a_member_blocked_after_its_release_can_be_refused_for_good(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "anna+1@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    blocked = (await members(place))["1"]
    assert blocked.stage == "blocked"
    (answer,) = await place.services.campaigns.decide(SPRING, Answer.REFUSE, [choice(blocked)], CISO)
    assert answer.refused is None
    record = await place.services.ledger.requests.get(blocked.request_id)
    assert record is not None
    await place.services.ledger.requests.show(record)  # as the sweep does
    await ran(place, RunKind.JUDGE)
    refused = (await members(place))["1"]
    assert (refused.stage, refused.last_error) == ("cancelled", "Refused by ciso@contoso.com: ticket 4711.")


async def test_a_member_shows_an_approval_that_came_after_its_release(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"employeeType": "Employee"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    waiting = (await members(place))["1"]
    shown = choice(waiting).findings
    await place.services.campaigns.decide(SPRING, Answer.APPROVE, [choice(waiting)], CISO)
    await work(place)
    found = (await Caller(place).call("member_status", member=waiting.key)).body
    assert found["stage"] == "invited"
    assert (found["decidedBy"], found["decidedBecause"]) == ("ciso@contoso.com", "ticket 4711")
    assert [(each["rule"], each["message"]) for each in found["waived"]] == [
        (each.rule, each.message) for each in shown
    ]
