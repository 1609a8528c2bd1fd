"""What the sweep does for campaigns, and that a paused campaign does not hold back other requests."""

import pytest

from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import MemberStage
from b2b.domain.campaign.records import CampaignState
from b2b.domain.campaign.runs import PLANNING, RunKind
from tests.support.world import MakeWorld, World, tenant_of
from tests.workflows.campaigning import (
    CISO,
    LIST,
    PEOPLE,
    SPRING,
    campaign,
    changed,
    mails,
    members,
    message_of,
    progress,
    ran,
    stages,
    work,
)

HALF_AN_HOUR, DAY = 31 * 60, 86_400


async def sweep(world: World) -> None:
    report = await world.services.sweep.run()
    assert report.problems == 0


@pytest.mark.parametrize("planned", [False, True])
async def test_the_sweep_sends_lost_messages_of_a_run_again(world: MakeWorld, planned: bool) -> None:  # noqa: FBT001
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    if planned:
        await place.services.runs.work(message_of(run, PLANNING))
    place.lose_messages()
    await sweep(place)
    assert await work(place) == 0, "it may still be on its way"
    place.pass_time(HALF_AN_HOUR)
    await sweep(place)
    assert await work(place) > 0
    assert (await progress(place, run)).counts == {"ready": 2, "fixable": 1, "needsReview": 1}
    place.pass_time(HALF_AN_HOUR)
    await sweep(place)
    assert place.rows("campaigns", "working~") == []
    assert place.waiting() == 0


async def test_a_late_message_of_a_run_does_nothing_once_it_was_sent_again(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    await place.services.runs.work(message_of(run, PLANNING))
    place.lose_messages()
    place.pass_time(HALF_AN_HOUR)
    await sweep(place)
    late = message_of(run, 0)
    await place.services.runs.work(late)
    await place.services.runs.give_up(late)
    assert (await progress(place, run)).done == 0
    assert place.waiting() == 1
    await work(place)
    assert (await progress(place, run)).finished


async def test_a_slow_queue_is_not_taken_for_lost_messages_of_a_run(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    place.pass_time(HALF_AN_HOUR)
    await sweep(place)
    assert place.waiting() == 1
    await work(place)
    assert (await progress(place, run)).finished


async def test_purging_a_request_deletes_its_member(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE), B2B_PURGE_AFTER_DAYS="30")
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await ran(place, RunKind.RELEASE, decision=CISO)
    gone = (await members(place))["1"]
    place.tenant.control.redeem(gone.user_id)
    for seconds in (HALF_AN_HOUR, HALF_AN_HOUR, HALF_AN_HOUR, 29 * DAY):
        place.clock.advance(seconds)
        await place.services.sweep.run()
    assert (await stages(place))["1"] == "completed"
    place.clock.advance(2 * DAY)
    await place.services.sweep.run()
    assert set(await members(place)) == {"2", "3", "4"}
    assert await members(place, wanted=Filter(stage=MemberStage.COMPLETED)) == {}
    left = [row["RowKey"] for row in place.rows("campaigns", SPRING)]
    assert [key for key in left if gone.key in key or gone.user_id in key] == []
    again = await place.services.lists.take_in(SPRING, LIST.encode())
    assert again.row.taken == 1, "the person may be listed anew; the account's row keeps it from being invited again"
    await ran(place, RunKind.JUDGE)
    assert (await members(place))["1"].verdict != "ready"


async def test_a_leader_of_a_paused_campaign_hands_over_to_a_free_request(world: MakeWorld) -> None:
    """A request without a campaign for the same account takes the lead and is invited."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place, f"id,reference\n{PEOPLE[0]['id']},1\n")
    await ran(place, RunKind.JUDGE)
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    await place.services.runs.work(message_of(run, PLANNING))
    await place.services.runs.work(message_of(run, 0))
    held = next(row["PartitionKey"] for row in place.all_requests())
    await place.redeliver_in_trouble(held)
    await place.deliver("alone", PEOPLE[0]["id"])
    conversion = place.conversion(PEOPLE[0]["id"])
    assert conversion is not None
    assert (conversion["stage"], conversion["requestId"], conversion["joined"]) == ("inviting", held, 1)
    await place.services.campaigns.turn(SPRING, CampaignState.PAUSED, CISO)
    place.pass_time(1000)
    await place.redeliver(held)
    conversion = place.conversion(PEOPLE[0]["id"])
    assert conversion is not None
    assert conversion["requestId"] == "alone"
    await place.redeliver("alone")
    assert mails(place) == 1
    assert (await place.status("alone"))["stage"] == "invited"
    assert await stages(place) == {"1": "invited"}


async def test_a_leader_of_a_paused_campaign_waits_if_no_request_is_free(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    for name in (SPRING, "autumn"):
        await campaign(place, f"id,reference\n{PEOPLE[0]['id']},1\n", name)
        await ran(place, RunKind.JUDGE, name)
    for name in (SPRING, "autumn"):
        run = await place.services.runs.start(name, RunKind.RELEASE, decision=CISO)
        await place.services.runs.work(message_of(run, PLANNING))
        await place.services.runs.work(message_of(run, 0))
    first, second = [(await members(place, name))["1"].request_id for name in (SPRING, "autumn")]
    await place.redeliver_in_trouble(first)
    await place.redeliver(second)
    for name in (SPRING, "autumn"):
        await place.services.campaigns.turn(name, CampaignState.PAUSED, CISO)
    place.pass_time(1000)
    await place.redeliver(first)
    conversion = place.conversion(PEOPLE[0]["id"])
    assert conversion is not None
    assert conversion["requestId"] == first
    held = (await members(place))["1"]
    assert held.waiting is not None
    assert held.waiting.reason == "campaign-paused"
    await place.services.campaigns.turn("autumn", CampaignState.OPEN, CISO)
    place.pass_time(1000)
    await place.redeliver(first)
    await place.redeliver(second)
    assert mails(place) == 1


async def test_a_member_written_by_a_newer_version_hides_no_other_member(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    newer = (await members(place))["2"]
    for key in (f"member~{newer.key}", f"stage~listed~{newer.key}"):
        place.overwrite("campaigns", SPRING, key, {"schemaVersion": 99, "stage": "reminded"})
    assert set(await members(place)) == {"1", "3", "4"}
    page = await place.services.campaigns.page(SPRING, Filter(stage=MemberStage.LISTED))
    assert {each.reference for each in page.members} == {"1", "3", "4"}
    found = await ran(place, RunKind.JUDGE)
    assert sum(found.counts.values()) == 3
    changed = LIST.replace(",2\n", ",two\n")
    again = await place.services.lists.take_in(SPRING, changed.encode())
    assert [fault.code for fault in again.plan.faults] == ["MemberReleased"]


async def test_purging_a_request_keeps_a_member_that_was_judged_again(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE), B2B_PURGE_AFTER_DAYS="30")
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "anna+1@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert (await members(place))["1"].stage is MemberStage.BLOCKED
    for seconds in (31 * 60, 31 * 60, 31 * 60, 29 * 86_400):
        place.clock.advance(seconds)
        await place.services.sweep.run()
    await changed(place, PEOPLE[0]["id"], {"mail": "partner.one@fabrikam.com"})
    await ran(place, RunKind.JUDGE)
    place.clock.advance(2 * 86_400)
    await place.services.sweep.run()
    kept = (await members(place))["1"]
    assert kept.verdict == "ready"
    assert await place.services.ledger.requests.get(kept.request_id) is None, "its earlier request is gone"
    await ran(place, RunKind.RELEASE, decision=CISO)
    after = (await members(place))["1"]
    assert after.stage is MemberStage.INVITED, "it shows its new request, and not what the purged one came to"
