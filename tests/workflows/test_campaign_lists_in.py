"""Lists as callers send them: which the app reads, which it refuses as a whole, and which rows it refuses."""

import json

import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.campaign.sheet import MOST_ROWS
from tests.support.world import MakeWorld, account, tenant_of
from tests.workflows.campaign_caller import HEADER, LIST, PEOPLE, SPRING, Caller, Made, error
from tests.workflows.campaigning import CISO, work


async def test_defaults_apply_unless_a_row_sets_another_value(world: MakeWorld) -> None:
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
async def test_an_unreadable_list_is_refused_as_a_whole(spring: Made, name: str) -> None:
    _, caller = spring
    raw, content_type, status, code = BAD_LISTS[name]
    assert error(await caller.send(raw, content_type))[:2] == (status, code)
    assert await caller.members() == []
    assert (await caller.call("list_lists")).body == {"lists": []}


async def test_an_invalid_row_is_reported_and_the_others_are_accepted(spring: Made) -> None:
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


async def test_a_list_in_windows_1252_is_read_if_the_charset_says_so(spring: Made) -> None:
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


async def test_a_query_can_name_the_callers_own_headers_of_columns(spring: Made) -> None:
    _, caller = spring
    text = "Konto;Extern;Nr\nanna@contoso.com;anna@fabrikam.com;7\n"
    assert error(await caller.send(text))[:2] == (400, "ListHeader")
    named = {"userPrincipalNameColumn": "konto", "addressColumn": "Extern", "referenceColumn": "Nr"}
    assert (await caller.send(text, **named)).body["status"]["taken"] == 1
    (found,) = await caller.members()
    assert (found["invitedUserEmailAddress"], found["reference"]) == ("anna@fabrikam.com", "7")
    missing = await caller.send(text, userPrincipalNameColumn="Account")
    assert error(missing)[:2] == (400, "ListHeader")


async def test_a_changed_list_replaces_the_rows_of_unreleased_members(spring: Made) -> None:
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


async def test_members_of_a_list_stored_while_the_campaign_ends_are_cancelled(spring: Made) -> None:
    """The run that ends the campaign has finished before the first member of the list is stored."""
    place, caller = spring
    other = await place.restart()

    async def end(_request: HttpRequest) -> None:
        await other.campaigns.end(SPRING, CISO)
        await work(place)

    place.faulty_storage.once(lambda request: request.url.endswith("$batch"), end)
    assert error(await caller.send(LIST))[:2] == (409, "CampaignEnded")
    found = await caller.members()
    assert len(found) == len(PEOPLE)
    assert {each["stage"] for each in found} == {"cancelled"}


async def test_a_second_row_for_a_known_member_is_refused_and_the_rest_accepted(world: MakeWorld) -> None:
    place = await world(tenant_of(*PEOPLE))
    caller = Caller(place)
    await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    await caller.send(f"id,reference\n{PEOPLE[0]['id']},1\n")
    await caller.run("judge_members")
    text = f"id,userPrincipalName,reference\n{PEOPLE[0]['id']},,2\n,{PEOPLE[0]['userPrincipalName']},3\n"
    reply = await caller.send(text + f"{PEOPLE[1]['id']},,4\n")
    assert reply.status == 200
    assert [row["outcome"] for row in reply.body["rows"]] == ["changed", "refused", "taken"]
