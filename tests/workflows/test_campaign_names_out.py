"""What a campaign returns: members, fixes and waiting decisions, by every condition of a filter."""

import pytest

from b2b.workflows.campaigns.runs import MOST_NAMED
from tests.support.world import MakeWorld, tenant_of
from tests.workflows.campaign_caller import LIST, NO_MAIL, PEOPLE, SPRING, WORD, Caller, Made, error, table


async def test_members_as_csv_have_no_formulas_and_the_callers_own_columns(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST, keep="Lieferant")
    await caller.run("judge_members")
    rows = table(await caller.call("members_csv"))
    assert {row["Lieferant"] for row in rows} == {f"'=Acme {number}" for number in (1, 2, 3, 4)}
    assert {row["userPrincipalName"] for row in rows} == {each["userPrincipalName"] for each in PEOPLE}
    (fixable,) = table(await caller.call("members_csv", query={"verdict": "fixable"}))
    assert (fixable["reference"], fixable["change"]) == ("3", "set the external address of the account")
    name = (await caller.call("members_csv")).headers["Content-Disposition"]
    assert name == 'attachment; filename="spring-members.csv"'
    again = await caller.send((await caller.call("members_csv")).sent, keep="Lieferant")
    assert [row["outcome"] for row in again.body["rows"]] != [], "what comes out can be read in again"


async def test_the_fixes_are_returned_as_csv_and_as_a_script(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    (fix,) = table(await caller.call("fixes_csv"))
    assert (fix["userPrincipalName"], fix["property"], fix["from"], fix["to"]) == (
        NO_MAIL["userPrincipalName"],
        "mail",
        "",
        "partner3@fabrikam.com",
    )
    script = await caller.call("fixes_script")
    assert script.media == "text/plain"
    assert NO_MAIL["id"] in script.sent.decode()
    assert "Update-MgUser" in script.sent.decode()
    assert table(await caller.call("fixes_csv", query={"verdict": "ready"})) == []


async def test_all_errors_of_a_filter_are_reported_at_once(spring: Made) -> None:
    _, caller = spring
    query = {"stage": "done", "verdict": "good", "waiting": "ever", "waitsLongerThanDays": "a week"}
    for route in ("list_members", "members_csv", "fixes_csv", "fixes_script"):
        reply = await caller.call(route, query=query)
        assert error(reply) == (400, "InvalidValue", "stage")
        assert [each["target"] for each in reply.body["error"]["details"]] == list(query)
    for days in ("-1", "999999999"):
        reply = await caller.call("list_members", query={"waitsLongerThanDays": days})
        assert error(reply) == (400, "InvalidValue", "waitsLongerThanDays")
    assert error(await caller.call("judge_members", {"stage": "done"}))[:2] == (400, "InvalidValue")
    both = {"stage": "judged", "members": ["0" * 32]}
    assert error(await caller.call("judge_members", both)) == (400, "InvalidValue", "members")
    many = {"members": [f"{number:032x}" for number in range(MOST_NAMED + 1)]}
    assert error(await caller.call("judge_members", many)) == (400, "InvalidValue", "members")


async def test_members_are_found_by_each_condition_and_the_cost_is_reported(spring: Made) -> None:
    place, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    await caller.run("release_members", {"releasedBy": "ciso@contoso.com"})
    place.pass_time(8 * 86400)
    found = {
        "stage=invited": ["1", "2"],
        "verdict=needsReview": ["4"],
        "rule=address-not-on-account": ["3"],
        "domain=FABRIKAM.com&stage=invited": ["1", "2"],
        "waiting=paused": [],
        "waitsLongerThanDays=7&stage=invited": ["1", "2"],
        "waitsLongerThanDays=9": [],
    }
    for text, expected in found.items():
        query = dict(each.split("=") for each in text.split("&"))
        page = (await caller.call("list_members", query=query)).body
        assert sorted(each["reference"] for each in page["members"]) == expected, text
        assert page["cost"]["calls"] == 2, text
    assert page["cost"]["lines"] == 4


async def test_a_page_continues_where_the_last_one_ended(spring: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, caller = spring
    await caller.send(LIST)
    for name, size in (("PAGE", 3), ("SCANNED", 1), ("SCANS", 2)):
        monkeypatch.setattr(f"b2b.workflows.campaigns.desk.{name}", size)
    for query, lengths in (({"stage": "listed"}, [3, 1]), ({"domain": "fabrikam.com"}, [2, 2, 0])):
        seen, sizes, more = list[str](), list[int](), dict[str, str]()
        while True:
            page = (await caller.call("list_members", query={**query, **more})).body
            seen += [each["reference"] for each in page["members"]]
            sizes.append(len(page["members"]))
            if "continuationToken" not in page:
                break
            assert "continuationToken=" in page["nextLink"]
            more = {"continuationToken": page["continuationToken"]}
        assert (sorted(seen), sizes) == (["1", "2", "3", "4"], lengths)
    elsewhere = await caller.call("list_members", query={"stage": "judged", **more})
    assert error(elsewhere) == (400, "InvalidToken", "continuationToken")


async def test_a_decision_with_other_findings_than_those_shown_is_refused(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    (shown,) = (await caller.to_decide())["looks-like-employee"]
    stale = {**shown, "findings": [{"rule": "looks-like-employee", "message": "something else"}]}
    by = {**WORD, "refusedBy": "ciso@contoso.com"}
    reply = await caller.call("refuse_members", {**by, "members": [stale]})
    assert (reply.status, reply.body["refused"]) == (200, 1)
    assert reply.body["members"][0]["error"]["code"] == "FindingsChanged"
    for members in ([], [shown, shown], [{**shown, "findings": [1]}], [{"member": shown["member"]}]):
        assert (await caller.call("refuse_members", {**by, "members": members})).status == 400
    for body in ({"members": [shown], **WORD}, {"members": [shown], "refusedBy": "a"}):
        assert error(await caller.call("refuse_members", body))[:2] == (400, "MissingField")
    assert (await caller.call("refuse_members", {**by, "members": [shown]})).body["decided"] == 1
    assert (await caller.stages())["4"] == "cancelled"
    assert await caller.to_decide() == {}


@pytest.mark.parametrize("stranger_first", [True, False])
async def test_no_fix_changes_an_account_that_two_rows_name(world: MakeWorld, stranger_first: bool) -> None:  # noqa: FBT001
    place = await world(tenant_of(*PEOPLE))
    caller = Caller(place)
    await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    own, other = f"{PEOPLE[0]['id']},,,1\n", f",{PEOPLE[0]['userPrincipalName']},partner1@elsewhere.com,2\n"
    header = "id,userPrincipalName,invitedUserEmailAddress,reference\n"
    await caller.send(header + (other + own if stranger_first else own + other))
    (first,) = [each["member"] for each in await caller.members() if each["reference"] == "1"]
    await caller.run("judge_members", {"members": [first]})
    await caller.run("judge_members")
    assert "partner1@elsewhere.com" not in (await caller.call("fixes_script")).sent.decode()
