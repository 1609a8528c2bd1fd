"""Who may decide, with and without sign-in, and how the history records the actor."""

import json
from typing import Any

import pytest

from b2b.api.answers import Reply
from rehearsal.history import history
from tests.support.client import Client
from tests.support.principal import ANNA, BORIS, FLOW, application, person
from tests.support.world import MakeWorld, World, account, tenant_of

PERSON = account(1)
USER = PERSON["id"]
GROUP = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [USER],
}
REASON = b'{"reason": "known supplier"}'
STATED = b'{"approvedBy": "ops@contoso.com", "reason": "known supplier"}'


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


def actors(world: World, table: str = "requests", key: str = "r1") -> list[tuple[str, dict[str, Any]]]:
    """Return the kind and the actor of every event of a row, in order."""
    return [(event["kind"], json.loads(event["actor"])) for event in history(world.rows(table, key))]


def client(world: World, headers: dict[str, str]) -> Client:
    return Client(world.services.api, headers)


async def in_review(world: MakeWorld, headers: dict[str, str], **settings: str) -> World:
    """Return a world in which this caller's request r1 waits for a person's decision."""
    running = await world(tenant_of(PERSON, groups=[GROUP]), **settings)
    body = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode()
    assert (await client(running, headers).submit(body)).status == 202
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"
    return running


async def test_with_a_key_the_author_of_a_decision_is_stated_in_the_body(world: MakeWorld) -> None:
    running = await in_review(world, {})
    assert code(await running.api.approve("r1", REASON)) == (400, "MissingField")
    assert (await running.api.approve("r1", STATED)).status == 202
    await running.redeliver()
    stated = {"kind": "stated", "name": "ops@contoso.com"}
    assert actors(running) == [
        ("requested", {"kind": "key"}),
        ("needsReview", {"kind": "queue"}),
        ("approved", stated),
        ("invited", {"kind": "queue"}),
    ]


@pytest.mark.parametrize(
    ("name", "reason", "wrong"),
    [
        ("\u200b", "known", "U+200B ZERO WIDTH SPACE"),
        ("\u202emoc.osotnoc@spo", "known", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("ops@contoso.com\n2026-11-27 approved", "known", "U+000A"),
        ("ops@contoso.com", "\u200b\n", "one of which can be seen"),
        ("ops@contoso.com", "known\u0000", "U+0000"),
    ],
)
async def test_names_and_reasons_with_invisible_characters_are_refused(
    world: MakeWorld, name: str, reason: str, wrong: str
) -> None:
    """A history is evidence: a name must not be invisible, and must not look like another entry."""
    running = await in_review(world, {})
    reply = await running.api.approve("r1", json.dumps({"approvedBy": name, "reason": reason}).encode())
    assert code(reply) == (400, "InvalidValue")
    assert wrong in reply.body["error"]["message"]
    assert running.request("r1")["stage"] == "needsReview"


async def test_a_reason_may_have_several_lines_and_any_script(world: MakeWorld) -> None:
    running = await in_review(world, {})
    reason = "1. \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\r\n\t2. \U0001f469\u200d\U0001f4bb"
    body = {"approvedBy": "\u00c5sa Berg, \u8d22\u52a1", "reason": reason}
    assert (await running.api.approve("r1", json.dumps(body).encode())).status == 202


async def test_without_sign_in_the_principal_is_ignored(world: MakeWorld) -> None:
    running = await in_review(world, person("Decide"))
    assert code(await client(running, person("Decide")).approve("r1", REASON)) == (400, "MissingField")
    assert actors(running)[0] == ("requested", {"kind": "key"})


async def test_a_signed_in_person_decides_in_their_own_name(world: MakeWorld) -> None:
    running = await in_review(world, person("Request"), B2B_SIGN_IN="true")
    boris = client(running, person("Decide", object_id=BORIS))
    assert code(await boris.approve("r1", STATED)) == (400, "InvalidValue")
    assert (await boris.approve("r1", REASON)).status == 202
    assert actors(running)[0] == ("requested", {"kind": "person", "id": ANNA})
    assert actors(running)[-1] == ("approved", {"kind": "person", "id": BORIS})


async def test_a_person_may_not_approve_their_own_request(world: MakeWorld) -> None:
    running = await in_review(world, person("Request"), B2B_SIGN_IN="true")
    anna = client(running, person("Decide"))
    reply = await anna.approve("r1", REASON)
    assert code(reply) == (403, "OwnRequest")
    assert running.request("r1")["stage"] == "needsReview"
    assert (await anna.refuse("r1", REASON)).status == 202, "refusing one's own request needs no second person"


async def test_a_person_may_approve_neither_the_first_nor_a_later_request_of_their_own(
    world: MakeWorld,
) -> None:
    running = await in_review(world, person("Request"), B2B_SIGN_IN="true")
    anna, boris = client(running, person("Decide", "Request")), client(running, person("Request", object_id=BORIS))
    for request_id, caller in (("r2", anna), ("r3", boris)):
        body = json.dumps({"requestId": request_id, "invitedUser": {"id": USER}}).encode()
        assert (await caller.submit(body)).status == 202
        await running.redeliver(request_id)
    for request_id in ("r1", "r2"):
        assert code(await anna.approve(request_id, REASON)) == (403, "OwnRequest")
    assert (await anna.approve("r3", REASON)).status == 202, "Boris asked for this one"


async def test_a_person_may_not_approve_a_request_that_they_released(world: MakeWorld) -> None:
    running = await world(tenant_of(PERSON, groups=[GROUP]), B2B_SIGN_IN="true")
    anna = client(running, person("Decide", "Request"))
    body = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}, "dryRun": True}).encode()
    assert (await anna.submit(body)).status == 202
    await running.redeliver()
    assert (await anna.call("release_request", "r1")).status == 202
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"
    assert code(await anna.approve("r1", REASON)) == (403, "OwnRequest")


async def test_a_person_may_approve_their_own_request_if_the_setting_allows_it(world: MakeWorld) -> None:
    running = await in_review(world, person("Request"), B2B_SIGN_IN="true", B2B_SELF_APPROVAL="true")
    assert (await client(running, person("Decide")).approve("r1", REASON)).status == 202


@pytest.mark.parametrize("decision", ["approve", "refuse"])
async def test_an_application_may_not_decide(world: MakeWorld, decision: str) -> None:
    running = await in_review(world, application("Request"), B2B_SIGN_IN="true")
    flow = client(running, application("Decide"))
    body = json.dumps({f"{'approved' if decision == 'approve' else 'refused'}By": "x", "reason": "y"}).encode()
    assert code(await getattr(flow, decision)("r1", body)) == (403, "PersonRequired")
    assert running.request("r1")["stage"] == "needsReview"


async def test_an_application_may_pass_a_decision_on_if_the_setting_allows_it(world: MakeWorld) -> None:
    running = await in_review(world, application("Request"), B2B_SIGN_IN="true", B2B_STATED_DECISIONS="true")
    flow = client(running, application("Decide"))
    assert code(await flow.approve("r1", REASON)) == (400, "MissingField")
    assert (await flow.approve("r1", STATED)).status == 202
    assert actors(running)[-1] == ("approved", {"kind": "stated", "id": FLOW, "name": "ops@contoso.com"})


async def test_a_release_by_an_application_names_its_author(world: MakeWorld) -> None:
    running = await world(tenant_of(PERSON), B2B_SIGN_IN="true", B2B_STATED_DECISIONS="true")
    body = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}, "dryRun": True}).encode()
    flow = client(running, application("Request", "Decide"))
    await flow.submit(body)
    await running.redeliver()
    assert code(await flow.call("release_request", "r1")) == (400, "EmptyBody")
    assert code(await flow.call("release_request", "r1", b"{}")) == (400, "MissingField")
    stated = b'{"releasedBy": "ops@contoso.com", "reason": "wave 2"}'
    assert (await flow.call("release_request", "r1", stated)).status == 202
    assert actors(running)[-1] == ("released", {"kind": "stated", "id": FLOW, "name": "ops@contoso.com"})


async def test_every_event_of_a_conversion_has_its_actor(world: MakeWorld) -> None:
    running = await world(tenant_of(PERSON), B2B_SIGN_IN="true")
    await running.deliver(user=USER)
    running.tenant.control.redeem(USER, "mail")
    await running.services.sweep.run()
    await running.services.sweep.run()
    by_queue, by_timer = {"kind": "queue"}, {"kind": "timer"}
    assert actors(running) == [("requested", by_queue), ("invited", by_queue), ("completed", by_timer)]
    seen = actors(running, "conversions", USER)
    assert all(actor in (by_queue, by_timer) for _, actor in seen)
    assert dict(seen)["completed"] == by_timer
