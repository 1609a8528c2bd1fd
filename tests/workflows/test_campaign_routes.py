"""Campaigns as callers reach them: a list in, judged, decided about, released, names out, paused and ended."""

import csv
import io
import json
from typing import Any

import pytest

from b2b.api.answers import Reply
from b2b.domain.campaign.csv_out import MARK
from b2b.domain.campaign.sheet import MOST_ROWS
from b2b.workflows.campaigns.runs import MOST_NAMED
from tests.support.client import Client
from tests.support.principal import application, person
from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.test_campaigns import work

SPRING = "spring"
NO_MAIL, EMPLOYEE = account(3, mail=None), account(4, employeeType="Employee")
PEOPLE = [account(1), account(2), NO_MAIL, EMPLOYEE]
HEADER = "userPrincipalName,invitedUserEmailAddress,reference,Lieferant\r\n"
LIST = HEADER + "".join(
    f"{each['userPrincipalName']},{each['mail'] or 'partner3@fabrikam.com'},{number},=Acme {number}\r\n"
    for number, each in enumerate(PEOPLE, 1)
)
WORD = {"reason": "ticket 4711"}
Made = tuple[World, "Caller"]


class Caller:
    """Calls the routes of one campaign."""

    def __init__(self, world: World, campaign: str = SPRING, headers: dict[str, str] | None = None) -> None:
        self._world, self._campaign, self._headers = world, campaign, headers or {}

    async def call(self, route: str, body: Any = None, query: dict[str, str] | None = None, **path: str) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        client = Client(self._world.services.api, self._headers)
        return await client.call(route, body=raw, query=query or {}, campaignId=self._campaign, **path)

    async def send(self, text: str | bytes, content_type: str = "text/csv", **query: str) -> Reply:
        caller = Caller(self._world, self._campaign, {**self._headers, "content-type": content_type})
        return await caller.call("send_list", text.encode() if isinstance(text, str) else text, query)

    async def run(self, route: str, body: Any = None) -> dict[str, Any]:
        """Order work, let the app do it, and follow the address that was given."""
        ordered = await self.call(route, body)
        assert ordered.status == 202, ordered.body
        run_id = ordered.body["runId"]
        assert ordered.headers["Location"].endswith(f"/api/campaigns/{self._campaign}/runs/{run_id}")
        assert (await self.call("run_status", runId=run_id)).status == 202
        await work(self._world)
        done = await self.call("run_status", runId=run_id)
        assert done.status == 200, done.body
        return {each["name"]: each["count"] for each in done.body["outcomes"]}

    async def members(self, **query: str) -> list[dict[str, Any]]:
        page = await self.call("list_members", query=query)
        assert page.status == 200, page.body
        found: list[dict[str, Any]] = page.body["members"]
        return found

    async def stages(self) -> dict[str, str]:
        return {each["reference"]: each["stage"] for each in await self.members()}

    async def to_decide(self) -> dict[str, list[dict[str, Any]]]:
        found = await self.call("decisions_waiting")
        return {
            group["rule"]: [{name: each[name] for name in ("member", "findings")} for each in group["members"]]
            for group in found.body["groups"]
        }


def error(reply: Reply) -> tuple[int, str, str | None]:
    told = reply.body["error"]
    assert told["message"].rstrip(".")
    assert reply.headers["x-ms-error-code"] == told["code"]
    return reply.status, told["code"], told["target"]


def table(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.body
    assert reply.media == "text/csv"
    text = reply.sent.decode()
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK), newline="")))


@pytest.fixture
async def spring(world: MakeWorld) -> Made:
    """A campaign without members."""
    override = '{"home-account-not-entra": "off", "looks-like-employee": "review"}'
    place = await world(tenant_of(*PEOPLE), B2B_RULE_OVERRIDES=override)
    caller = Caller(place)
    made = await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    assert made.status == 201, made.body
    return place, caller


async def test_the_whole_way_from_a_list_to_its_end(spring: Made) -> None:
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


async def test_names_out_as_csv_are_no_formulas_and_have_the_callers_own_columns(spring: Made) -> None:
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


async def test_the_fixes_come_as_a_table_and_as_a_script(spring: Made) -> None:
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


async def test_a_campaign_is_made_listed_and_changed(spring: Made) -> None:
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
async def test_a_campaign_that_cannot_be_is_refused_by_field(
    spring: Made, body: dict[str, Any], code: str, target: str
) -> None:
    assert error(await spring[1].call("create_campaign", body)) == (400, code, target)


async def test_defaults_hold_unless_a_row_says_otherwise(world: MakeWorld) -> None:
    place = await world(tenant_of(account(1), account(2)))
    caller = Caller(place)
    body = {"campaignId": SPRING, "name": "Suppliers", "defaults": {"sendInvitationMessage": False}}
    await caller.call("create_campaign", body)
    text = f"id,sendInvitationMessage\n{account(1)['id']},\n{account(2)['id']},true\n"
    await caller.send(text)
    await caller.run("judge_members")
    await caller.run("release_members", {"releasedBy": "ciso@contoso.com"})
    assert {mail["userId"] for mail in place.tenant.control.mails()} == {account(2)["id"]}


def rows_of(count: int) -> bytes:
    return ("id\n" + "".join(f"0a000000-0000-4000-8000-{number:012d}\n" for number in range(count))).encode()


BAD_LISTS: dict[str, tuple[bytes, str, int, str]] = {
    "empty": (b"", "text/csv", 400, "EmptyBody"),
    "blank lines": (b" \r\n\r\n", "text/csv", 400, "EmptyBody"),
    "a header alone": (HEADER.encode(), "text/csv", 400, "ListEmpty"),
    "one column that names nobody": (b"Lieferant\nAcme\n", "text/csv", 400, "ListHeader"),
    "no header": (b"anna@contoso.com,anna@fabrikam.com\n", "text/csv", 400, "ListHeader"),
    "a doubled header": (b"upn,UPN\na@contoso.com,b@contoso.com\n", "text/csv", 400, "ListHeader"),
    "two headers that mean the same": (b"upn,User name\na@contoso.com,b\n", "text/csv", 400, "ListHeader"),
    "a NUL": (b"upn\nanna@contoso.com\n\0\n", "text/csv", 400, "ListNotText"),
    "a NUL in JSON": (b'[{"upn": "a@contoso.com", "reference": "a\\u0000b"}]', "application/json", 400, "ListNotText"),
    "half a character in JSON": (b'[{"upn": "a@contoso.com", "x": "\\ud800"}]', "application/json", 400, "ListNotText"),
    "half a character in a name": (b'[{"upn": "a@contoso.com", "\\udfff": 1}]', "application/json", 400, "ListNotText"),
    "too many columns": (b"upn" + b"," * 200 + b"z\na@contoso.com\n", "text/csv", 400, "ListHeader"),
    "Latin-1 taken for UTF-8": ("upn\njörg@contoso.com\n".encode("latin-1"), "text/csv", 400, "ListNotText"),
    "UTF-8 taken for Latin-1": (
        "upn\njörg@contoso.com\n".encode(),
        "text/csv; charset=iso-8859-1",
        400,
        "ListNotText",
    ),
    "an unknown charset": (b"upn\na@contoso.com\n", "text/csv; charset=ebcdic", 400, "ListNotText"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\xff\xfe", "text/csv", 400, "ListNotText"),
    "a quotation mark that is missing": (b'upn\n"anna@contoso.com\n', "text/csv", 400, "ListNotCsv"),
    "a form": (b"--x\r\n", "multipart/form-data; boundary=x", 415, "UnsupportedMediaType"),
    "no JSON": (b"upn\na@contoso.com\n", "application/json", 400, "NotJson"),
    "JSON that is no list": (b'{"member": []}', "application/json", 400, "WrongType"),
    "an empty array": (b"[]", "application/json", 400, "ListEmpty"),
    "9 MB": (b"upn\n" + b"x" * 9_000_000, "text/csv", 413, "ListTooLarge"),
    "10,001 rows": (rows_of(MOST_ROWS + 1), "text/csv", 413, "ListTooLarge"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
async def test_a_list_that_cannot_be_read_is_refused_whole(spring: Made, name: str) -> None:
    _, caller = spring
    raw, content_type, status, code = BAD_LISTS[name]
    assert error(await caller.send(raw, content_type))[:2] == (status, code)
    assert await caller.members() == []
    assert (await caller.call("list_lists")).body == {"lists": []}


async def test_a_row_that_is_wrong_is_told_by_line_and_column_and_its_neighbours_are_taken(spring: Made) -> None:
    _, caller = spring
    rows = [
        "anna@contoso.com,anna@fabrikam.com,1",
        "no name,berta@fabrikam.com,2",
        "carla@contoso.com,carla@fabrikam.com," + "x" * 100_000,
        "anna@contoso.com,other@fabrikam.com,4",
        "dora@contoso.com,ANNA@fabrikam.com,5",
        ",,6",
        "emma@contoso.com,emma@fabrikam.com,7",
    ]
    reply = await caller.send("upn;address;ref\r\n" + "\r\n".join(rows).replace(",", ";"))
    told = {
        row["line"]: [(fault["code"], fault["column"]) for fault in row["faults"]] or row["outcome"]
        for row in reply.body["rows"]
    }
    assert told == {
        2: "taken",
        3: [("InvalidValue", "upn")],
        4: [("InvalidValue", "ref")],
        5: [("DuplicatePerson", "upn")],
        6: [("DuplicateAddress", "address")],
        7: [("MissingField", "upn")],
        8: "taken",
    }
    assert all(fault["message"] for row in reply.body["rows"] for fault in row["faults"])
    assert reply.body["status"] == {**reply.body["status"], "rows": 7, "taken": 2, "refused": 5}
    assert "Correct the rows" in reply.body["next"]
    assert {each["reference"] for each in await caller.members()} == {"1", "7"}


async def test_a_list_in_windows_1252_is_read_when_the_charset_says_so(spring: Made) -> None:
    _, caller = spring
    text = "upn;address;ref\r\njörg@contoso.com;joerg@fabrikam.com;Größe\r\n"
    reply = await caller.send(text.encode("cp1252"), 'text/csv; charset="Windows-1252"')
    assert reply.status == 200, reply.body
    assert [each["reference"] for each in await caller.members()] == ["Größe"]


async def test_a_list_in_json_has_the_same_columns(spring: Made) -> None:
    _, caller = spring
    rows = [
        {"userPrincipalName": PEOPLE[0]["userPrincipalName"], "reference": 1, "Lieferant": "Acme"},
        {"invitedUser": {"id": PEOPLE[1]["id"]}, "sendInvitationMessage": False},
        {"id": 5},
    ]
    reply = await caller.send(json.dumps({"members": rows}), "application/json", keep="Lieferant")
    assert [row["outcome"] for row in reply.body["rows"]] == ["taken", "taken", "refused"]
    assert {(each["header"], each["column"], each["kept"]) for each in reply.body["columns"]} >= {
        ("reference", "reference", False),
        ("Lieferant", None, True),
    }
    assert (await caller.send(json.dumps(rows), "application/json", keep="Lieferant")).body["status"]["unchanged"] == 2


async def test_columns_with_headers_of_the_callers_own_are_named_in_the_query(spring: Made) -> None:
    _, caller = spring
    text = "Konto;Extern;Nr\nanna@contoso.com;anna@fabrikam.com;7\n"
    assert error(await caller.send(text))[:2] == (400, "ListHeader")
    named = {"userPrincipalNameColumn": "konto", "addressColumn": "Extern", "referenceColumn": "Nr"}
    assert (await caller.send(text, **named)).body["status"]["taken"] == 1
    (found,) = await caller.members()
    assert (found["invitedUserEmailAddress"], found["reference"]) == ("anna@fabrikam.com", "7")
    missing = await caller.send(text, userPrincipalNameColumn="Account")
    assert error(missing)[:2] == (400, "ListHeader")


async def test_a_file_that_changes_between_two_sends_replaces_what_was_not_released(spring: Made) -> None:
    _, caller = spring
    await caller.send(LIST)
    await caller.run("judge_members")
    await caller.run("release_members", {"releasedBy": "ciso@contoso.com"})
    text = LIST.replace("partner1@fabrikam.com", "wrong@fabrikam.com").replace(
        "partner3@fabrikam.com", "partner.3@fabrikam.com"
    )
    reply = await caller.send(text)
    told = {row["line"]: [each["code"] for each in row["faults"]] or row["outcome"] for row in reply.body["rows"]}
    assert told == {2: ["MemberReleased"], 3: "unchanged", 4: "changed", 5: "unchanged"}
    (changed,) = await caller.members(stage="listed")
    assert (changed["reference"], changed["verdict"]) == ("3", None)


async def test_the_same_list_after_the_switch_to_convert_says_how_it_is_released(world: MakeWorld) -> None:
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


async def test_a_member_of_another_campaign_is_none_of_this_one(spring: Made) -> None:
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


async def test_an_ended_campaign_takes_nothing_more(spring: Made) -> None:
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
async def test_an_unknown_campaign_is_told_by_every_route(spring: Made, route: str, campaign: str) -> None:
    reply = await Caller(spring[0], campaign).call(route)
    assert error(reply) == (404, "CampaignNotFound", "campaignId")


async def test_unknown_runs_and_members_are_told(spring: Made) -> None:
    _, caller = spring
    for run in ("0" * 32, "x", "../x"):
        assert error(await caller.call("run_status", runId=run)) == (404, "RunNotFound", "runId")
    for member in ("0" * 32, "x", "'"):
        assert error(await caller.call("member_status", member=member)) == (404, "MemberNotFound", "member")


async def test_all_that_is_wrong_with_a_filter_is_told(spring: Made) -> None:
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


async def test_members_are_found_by_every_condition_and_the_cost_is_told(spring: Made) -> None:
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


async def test_a_page_goes_on_where_the_last_one_ended(spring: Made, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_decisions_are_about_exactly_what_was_shown(spring: Made) -> None:
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


async def test_with_sign_in_each_role_does_its_part_and_a_person_decides(world: MakeWorld) -> None:
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


@pytest.mark.parametrize("stranger_first", [True, False])
async def test_the_fixes_leave_an_account_alone_that_two_rows_name(world: MakeWorld, stranger_first: bool) -> None:  # noqa: FBT001
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


async def test_of_two_rows_for_one_known_member_the_second_is_refused_and_the_rest_taken(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    caller = Caller(place)
    await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    await caller.send(f"id,reference\n{PEOPLE[0]['id']},1\n")
    await caller.run("judge_members")
    text = f"id,userPrincipalName,reference\n{PEOPLE[0]['id']},,2\n,{PEOPLE[0]['userPrincipalName']},3\n"
    reply = await caller.send(text + f"{PEOPLE[1]['id']},,4\n")
    assert reply.status == 200
    assert [row["outcome"] for row in reply.body["rows"]] == ["changed", "refused", "taken"]
