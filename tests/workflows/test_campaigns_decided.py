"""What the person who decides about members sees, and what stays of the decision."""

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
    """The account got another address between the judgement and the release."""
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


async def test_an_approval_after_the_release_stays_with_the_member(world: MakeWorld) -> None:
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
