"""With sign-in, the person who sent a list cannot approve its members."""

import pytest

from tests.support.principal import BORIS, person
from tests.support.world import MakeWorld, account, tenant_of
from tests.workflows.campaign_caller import Caller
from tests.workflows.campaigning import SPRING, changed, mails, work

EMPLOYEE = account(4, employeeType="Employee")
OVERRIDE = '{"home-account-not-entra": "off", "looks-like-employee": "review"}'


@pytest.mark.parametrize(("allowed", "mailed"), [("false", 0), ("true", 1)])
async def test_nobody_can_approve_members_of_their_own_list_unless_allowed(
    world: MakeWorld, allowed: str, mailed: int
) -> None:
    place = await world(tenant_of(EMPLOYEE), B2B_SIGN_IN="true", B2B_SELF_APPROVAL=allowed, B2B_RULE_OVERRIDES=OVERRIDE)
    anna = Caller(place, SPRING, person("Request", "Decide"))
    boris = Caller(place, SPRING, person("Decide", object_id=BORIS))
    await anna.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    await anna.send(f"id\n{EMPLOYEE['id']}\n")
    await anna.call("judge_members")
    await work(place)
    (shown,) = (await anna.to_decide())["looks-like-employee"]
    reply = await anna.call("approve_members", {"reason": "mine", "members": [shown]})
    await anna.call("release_members")
    await work(place)
    assert mails(place) == mailed
    if mailed:
        return
    assert reply.body["members"][0]["error"]["code"] == "OwnRequest"
    assert (await boris.call("approve_members", {"reason": "seen", "members": [shown]})).body["decided"] == 1
    await anna.call("release_members")
    await work(place)
    assert mails(place) == 1


async def test_nobody_can_approve_a_member_that_they_listed_or_released(world: MakeWorld) -> None:
    place = await world(tenant_of(account(4)), B2B_SIGN_IN="true", B2B_RULE_OVERRIDES=OVERRIDE)
    anna = Caller(place, SPRING, person("Request", "Decide"))
    boris = Caller(place, SPRING, person("Request", "Decide", object_id=BORIS))
    await anna.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    await anna.send(f"id\n{EMPLOYEE['id']}\n")
    await anna.call("judge_members")
    await work(place)
    await changed(place, EMPLOYEE["id"], {"employeeType": "Employee"})
    await boris.call("release_members")
    await work(place)
    (shown,) = (await anna.to_decide())["looks-like-employee"]
    for caller in (anna, boris):
        reply = await caller.call("approve_members", {"reason": "mine", "members": [shown]})
        assert reply.body["members"][0]["error"]["code"] == "OwnRequest"
    member = (await anna.call("member_status", member=shown["member"])).body
    reply = await anna.call("approve_request", {"reason": "mine"}, requestId=member["requestId"])
    assert (reply.status, reply.body["error"]["code"]) == (403, "OwnRequest")
    assert (await anna.call("refuse_members", {"reason": "no", "members": [shown]})).body["decided"] == 1
    assert mails(place) == 0
