"""The routes of campaigns: create, release, pause and end, and the roles that each needs."""

from typing import Any

import pytest

from tests.support.principal import application, person
from tests.support.world import MakeWorld, account, tenant_of
from tests.workflows.campaign_caller import LIST, PEOPLE, SPRING, WORD, Caller, Made, error
from tests.workflows.campaigning import work


async def test_a_campaign_runs_from_its_list_to_its_end_by_http(spring: Made) -> None:
    place, caller = spring
    sent = await caller.send(LIST, keep="Lieferant")
    assert sent.status == 200, sent.body
    assert [(row["line"], row["outcome"]) for row in sent.body["rows"]] == [(n, "taken") for n in (2, 3, 4, 5)]
    assert {name: sent.body["status"][name] for name in ("state", "rows", "taken", "refused")} == {
        "state": "finished",
        "rows": 4,
        "taken": 4,
        "refused": 0,
    }
    assert "POST /api/campaigns/spring/judge" in sent.body["next"]
    assert await caller.run("judge_members") == {"ready": 2, "fixable": 1, "needsReview": 1}
    counts = (await caller.call("count_members")).body
    assert counts["people"] == 4
    assert counts["prospects"] == [
        {"name": "ready", "count": 2},
        {"name": "fixable", "count": 1},
        {"name": "needsAPerson", "count": 1},
    ]
    waiting = (await caller.to_decide())["looks-like-employee"]
    decided = await caller.call("approve_members", {**WORD, "approvedBy": "ciso@contoso.com", "members": waiting})
    assert (decided.body["decided"], decided.body["refused"]) == (1, 0)
    assert await caller.run("release_members", {"releasedBy": "ciso@contoso.com", **WORD}) == {"released": 3}
    assert await caller.stages() == {"1": "invited", "2": "invited", "3": "judged", "4": "invited"}
    (approved,) = await caller.members(rule="looks-like-employee")
    shown = (await caller.call("member_status", member=approved["member"])).body
    assert (shown["decidedBy"], shown["decidedBecause"]) == ("ciso@contoso.com", "ticket 4711")
    assert [each["rule"] for each in shown["waived"]] == ["looks-like-employee"]
    assert shown["columns"] == [{"header": "Lieferant", "value": "=Acme 4"}]
    assert await caller.run("end_campaign", {"reason": "over"}) == {"cancelled": 1}
    assert (await caller.call("campaign_status")).body["state"] == "ended"
    place.tenant.control.redeem(PEOPLE[0]["id"])
    place.pass_time(1000)
    await place.services.sweep.run()
    assert await caller.stages() == {"1": "completed", "2": "invited", "3": "cancelled", "4": "invited"}


async def test_a_campaign_can_be_created_listed_and_changed(spring: Made) -> None:
    place, caller = spring
    body = {"campaignId": SPRING, "name": "Suppliers"}
    again = await caller.call("create_campaign", body)
    assert (again.status, again.body["name"]) == (201, "Suppliers")
    assert error(await caller.call("create_campaign", {**body, "name": "Others"})) == (409, "CampaignIdInUse", None)
    defaults = {"sendInvitationMessage": False, "inviteRedirectUrl": "https://myapps.microsoft.com"}
    changed = await caller.call("change_campaign", {"name": "Suppliers of 2027", "defaults": defaults})
    assert (changed.status, changed.body["name"], changed.body["defaults"]) == (200, "Suppliers of 2027", defaults)
    events = [row["kind"] for row in place.rows("campaigns", SPRING) if row["RowKey"].startswith("history-")]
    assert events == ["created", "changed"]
    assert error(await caller.call("change_campaign", {})) == (400, "MissingField", None)
    listed = (await caller.call("list_campaigns")).body
    assert [each["campaignId"] for each in listed["campaigns"]] == [SPRING]


async def test_campaigns_are_listed_page_by_page(spring: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, caller = spring
    monkeypatch.setattr("b2b.workflows.campaigns.desk.PAGE", 2)
    for name in ("autumn", "winter"):
        await caller.call("create_campaign", {"campaignId": name, "name": name})
    first = (await caller.call("list_campaigns")).body
    second = (await caller.call("list_campaigns", query={"continuationToken": first["continuationToken"]})).body
    assert [each["campaignId"] for each in (*first["campaigns"], *second["campaigns"])] == ["autumn", SPRING, "winter"]
    assert "continuationToken" not in second
    assert "nextLink" not in second
    strange = await caller.call("list_members", query={"continuationToken": first["continuationToken"]})
    assert error(strange) == (400, "InvalidToken", "continuationToken")


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        ({"campaignId": "a b", "name": "x"}, "InvalidValue", "campaignId"),
        ({"campaignId": "..", "name": "x"}, "InvalidValue", "campaignId"),
        ({"campaignId": "x"}, "MissingField", "name"),
        ({"campaignId": "x", "name": "x", "defaults": {"dryRun": True}}, "UnknownField", "defaults.dryRun"),
        (
            {"campaignId": "x", "name": "x", "defaults": {"inviteRedirectUrl": "https://fabrikam.com"}},
            "RedirectHostNotAllowed",
            "defaults.inviteRedirectUrl",
        ),
        (
            {"campaignId": "x", "name": "x", "defaults": {"invitedUserSponsors": ["anna"]}},
            "InvalidValue",
            "defaults.invitedUserSponsors",
        ),
    ],
)
async def test_an_invalid_campaign_is_refused_and_the_field_named(
    spring: Made, body: dict[str, Any], code: str, target: str
) -> None:
    assert error(await spring[1].call("create_campaign", body)) == (400, code, target)


async def test_resending_a_list_after_the_switch_to_convert_tells_how_to_release(world: MakeWorld) -> None:
    place = await world(tenant_of(account(1)), B2B_MODE="assess")
    caller = Caller(place)
    await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    text = f"id\n{account(1)['id']}\n"
    await caller.send(text)
    await caller.run("judge_members")
    assert error(await caller.call("release_members"))[:2] == (409, "ModeIsAssess")
    assert "B2B_MODE is assess" in (await caller.send(text)).body["next"]
    place.services = await place.restart(B2B_MODE="convert")
    known = (await caller.send(text)).body
    assert known["status"]["unchanged"] == 1
    assert known["next"] == (
        "Every row was known already: release those who are judged ready by POST /api/campaigns/spring/release."
    )
    assert await caller.run("release_members") == {"released": 1}


async def test_a_member_of_another_campaign_is_not_found(spring: Made) -> None:
    place, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    key = (await caller.members())[0]["member"]
    other = Caller(place, "autumn")
    await other.call("create_campaign", {"campaignId": "autumn", "name": "Others"})
    assert error(await other.call("member_status", member=key)) == (404, "MemberNotFound", "member")
    for route in ("judge_members", "release_members"):
        assert error(await other.call(route, {"members": [key]})) == (404, "MemberNotFound", "members")
    shown = {"member": key, "findings": []}
    decided = await other.call("approve_members", {**WORD, "approvedBy": "ciso@contoso.com", "members": [shown]})
    assert decided.body["members"][0]["error"]["code"] == "MemberNotFound"


async def test_an_ended_campaign_accepts_no_further_work(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST)
    await caller.run("end_campaign")
    refused = {
        "send_list": b"id\n1\n",
        "judge_members": None,
        "release_members": None,
        "pause_campaign": None,
        "resume_campaign": None,
        "change_campaign": {"name": "x"},
        "approve_members": {**WORD, "approvedBy": "a", "members": [{"member": "0" * 32, "findings": []}]},
    }
    for route, body in refused.items():
        assert error(await caller.call(route, body))[:2] == (409, "CampaignEnded"), route
    assert await caller.run("end_campaign") == {}, "ended again, it stays ended"


async def test_a_paused_campaign_is_not_released_until_it_is_resumed(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    assert (await caller.call("pause_campaign", {"reason": "holidays"})).body["state"] == "paused"
    assert (await caller.call("pause_campaign")).body["state"] == "paused"
    assert error(await caller.call("release_members"))[:2] == (409, "CampaignPaused")
    assert (await caller.call("resume_campaign")).body["state"] == "open"
    assert await caller.run("release_members") == {"released": 2}


OF_A_CAMPAIGN = (
    *("campaign_status", "list_members", "members_csv", "fixes_csv", "fixes_script", "count_members"),
    *("list_lists", "decisions_waiting", "judge_members", "release_members", "pause_campaign", "end_campaign"),
)


@pytest.mark.parametrize("route", OF_A_CAMPAIGN)
@pytest.mark.parametrize("campaign", ["autumn", "campaigns~", "a/b", "\u200b"])
async def test_every_route_answers_404_for_an_unknown_campaign(spring: Made, route: str, campaign: str) -> None:
    reply = await Caller(spring[0], campaign).call(route)
    assert error(reply) == (404, "CampaignNotFound", "campaignId")


async def test_unknown_runs_and_members_get_404(spring: Made) -> None:
    _, caller = spring
    for run in ("0" * 32, "x", "../x"):
        assert error(await caller.call("run_status", runId=run)) == (404, "RunNotFound", "runId")
    for member in ("0" * 32, "x", "'"):
        assert error(await caller.call("member_status", member=member)) == (404, "MemberNotFound", "member")


async def test_with_sign_in_each_route_needs_its_role_and_decisions_a_person(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE), B2B_SIGN_IN="true")

    def as_(headers: dict[str, str]) -> Caller:
        return Caller(place, SPRING, headers)

    flow, reader, decider = as_(application("Request")), as_(person("Read")), as_(person("Decide"))
    assert (await flow.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})).status == 201
    assert (await flow.send(f"id\n{PEOPLE[0]['id']}\n")).status == 200
    ordered = await flow.call("judge_members")
    await work(place)
    assert (await flow.call("run_status", runId=ordered.body["runId"])).status == 200
    assert error(await flow.call("list_members"))[:2] == (403, "RoleMissing")
    assert error(await reader.call("release_members"))[:2] == (403, "RoleMissing")
    assert error(await as_(application("Decide")).call("release_members"))[:2] == (403, "PersonRequired")
    assert error(await decider.call("release_members", {"releasedBy": "x"})) == (400, "InvalidValue", "releasedBy")
    released = await decider.call("release_members")
    assert released.body["askedBy"]["kind"] == "person"
    await work(place)
    assert (await reader.call("count_members")).body["stages"] == [{"name": "invited", "count": 1}]
