"""What a correction leaves behind: the first address, the snapshots, and an attempt that Graph refused."""

import asyncio
import json
from typing import Any

from tests.simulation.mailing import ADDRESS, NEW, correct, invited
from tests.simulation.place import ANNA, DAY, PASSED, Place, account

READINGS = 14
"""Sweeps after a redemption, enough for every comparison until its deadline."""


async def both() -> Place:
    """Return a place with two people, of whom the first is invited."""
    place = Place(2, B2B_RULE_OVERRIDES='{"address-unlikely": "off"}')
    await ask(place, "r1", ANNA)
    await place.sweep(PASSED)
    return place


async def ask(place: Place, request_id: str, user_id: str) -> None:
    body = json.dumps({"requestId": request_id, "invitedUser": {"id": user_id}}).encode()
    await place.app.receive(body, f"message-{request_id}", 1, place.now())


async def compared(place: Place) -> set[str]:
    """Let the person redeem, and return the stages after all comparisons."""
    await place.redeem(provider="mail")
    for _ in range(READINGS):
        await place.sweep(PASSED)
    return await place.stages()


async def status(place: Place, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await place.app.about("conversion_status", user_id)).body
    return found


async def test_the_first_address_stays_taken_until_the_redemption() -> None:
    place = await both()
    place.directory.change(ANNA, mail=NEW)
    assert (await correct(place)).status == 200
    place.directory.change(account(2), mail=ADDRESS)
    await ask(place, "r2", account(2))
    told = (await place.app.get("r2")).body
    assert told["stage"] == "blocked"
    assert "address-requested-twice" in [each["rule"] for each in told["findings"]]
    assert place.directory.redeem(ANNA)
    await place.sweep(PASSED)
    await ask(place, "r3", account(2))
    assert (await place.app.get("r3")).body["stage"] == "invited"


async def test_a_refused_correction_does_not_give_its_first_address_away_meanwhile() -> None:
    place = await both()
    place.directory.set_switch("corrected-invitation", "refused")
    place.directory.change(ANNA, mail=NEW)
    place.directory.change(account(2), mail=ADDRESS)
    started, go_on, call = asyncio.Event(), asyncio.Event(), place.gate.call

    async def held(what: Any, *rest: Any) -> Any:
        if what.verb == "invite" and not started.is_set():
            started.set()
            await go_on.wait()
        return await call(what, *rest)

    place.gate.call = held  # type: ignore[method-assign, assignment]
    correcting = asyncio.create_task(correct(place))
    await started.wait()
    await ask(place, "r2", account(2))
    go_on.set()
    assert (await correcting).status == 409
    first, second = await status(place, ANNA), await status(place, account(2))
    assert (first["stage"], first["invitedUserEmailAddress"]) == ("invited", ADDRESS)
    assert second["stage"] != "invited"


async def test_after_a_refused_correction_the_account_is_compared_with_its_first_mail() -> None:
    place = await invited()
    place.directory.set_switch("corrected-invitation", "refused")
    place.directory.change(ANNA, mail=NEW)
    assert (await correct(place)).status == 409
    place.directory.change(ANNA, mail=ADDRESS)
    await place.sweep(PASSED)
    assert await compared(place) == {"completed"}


async def test_a_change_seen_before_a_correction_is_still_confirmed_after_it() -> None:
    place = await invited()
    await place.sweep(7 * DAY)
    place.directory.set_groups(ANNA, [])
    await place.sweep(7 * DAY)
    place.directory.change(ANNA, mail=NEW)
    place.gate.now += 60
    assert (await correct(place)).status == 200
    await place.sweep(PASSED)
    assert await compared(place) == {"completed"}
    assert "access-changed-before" in [event["kind"] for event in await place.events()]
