"""The comparison after a redemption, from the claim to the decision, and what it costs: on services in memory."""

import asyncio
import json

import pytest

from tests.simulation.directory_tenant import PERMISSIONS
from tests.simulation.place import ANNA, COMPARED, DAY, HOUR, PARTNERS, PASSED, Place, account, redeemed


async def test_two_equal_readings_a_window_apart_verify_and_complete() -> None:
    place = await redeemed()
    waiting = (await place.app.get("r1")).body
    assert (waiting["stage"], waiting["waiting"]["reason"]) == ("accepted", "comparing")
    await place.sweep(61)
    assert await place.stages() == {"accepted"}, "one reading proves nothing"
    await place.sweep(60)
    assert await place.stages() == {"accepted"}, "the second is not due yet"
    await place.sweep(PASSED)
    assert await place.stages() == {"completed"}
    events = await place.events()
    assert [event["kind"] for event in events][-4:] == ["accepted", "equal", "verified", "completed"]
    assert events[-2]["detail"].startswith("everything was compared; signs in with the invited address: cannotTell (")
    report = (await place.app.about("conversion_access", ANNA)).body
    assert report["before"]["kinds"] == report["after"]["kinds"]
    assert (report["differences"], report["notCompared"]) == ([], [])


async def test_a_lost_group_becomes_a_finding_at_the_deadline_and_can_be_accepted() -> None:
    place = await redeemed()
    place.directory.set_groups(ANNA, [])
    await place.sweep(61)
    assert await place.stages() == {"accepted"}
    await place.sweep(HOUR)
    assert await place.stages() == {"unverified"}
    assert await place.finding() == f"After the redemption: groups: missing {PARTNERS} ({PARTNERS})."
    (difference,) = (await place.app.about("conversion_access", ANNA)).body["differences"]
    assert (difference["kind"], [each["id"] for each in difference["missing"]]) == ("groups", [PARTNERS])
    nobody = await place.app.accept(ANNA, b'{"reason": "left on purpose"}')
    assert (nobody.status, nobody.body["error"]["code"]) == (400, "MissingField")
    taken = await place.app.accept(ANNA, b'{"acceptedBy": "Nora", "reason": "left on purpose"}')
    assert (taken.status, taken.body["stage"]) == (200, "completed")
    last = (await place.events())[-1]["detail"]
    assert "Nora" in last
    assert last.endswith(f"left on purpose: After the redemption: groups: missing {PARTNERS} ({PARTNERS}).")
    assert await place.stages() == {"completed"}
    again = await place.app.accept(ANNA, b'{"acceptedBy": "Nora", "reason": "twice"}')
    assert (again.status, again.body["error"]["code"]) == (409, "NotUnverified")


async def test_a_fresh_comparison_after_a_repair_verifies_the_account() -> None:
    place = await redeemed()
    place.directory.part_fault = lambda url: 500 if "ownedObjects" in url else None
    await place.sweep(HOUR + 61)
    assert await place.finding() == (
        "After the redemption: owned objects cannot be read any more: Graph answers 500 InternalServerError."
    )
    place.directory.part_fault = lambda _url: None
    asked = await place.app.compare(ANNA)
    assert (asked.status, asked.body["stage"]) == (200, "accepted")
    assert "access-changed" not in {each["rule"] for each in asked.body["findings"]}
    await place.sweep(61)
    await place.sweep(PASSED)
    assert await place.stages() == {"completed"}


async def test_a_finding_names_a_permission_that_was_withdrawn() -> None:
    place = await redeemed()
    place.directory.permissions = frozenset(PERMISSIONS) - {COMPARED}
    await place.sweep(HOUR + 61)
    said = "After the redemption: app roles cannot be read any more: the permission Directory.Read.All is missing."
    assert await place.finding() == said


async def test_the_verified_event_names_kinds_that_were_not_readable_before() -> None:
    place = await redeemed(frozenset(PERMISSIONS) - {COMPARED})
    await place.sweep(61)
    await place.sweep(PASSED)
    (proof,) = [event for event in await place.events() if event["kind"] == "verified"]
    assert proof["detail"].startswith("not compared: app roles: the permission Directory.Read.All is missing; signs in")
    (unread,) = (await place.app.about("conversion_access", ANNA)).body["notCompared"]
    assert unread["kind"] == "appRoles"


async def test_a_change_long_before_the_redemption_is_recorded_without_a_finding() -> None:
    place = Place()
    await place.invite()
    place.directory.set_groups(ANNA, [])
    await place.sweep(8 * DAY)
    await place.sweep(PASSED + 60)
    await place.redeem()
    await place.sweep(61)
    await place.sweep(PASSED)
    assert await place.stages() == {"completed"}
    kinds = [event["kind"] for event in await place.events()]
    assert kinds.count("access-changed-before") == 1
    assert "unverified" not in kinds


async def test_after_a_reset_the_account_waits_and_is_compared_after_redeeming() -> None:
    place = await redeemed()
    place.directory.reset_redemption(ANNA)
    await place.sweep(PASSED)
    assert await place.stages() == {"invited"}
    await place.sweep(PASSED)
    await place.redeem()
    await place.sweep(61)
    await place.sweep(PASSED)
    assert await place.stages() == {"completed"}
    assert len(place.directory.mails) == 1


@pytest.mark.parametrize("settings", [{"B2B_COMPARE_ACCESS": "false"}, {}], ids=["off", "on"])
async def test_turning_the_comparison_off_completes_without_one_and_says_so(
    settings: dict[str, str],
) -> None:
    place = await redeemed()
    place.run_with(**settings)
    await place.sweep(61)
    last = (await place.events())[-1]
    off = "nothing was compared: B2B_COMPARE_ACCESS is false"
    assert (last["kind"], last["detail"].split(";")[0]) == (("completed", off) if settings else ("equal", "once"))


async def test_an_outage_of_graph_postpones_the_comparison_past_its_deadline() -> None:
    place = await redeemed()
    place.gate.failing = lambda call: "unreachable" if call.service == "graph" else None
    await place.sweep(HOUR + 61)
    assert await place.stages() == {"accepted"}
    place.gate.failing = lambda _call: None
    await place.sweep(700)
    assert (await place.events())[-1]["kind"] == "equal"


async def test_a_comparison_costs_at_most_one_graph_call_per_account(capsys: pytest.CaptureFixture[str]) -> None:
    """An invitation with its snapshot costs at most two calls. The comparison consists of two readings."""
    place = Place(people=48)
    bodies = [json.dumps({"invitedUser": {"id": account(number)}}).encode() for number in range(1, 49)]
    await asyncio.gather(*(place.app.receive(body, f"m{n}", 1, place.now()) for n, body in enumerate(bodies)))
    at_load = place.gate.calls["graph"] / 48
    assert len(place.directory.mails) == 48
    for number in range(1, 49):
        assert place.directory.redeem(account(number))
    await place.sweep(PASSED)
    before = place.gate.calls["graph"]
    place.gate.now += 61
    await place.app.part("verify")
    place.gate.now += PASSED
    await place.app.part("verify")
    compared = (place.gate.calls["graph"] - before) / 48
    found = [(await place.app.about("conversion_status", account(number))).body["stage"] for number in range(1, 49)]
    assert set(found) == {"completed"}
    with capsys.disabled():
        print(f"\n{at_load:.2f} Graph calls per invited account, {compared:.2f} more for the comparison")  # noqa: T201
    assert at_load <= 2.0
    assert compared <= 1.0
