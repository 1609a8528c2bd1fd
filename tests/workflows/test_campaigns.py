"""Campaigns from a list to redeemed invitations: judged, decided, released, paused and ended."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.queue import QueueServiceClient

from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.deciding import Answer, Choice, asked, grouped
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import LISTED_TWICE, Member, MemberStage
from b2b.domain.campaign.outlook import Change, Prospect
from b2b.domain.campaign.records import CampaignState
from b2b.domain.campaign.runs import MOST_RETURNS, PART, PartMessage, Progress, Run, RunKind
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Verdict
from b2b.domain.request.approval import Waived
from b2b.domain.request.decision import Decision
from b2b.workflows.campaigns.runs import GAVE_UP, MOST_NAMED
from b2b.workflows.campaigns.states import KEPT
from tests.support.world import MakeWorld, World, account, tenant_of

SPRING = "spring"
CISO = Decision(Actor(ActorKind.STATED, name="ciso@contoso.com"), "ticket 4711")
NO_MAIL = account(3, mail=None)
DISABLED = account(4, accountEnabled=False)
PEOPLE = [account(1), account(2), NO_MAIL, DISABLED]
LIST = "userPrincipalName,reference\n" + "".join(
    f"{person['userPrincipalName']},{number}\n" for number, person in enumerate(PEOPLE, 1)
)


async def campaign(world: World, text: str = LIST, name: str = SPRING) -> None:
    await world.services.campaigns.create(name, "Suppliers")
    taken = await world.services.lists.take_in(name, text.encode())
    assert taken.plan.faults == ()


async def work(world: World) -> int:
    """Hand the app every message of the queue that is visible, as the host does; return how many those were."""
    handled = 0
    with QueueServiceClient.from_connection_string(world.storage) as service:
        queue = service.get_queue_client("conversion-requests")
        while message := queue.receive_message():
            await world.receive(message.content.encode(), message.id, message.dequeue_count or 1)
            queue.delete_message(message)
            handled += 1
    return handled


async def ran(world: World, kind: RunKind, name: str = SPRING, **more: Any) -> Progress:
    """Order a run and let the app work until nothing is left to do."""
    run = await world.services.runs.start(name, kind, **more)
    await work(world)
    found = await progress(world, run)
    assert found.finished
    return found


async def progress(world: World, run: Run) -> Progress:
    return await world.services.runs.progress(run.campaign_id, run.run_id)


async def members(world: World, name: str = SPRING, wanted: Filter | None = None) -> dict[str, Member]:
    """The members by the caller's reference."""
    return {each.reference: each async for each in world.services.campaigns.members(name, wanted or Filter())}


async def stages(world: World, name: str = SPRING) -> dict[str, str]:
    return {reference: str(each.stage) for reference, each in (await members(world, name)).items()}


async def changed(world: World, user_id: str, properties: dict[str, Any]) -> None:
    """Let an administrator change an account, and the change reach every replica."""
    token = await world.services.identity.credential.get_token("https://graph.microsoft.com/.default")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token.token}"}) as graph:
        answer = await graph.patch(f"{world.tenant.graph_url}/users/{user_id}", json=properties)
        answer.raise_for_status()
    world.pass_time(400)


def choice(member: Member) -> Choice:
    return Choice(member.key, tuple(Waived(finding.rule, finding.message) for finding in asked(member)))


def invitations(world: World) -> Counter[str]:
    return Counter(post["path"] for post in world.posts() if post["path"].endswith("/invitations"))


def mails(world: World) -> int:
    return sum(invitations(world).values())


async def test_members_are_judged_and_nothing_is_spent(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    for _ in range(2):
        found = await ran(place, RunKind.JUDGE)
        assert found.counts == {"ready": 2, "fixable": 1, "needsReview": 1}
    assert place.all_requests() == []
    assert place.posts() == []
    judged = await members(place)
    assert {each.stage for each in judged.values()} == {MemberStage.JUDGED}
    assert judged["1"].user_id == PEOPLE[0]["id"]
    assert judged["1"].invited_address == PEOPLE[0]["mail"]
    counts = await place.services.campaigns.counts(SPRING)
    assert counts.by_prospect == {Prospect.READY: 2, Prospect.FIXABLE: 1, Prospect.NEEDS_A_PERSON: 1}
    assert counts.by_change == {Change.ADDRESS: 1}


async def test_a_part_that_is_throttled_goes_on_where_it_stopped(world: MakeWorld) -> None:
    """Otherwise a part that needs more than Graph grants at once would begin anew for ever."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    last = NO_MAIL["id"]
    place.tenant.control.set_faults([{"kind": "429-integer", "seconds": 1, "path": str(last), "nth": 1}])
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    await work(place)
    assert not (await progress(place, run)).finished
    done = [each for each in (await members(place)).values() if each.stage is MemberStage.JUDGED]
    assert done
    asked_before = len(place.tenant.control.journal())
    place.pass_time(60)
    await place.receive(message_of(run, 0).message(), "again", 1)
    assert (await progress(place, run)).counts == {"ready": 2, "fixable": 1, "needsReview": 1}
    asked_again = " ".join(call["path"] for call in place.tenant.control.journal()[asked_before:])
    assert last in asked_again
    assert not [each.reference for each in done if each.user_id in asked_again]
    assert (await ran(place, RunKind.JUDGE)).done == len(PEOPLE)
    judged_anew = " ".join(call["path"] for call in place.tenant.control.journal()[asked_before:])
    assert all(each.user_id in judged_anew for each in done), "another run asks about everybody"


async def test_members_whom_a_part_released_before_it_came_again_count_as_released(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    run = (await ran(place, RunKind.RELEASE, decision=CISO)).run
    (part,) = await place.services.ledger.runs.parts(run)
    assert (await stages(place))["1"] == "invited"
    await place.services.ledger.runs.finish(run, replace(part, done=False, counts={}))  # it died before it said so
    await place.receive(message_of(run, 0).message(), "again", 2)
    assert (await progress(place, run)).counts == {"released": 2}
    assert mails(place) == 2


async def test_a_filter_names_who_is_judged(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    some = [each.key for each in (await members(place)).values()][:1]
    assert (await ran(place, RunKind.JUDGE, keys=some)).run.members == 1
    assert (await ran(place, RunKind.JUDGE, wanted=Filter(stage=MemberStage.LISTED))).run.members == 3
    with pytest.raises(RequestRefused, match=str(MOST_NAMED)):
        await place.services.runs.start(SPRING, RunKind.JUDGE, keys=["k"] * (MOST_NAMED + 1))


async def test_released_members_are_invited_once(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    for _ in range(2):
        await ran(place, RunKind.RELEASE, decision=CISO)
    assert mails(place) == 2
    assert await stages(place) == {"1": "invited", "2": "invited", "3": "judged", "4": "judged"}
    invited = (await members(place))["1"]
    assert invited.invited_at is not None
    assert place.request(invited.request_id)["campaignId"] == SPRING


async def test_what_is_new_since_the_judgement_is_reviewed(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "another@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert mails(place) == 1
    assert (await stages(place))["1"] == "needsReview"
    waiting = (await members(place))["1"]
    assert "changed-since-judged" in {finding.rule for finding in asked(waiting)}


async def test_an_approval_before_the_release_goes_along(world: MakeWorld) -> None:
    override = '{"account-disabled": "warn", "home-account-not-entra": "off", "looks-like-employee": "review"}'
    place = await world(tenant_of(account(1, employeeType="Employee")), B2B_RULE_OVERRIDES=override)
    await campaign(place, f"id,reference\n{PEOPLE[0]['id']},1\n")
    await ran(place, RunKind.JUDGE)
    (group,) = grouped((await members(place)).values())
    assert group.rule == "looks-like-employee"
    (answer,) = await place.services.campaigns.decide(
        SPRING, Answer.APPROVE, [choice(each) for each in group.members], CISO
    )
    assert answer.refused is None
    await ran(place, RunKind.RELEASE, decision=CISO)
    member = (await members(place))["1"]
    assert (member.stage, member.decided_by, member.decided_because) == (MemberStage.INVITED, CISO.by, CISO.reason)
    assert "looks-like-employee" in str(place.request(member.request_id)["approval"])
    assert any(row["kind"] == "approved" for row in place.rows("campaigns", SPRING) if "event~" in row["RowKey"])


async def test_what_waits_after_the_release_is_decided_by_its_request(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    for person in PEOPLE[:2]:
        await changed(place, person["id"], {"employeeType": "Employee"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    waiting = {reference: each for reference, each in (await members(place)).items() if reference in {"1", "2"}}
    assert {each.stage for each in waiting.values()} == {MemberStage.NEEDS_REVIEW}
    decide = place.services.campaigns.decide
    stale = Choice(waiting["1"].key, (Waived("looks-like-employee", "something else"),))
    (refused,) = await decide(SPRING, Answer.APPROVE, [stale], CISO)
    assert refused.refused is not None
    assert refused.refused.code == "FindingsChanged"
    await decide(SPRING, Answer.APPROVE, [choice(waiting["1"])], CISO)
    await decide(SPRING, Answer.REFUSE, [choice(waiting["2"])], CISO)
    await work(place)
    found = await stages(place)
    assert (found["1"], found["2"]) == ("invited", "cancelled")
    assert mails(place) == 1


async def test_two_rows_for_one_account_are_told_when_they_are_judged(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    text = f"id,userPrincipalName,reference\n{PEOPLE[0]['id']},,1\n,{PEOPLE[0]['userPrincipalName']},2\n"
    await campaign(place, text)
    for _ in range(2):
        await ran(place, RunKind.JUDGE)
        found = (await members(place)).values()
        twice = [each for each in found if LISTED_TWICE in {finding.rule for finding in each.findings}]
        assert len(twice) == 1
        assert twice[0].verdict is Verdict.BLOCKED
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert mails(place) == 1
    assert (await place.services.campaigns.counts(SPRING)).people == 1


async def test_a_row_without_an_account_is_matched_by_its_address(world: MakeWorld) -> None:
    twin = account(5, mail="same@fabrikam.com", otherMails=["same@fabrikam.com"])
    other = account(6, mail="same@fabrikam.com")
    place = await world(tenant_of(*PEOPLE, twin, other))
    rows = ("partner1@fabrikam.com", "nobody@fabrikam.com", "same@fabrikam.com")
    text = "inviteeEmail,reference\n" + "".join(f"{address},{number}\n" for number, address in enumerate(rows, 1))
    await campaign(place, text)
    await ran(place, RunKind.JUDGE)
    found = await members(place)
    assert found["1"].user_id == PEOPLE[0]["id"]
    rules = {reference: {finding.rule for finding in each.findings} for reference, each in found.items()}
    assert "account-not-found" in rules["2"]
    assert "account-ambiguous" in rules["3"]


async def test_a_corrected_member_is_judged_and_released_again(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "anna+1@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert (await stages(place))["1"] == "blocked"
    await changed(place, PEOPLE[0]["id"], {"mail": "partner.one@fabrikam.com"})
    await ran(place, RunKind.JUDGE)
    assert (await stages(place))["1"] == "judged"
    assert (await ran(place, RunKind.RELEASE, decision=CISO)).counts == {"released": 1}
    assert (await stages(place))["1"] == "invited"


async def test_the_same_list_after_the_switch_to_convert_is_known_and_released(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE), B2B_MODE="assess")
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    with pytest.raises(RequestRefused) as refused:
        await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    assert refused.value.code == "ModeIsAssess"
    place.services = await place.restart(B2B_MODE="convert")
    again = await place.services.lists.take_in(SPRING, LIST.encode())
    assert again.all_known
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert mails(place) == 2


async def test_a_paused_campaign_holds_its_members_and_no_others(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place, f"id,reference\n{PEOPLE[0]['id']},1\n")
    await campaign(place, f"id,reference\n{PEOPLE[1]['id']},2\n", "autumn")
    for name in (SPRING, "autumn"):
        await ran(place, RunKind.JUDGE, name)
    for name in (SPRING, "autumn"):
        run = await place.services.runs.start(name, RunKind.RELEASE, decision=CISO)
        await place.services.runs.work(message_of(run, -1))
        await place.services.runs.work(message_of(run, 0))
    await place.services.campaigns.turn(SPRING, CampaignState.PAUSED, CISO)
    await work(place)
    held = (await members(place))["1"]
    assert held.waiting is not None
    assert held.waiting.reason == "campaign-paused"
    assert (await stages(place, "autumn"))["2"] == "invited"
    with pytest.raises(RequestRefused) as refused:
        await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    assert refused.value.code == "CampaignPaused"
    await place.services.campaigns.turn(SPRING, CampaignState.OPEN, CISO)
    place.pass_time(1000)
    await place.redeliver(held.request_id)
    assert (await stages(place))["1"] == "invited"


def message_of(run: Run, part: int) -> PartMessage:
    return PartMessage(run.campaign_id, run.run_id, part)


async def test_a_pause_is_heeded_within_ten_seconds(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place, "".join(LIST.splitlines(keepends=True)[:3]))
    await ran(place, RunKind.JUDGE)
    first, second = [each.key for each in (await members(place)).values()]
    await ran(place, RunKind.RELEASE, keys=[first], decision=CISO)
    other = await place.restart()
    await other.campaigns.turn(SPRING, CampaignState.PAUSED, CISO)
    run = Run(campaign_id=SPRING, run_id="1" * 32, kind=RunKind.RELEASE, asked_at=place.clock(), keys=(second,))
    await place.services.ledger.runs.save(run)
    place.pass_time((KEPT + timedelta(seconds=1)).total_seconds())
    await place.services.runs.work(message_of(run, -1))
    await work(place)
    assert mails(place) == 1
    assert (await progress(place, run)).counts == {"held": 1}


async def test_ending_calls_off_what_was_not_invited_and_follows_what_was(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    first = (await members(place))["1"]
    await ran(place, RunKind.RELEASE, keys=[first.key], decision=CISO)
    run = await place.services.campaigns.end(SPRING, CISO)
    await work(place)
    assert (await progress(place, run)).counts == {"cancelled": 3}
    assert await stages(place) == {"1": "invited", "2": "cancelled", "3": "cancelled", "4": "cancelled"}
    place.tenant.control.redeem(first.user_id)
    place.pass_time(1000)
    await place.services.sweep.run()
    assert (await stages(place))["1"] == "completed"
    for kind in (RunKind.JUDGE, RunKind.RELEASE):
        with pytest.raises(RequestRefused) as refused:
            await place.services.runs.start(SPRING, kind, decision=CISO)
        assert refused.value.code == "CampaignEnded"
    with pytest.raises(RequestRefused):
        await place.services.campaigns.turn(SPRING, CampaignState.OPEN, CISO)


@pytest.mark.parametrize("killed_at", range(1, 16))
async def test_a_release_that_is_killed_is_completed_by_the_part_that_comes_again(
    world: MakeWorld, killed_at: int
) -> None:
    """Before each call to storage that the part makes, until it makes no more."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place, f"id,reference\n{PEOPLE[0]['id']},1\n")
    await ran(place, RunKind.JUDGE)
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    await place.services.runs.work(message_of(run, -1))
    calls = 0

    async def count(_request: HttpRequest) -> None:
        nonlocal calls
        calls += 1
        if calls >= killed_at:
            raise asyncio.CancelledError

    place.faulty_storage.before = count
    try:
        await place.services.runs.work(message_of(run, 0))
    except asyncio.CancelledError:
        pass
    finally:
        place.faulty_storage.before = place.faulty_storage._nothing
    await work(place)
    await work(place)
    assert mails(place) == 1
    assert await stages(place) == {"1": "invited"}
    assert (await progress(place, run)).finished


async def test_a_run_has_a_part_for_every_fifty_members(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    text = "userPrincipalName\n" + "".join(f"nobody{number}@contoso.com\n" for number in range(PART + 1))
    await place.services.campaigns.create(SPRING, "Suppliers")
    await place.services.lists.take_in(SPRING, text.encode())
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    await place.services.runs.work(message_of(run, -1))
    await place.services.runs.work(message_of(run, 1))
    assert ((await progress(place, run)).done, (await progress(place, run)).finished) == (1, False)
    await work(place)
    found = await progress(place, run)
    assert (found.run.parts, found.counts, found.finished) == (2, {"blocked": PART + 1}, True)


async def test_a_part_that_the_host_gave_up_on_comes_back(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    await place.services.runs.work(message_of(run, -1))
    place.lose_messages()
    place.send_to_poison(message_of(run, 0).message().decode())
    await place.services.sweep.run()
    assert await work(place) == 1
    assert (await progress(place, run)).finished
    assert place.all_requests() == []


async def test_a_part_that_always_fails_is_given_up_and_counted(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    run = await place.services.runs.start(SPRING, RunKind.JUDGE)
    await place.services.runs.work(message_of(run, -1))
    message = message_of(run, 0)
    for _ in range(MOST_RETURNS):
        await place.services.runs.give_up(message)
        message = message.returned()
    assert not (await progress(place, run)).finished
    await place.services.runs.give_up(message)
    assert (await progress(place, run)).counts == {GAVE_UP: 4}


async def test_a_campaign_made_again_is_the_same_and_its_id_is_no_others(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    create = place.services.campaigns.create
    first = await create(SPRING, "Suppliers", "all of them")
    assert await create(SPRING, "Suppliers", "all of them") == first
    with pytest.raises(RequestRefused) as refused:
        await create(SPRING, "Distributors")
    assert refused.value.code == "CampaignIdInUse"
    with pytest.raises(RequestRefused) as unknown:
        await place.services.campaigns.counts("autumn")
    assert unknown.value.code == "CampaignNotFound"
