"""Adopting an account that someone else invited, and reading the ways back. Neither sends anything."""

import json

from b2b.api.answers import Reply
from tests.simulation.mailing import ADDRESS, code, invited, mails, resend
from tests.simulation.place import ANNA, PASSED, Place


async def test_the_ways_back_follow_the_account_and_reading_them_sends_nothing() -> None:
    place = await invited()
    posts = len(place.directory.posts)
    waiting = (await place.app.about("read_way_back", ANNA)).body
    assert (waiting["stage"], waiting["standing"]) == ("invited", "waiting")
    assert [way["title"] for way in waiting["ways"]][:2] == ["Leave it", "Correct the address"]
    assert f"/api/conversions/{ANNA}/correct" in waiting["ways"][1]["do"]
    place.directory.redeem(ANNA)
    redeemed = (await place.app.about("read_way_back", ANNA)).body
    assert (redeemed["stage"], redeemed["standing"]) == ("invited", "redeemed"), "the directory decides, not the row"
    back = next(way for way in redeemed["ways"] if way["title"] == "Convert it to an internal account")
    assert "its user type was Member and its user principal name p1@contoso.com" in back["costs"]
    place.directory.delete(ANNA)
    assert (await place.app.about("read_way_back", ANNA)).body["standing"] == "deleted"
    place.directory.purge(ANNA)
    assert (await place.app.about("read_way_back", ANNA)).body["standing"] == "gone"
    assert len(place.directory.posts) == posts


async def test_a_late_cancellation_is_refused_and_names_the_route_of_the_ways_back() -> None:
    place = await invited()
    reply = await place.app.cancel("r1")
    assert code(reply) == (409, "NotCancellable")
    assert f"GET /api/conversions/{ANNA}/way-back" in reply.body["error"]["message"]
    assert "neither recall it nor let it expire" in reply.body["error"]["message"]


async def blocked() -> Place:
    """Return a place with a request that is blocked, because someone else has invited its account."""
    place = Place()
    assert place.directory.invite_by_hand(ANNA)
    place.gate.now += PASSED
    body = {"requestId": "r1", "invitedUser": {"id": ANNA}}
    await place.app.receive(json.dumps(body).encode(), "m", 1, place.now())
    assert await place.stages() == {"blocked"}
    return place


async def adopt(place: Place) -> Reply:
    return await place.app.adopt("r1", b'{"adoptedBy": "admin", "reason": "invited in the portal"}')


async def test_adopting_an_account_that_is_no_longer_pending_ends_blocked_and_sends_nothing() -> None:
    place = await blocked()
    place.directory.convert_back(ANNA)
    place.gate.now += PASSED
    assert (await adopt(place)).status == 202
    await place.work()
    assert await place.stages() == {"blocked"}
    assert {each["rule"] for each in (await place.app.get("r1")).body["findings"]} >= {"nothing-to-adopt"}
    assert place.directory.posts == []
    assert code(await adopt(place)) == (409, "NotAdoptable")
    assert (await place.app.retry("r1")).status == 202
    await place.work()
    assert await place.stages() == {"invited"}, "a retry is another decision, so the app invites"


async def test_an_invitation_can_be_resent_to_an_adopted_account() -> None:
    place = await blocked()
    await adopt(place)
    await place.work()
    assert (await resend(place)).status == 200
    assert mails(place) == [ADDRESS]


async def test_an_adopted_account_is_followed_to_its_end_and_gets_no_mail() -> None:
    place = await blocked()
    reply = await adopt(place)
    assert (reply.status, reply.body["stage"]) == (202, "requested"), reply.body
    await place.work()
    assert await place.stages() == {"invited"}
    found = (await place.app.about("conversion_status", ANNA)).body
    assert (found["adopted"], found["generation"]) == (True, 2)
    place.directory.redeem(ANNA)
    await place.sweep(PASSED)
    await place.sweep(60)
    assert await place.stages() == {"completed"}
    assert "nothing was compared" in str([event.get("detail") for event in await place.events()])
    assert (mails(place), place.directory.posts) == ([], [])
