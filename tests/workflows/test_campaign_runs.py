"""Runs over the members of a campaign that are cut into parts, killed, throttled, lost or given up."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.campaign.member import MemberStage
from b2b.domain.campaign.runs import MOST_RETURNS, PART, PLANNING, Run, RunKind
from b2b.workflows.campaigns.runs import GAVE_UP
from tests.support.world import MakeWorld, StorageHook, World, tenant_of
from tests.workflows.campaigning import (
    CISO,
    NO_MAIL,
    PEOPLE,
    SPRING,
    campaign,
    mails,
    members,
    message_of,
    progress,
    ran,
    stages,
    work,
)


async def test_a_throttled_part_continues_where_it_stopped(world: MakeWorld) -> None:
    """Otherwise a part that needs more than Graph grants at once would start again for ever."""
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


async def test_a_repeated_part_counts_members_released_earlier_as_released(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    run = (await ran(place, RunKind.RELEASE, decision=CISO)).run
    (part,) = await place.services.ledger.runs.parts(run)
    assert (await stages(place))["1"] == "invited"
    await place.services.ledger.runs.finish(
        run, replace(part, done=False, counts={})
    )  # as before its result was written
    await place.receive(message_of(run, 0).message(), "again", 2)
    assert (await progress(place, run)).counts == {"released": 2}
    assert mails(place) == 2


@pytest.mark.parametrize("killed_at", range(1, 16))
async def test_the_next_delivery_completes_a_release_that_was_killed(world: MakeWorld, killed_at: int) -> None:
    """The process is killed once before each call to storage that the part makes."""
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


ONE = "id,invitedUserEmailAddress,reference\n{},{},1\n"


async def released_until(place: World, dies: Callable[[], bool]) -> Run:
    """Release a campaign of one member; the release dies at the first call to storage at which ``dies`` is true."""
    await campaign(place, ONE.format(PEOPLE[0]["id"], "partner1@fabrikam.com"))
    await ran(place, RunKind.JUDGE)
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    await place.services.runs.work(message_of(run, PLANNING))

    async def die(_request: HttpRequest) -> None:
        if dies():
            raise asyncio.CancelledError

    place.faulty_storage.before = die
    with pytest.raises(asyncio.CancelledError):
        await place.services.runs.work(message_of(run, 0))
    place.faulty_storage.before = place.faulty_storage._nothing
    return run


async def released_by_another(place: World, run: Run) -> StorageHook:
    """Return a hook: before this process calls storage, another process cuts the run and processes its first part."""
    other = await place.restart()

    async def work_on(_request: HttpRequest) -> None:
        await other.runs.work(message_of(run, PLANNING))
        await other.runs.work(message_of(run, 0))

    return work_on


def taken_off(place: World) -> bool:
    """Tell whether the member is off the list."""
    return any("stage~requested~" in row["RowKey"] for row in place.rows("campaigns", SPRING))


@pytest.mark.parametrize("written", [False, True])
async def test_a_list_does_not_change_a_member_whose_release_has_begun(world: MakeWorld, written: bool) -> None:  # noqa: FBT001
    """Kill the release before or after the request is written. The list must not report a changed address."""
    place = await world(tenant_of(*PEOPLE))
    await released_until(place, lambda: bool(place.all_requests()) if written else taken_off(place))
    assert len(place.all_requests()) == written
    corrected = ONE.format(PEOPLE[0]["id"], "right@fabrikam.com").encode()
    found = await place.services.lists.take_in(SPRING, corrected)
    assert [fault.code for fault in found.plan.faults] == ["MemberReleased"]
    await work(place)
    member = (await members(place))["1"]
    conversion = place.conversion(PEOPLE[0]["id"])
    assert conversion is not None
    assert (member.stage, member.address) == (MemberStage.INVITED, "partner1@fabrikam.com")
    assert conversion["invitedUserEmailAddress"] == member.address


async def test_a_list_compared_before_a_release_changes_nothing_after_it(world: MakeWorld) -> None:
    """The release happens after the list was compared and before it is stored."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place, ONE.format(PEOPLE[0]["id"], "partner1@fabrikam.com"))
    await ran(place, RunKind.JUDGE)
    (row,) = (await members(place)).values()
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    release = await released_by_another(place, run)
    place.faulty_storage.once(lambda request: f"RowKey='member~{row.key}'" in unquote(request.url), release)
    corrected = ONE.format(PEOPLE[0]["id"], "right@fabrikam.com").encode()
    found = await place.services.lists.take_in(SPRING, corrected)
    assert (found.row.changed, [fault.code for fault in found.plan.faults]) == (0, ["MemberReleased"])
    await work(place)
    assert (await members(place))["1"].address == "partner1@fabrikam.com"


async def test_a_member_returns_to_the_list_if_its_release_is_given_up(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    run = await released_until(place, lambda: taken_off(place))
    place.lose_messages()
    message = message_of(run, 0)
    for _ in range(MOST_RETURNS + 1):
        await place.services.runs.give_up(message)
        message = message.returned()
    place.lose_messages()
    assert await stages(place) == {"1": "judged"}
    assert (await ran(place, RunKind.RELEASE, decision=CISO)).counts == {"released": 1}
    assert await stages(place) == {"1": "invited"}


async def test_the_end_of_a_campaign_cancels_a_member_whose_release_has_begun(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await released_until(place, lambda: taken_off(place))
    place.lose_messages()
    run = await place.services.campaigns.end(SPRING, CISO)
    await work(place)
    assert (await progress(place, run)).counts == {"cancelled": 1}
    member = (await members(place))["1"]
    assert (member.stage, member.request_id) == (MemberStage.CANCELLED, "")
    assert place.all_requests() == []


async def test_a_run_cut_by_two_processes_keeps_its_finished_parts(world: MakeWorld) -> None:
    """While one process is stuck reading the members, another process cuts the run and releases everybody."""
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    cut = await released_by_another(place, run)
    place.faulty_storage.once(lambda request: "member~" in unquote(request.url), cut)
    await place.services.runs.work(message_of(run, PLANNING))
    await work(place)
    found = await progress(place, run)
    assert (found.finished, found.run.members, found.counts) == (True, 2, {"released": 2})


async def test_resending_messages_during_the_cut_does_not_undo_the_cut(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    run = await place.services.runs.start(SPRING, RunKind.RELEASE, decision=CISO)
    cut = await released_by_another(place, run)
    place.faulty_storage.once(lambda request: request.method != "GET", cut)
    await place.services.runs.send_again(SPRING, run.run_id)
    await work(place)
    assert (await progress(place, run)).counts == {"released": 2}


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


async def test_a_part_in_the_poison_queue_is_sent_again(world: MakeWorld) -> None:
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
