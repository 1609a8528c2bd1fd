"""An invitation of others that is followed, and what undoing would take: nothing is sent for either."""

import json

from b2b.api.answers import Reply
from tests.simulation.mailing import ADDRESS, code, invited, mails, resend
from tests.simulation.place import ANNA, PASSED, Place


async def test_the_ways_back_are_told_and_nothing_is_done() -> None:
    place = await invited()
    posts = len(place.directory.posts)
    waiting = (await place.app.about("read_way_back", ANNA)).body
    assert (waiting["stage"], waiting["standing"]) == ("invited", "waiting")
    assert [way["title"] for way in waiting["ways"]][:2] == ["Leave it", "Correct the address"]
    assert f"/api/conversions/{ANNA}/correct" in waiting["ways"][1]["do"]
    place.directory.redeem(ANNA)
    redeemed = (await place.app.about("read_way_back", ANNA)).body
    assert (redeemed["stage"], redeemed["standing"]) == ("invited", "redeemed"), "the directory is believed"
    back = next(way for way in redeemed["ways"] if way["title"] == "Convert it to an internal account")
    assert "its user type was Member, its user principal name p1@contoso.com" in back["costs"]
    place.directory.delete(ANNA)
    assert (await place.app.about("read_way_back", ANNA)).body["standing"] == "deleted"
    place.directory.purge(ANNA)
    assert (await place.app.about("read_way_back", ANNA)).body["standing"] == "gone"
    assert len(place.directory.posts) == posts


async def test_a_cancellation_that_comes_too_late_says_what_is_possible() -> None:
    place = await invited()
    reply = await place.app.cancel("r1")
    assert code(reply) == (409, "NotCancellable")
    assert f"GET /api/conversions/{ANNA}/way-back" in reply.body["error"]["message"]
    assert "none expires" in reply.body["error"]["message"]


async def blocked() -> Place:
    """An account that others invited before its request came."""
    place = Place()
    assert place.directory.invite_by_hand(ANNA)
    place.gate.now += PASSED
    body = {"requestId": "r1", "invitedUser": {"id": ANNA}}
    await place.app.receive(json.dumps(body).encode(), "m", 1, place.now())
    assert await place.stages() == {"blocked"}
    return place


async def adopt(place: Place) -> Reply:
    return await place.app.adopt("r1", b'{"adoptedBy": "admin", "reason": "invited in the portal"}')


async def test_where_the_account_does_not_wait_any_more_an_adoption_sends_nothing() -> None:
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
    assert await place.stages() == {"invited"}, "a retry is another decision: it invites"


async def test_an_adopted_account_may_get_a_mail_that_a_person_decides_about() -> None:
    place = await blocked()
    await adopt(place)
    await place.work()
    assert (await resend(place)).status == 200
    assert mails(place) == [ADDRESS]


async def test_an_account_that_others_invited_is_followed_and_gets_no_mail() -> None:
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
