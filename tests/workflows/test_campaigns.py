"""Campaigns from a list to redeemed invitations: judge, decide, release, pause and end."""

from datetime import timedelta

import pytest

from b2b.domain.campaign.deciding import Answer, Choice, asked, grouped
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import LISTED_TWICE, MemberStage
from b2b.domain.campaign.outlook import Change, Prospect
from b2b.domain.campaign.records import CampaignState
from b2b.domain.campaign.runs import Run, RunKind
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Verdict
from b2b.domain.request.approval import Waived
from b2b.workflows.campaigns.runs import MOST_NAMED
from b2b.workflows.campaigns.states import KEPT
from tests.support.world import MakeWorld, account, tenant_of
from tests.workflows.campaigning import (
    CISO,
    LIST,
    PEOPLE,
    SPRING,
    campaign,
    changed,
    choice,
    mails,
    members,
    message_of,
    progress,
    ran,
    stages,
    work,
)


async def test_judging_gives_verdicts_and_invites_nobody(world: MakeWorld) -> None:
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


async def test_only_members_that_match_the_filter_are_judged(world: MakeWorld) -> None:
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


async def test_a_finding_that_is_new_since_judging_sends_the_request_to_review(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    await campaign(place)
    await ran(place, RunKind.JUDGE)
    await changed(place, PEOPLE[0]["id"], {"mail": "another@fabrikam.com"})
    await ran(place, RunKind.RELEASE, decision=CISO)
    assert mails(place) == 1
    assert (await stages(place))["1"] == "needsReview"
    waiting = (await members(place))["1"]
    assert "changed-since-judged" in {finding.rule for finding in asked(waiting)}


async def test_an_approval_before_the_release_applies_to_the_request(world: MakeWorld) -> None:
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


async def test_a_decision_after_the_release_decides_the_members_request(world: MakeWorld) -> None:
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


async def test_judging_reports_two_rows_for_one_account(world: MakeWorld) -> None:
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


async def test_a_row_without_an_account_is_matched_to_one_by_its_address(world: MakeWorld) -> None:
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


async def test_a_corrected_member_can_be_judged_and_released_again(world: MakeWorld) -> None:
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


async def test_a_list_sent_again_after_the_switch_to_convert_can_be_released(world: MakeWorld) -> None:
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


async def test_a_paused_campaign_holds_back_its_own_members_only(world: MakeWorld) -> None:
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


async def test_an_end_cancels_uninvited_members_and_follows_invited_ones(world: MakeWorld) -> None:
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


async def test_creating_a_campaign_again_returns_it_but_its_id_cannot_be_reused(world: MakeWorld) -> None:
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
