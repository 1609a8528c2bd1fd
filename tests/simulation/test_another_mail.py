"""Another mail to an account that waits: who gets one, how often, and what is kept where its outcome is not known."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from b2b.api.answers import Reply
from tests.simulation.gate import Call
from tests.simulation.place import ANNA, DAY, HOUR, PASSED, Place, account

ADDRESS, NEW = "p1@fabrikam.com", "p1.right@fabrikam.com"
AN_HOUR = HOUR + 61
WHY = {"resentBy": "admin", "reason": "the mail is lost"}


async def resend(place: Place, **said: Any) -> Reply:
    return await place.app.resend(ANNA, json.dumps({**WHY, **said}).encode())


async def correct(place: Place, address: str = NEW, **said: Any) -> Reply:
    body = {"correctedBy": "admin", "reason": "misspelt", "invitedUserEmailAddress": address, **said}
    return await place.app.correct(ANNA, json.dumps(body).encode())


async def invited(people: int = 1, **settings: str) -> Place:
    place = Place(people, B2B_RULE_OVERRIDES='{"address-unlikely": "off"}', **settings)
    await place.invite()
    return place


def mails(place: Place) -> list[str]:
    return [mail.address for mail in place.directory.mails if mail.user_id == ANNA]


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


def at_the_call(place: Place, do: Callable[[], object]) -> None:
    """Let something happen just before an invitation reaches Graph."""
    place.gate.before = lambda call: do() if call.verb == "invite" else None


def lose_the_answer(place: Place, trouble: str = "reset") -> None:
    """Graph takes the invitation, and the app does not hear of it."""

    def after(call: Call) -> None:
        if call.verb == "invite":
            raise TimeoutError(trouble)

    place.gate.after = after


async def test_a_resend_sends_one_mail_to_the_same_address_and_says_who_wanted_it() -> None:
    place = await invited()
    reply = await resend(place)
    assert reply.status == 200, reply.body
    assert mails(place) == [ADDRESS, ADDRESS]
    (mail,) = reply.body["mails"]
    assert (mail["purpose"], mail["outcome"], mail["by"], mail["address"]) == ("resend", "sent", "admin", ADDRESS)
    assert reply.body["stage"] == "invited"
    told = {event["kind"]: event.get("detail") for event in await place.events()}
    assert told["resend"] == "by admin: the mail is lost"
    assert "resend-sent" in told


async def test_a_resend_keeps_language_and_landing_page_and_asks_for_a_mail_where_the_first_asked_for_none() -> None:
    place = Place(1)
    body = {
        "requestId": "r1",
        "invitedUser": {"id": ANNA},
        "sendInvitationMessage": False,
        "inviteRedirectUrl": "https://myapps.microsoft.com/start",
        "invitedUserMessageInfo": {"messageLanguage": "de-DE"},
    }
    await place.app.receive(json.dumps(body).encode(), "m", 1, place.now())
    await place.sweep(PASSED)
    assert mails(place) == []
    assert (await resend(place)).status == 200
    first, second = (post.body for post in place.directory.posts)
    assert mails(place) == [ADDRESS]
    assert first["inviteRedirectUrl"] == second["inviteRedirectUrl"]
    assert second["invitedUserMessageInfo"]["messageLanguage"] == "de-DE"


async def test_a_call_that_is_repeated_is_no_second_decision() -> None:
    place = await invited()
    assert (await resend(place)).status == 200
    assert code(await resend(place)) == (409, "SentJustNow")
    place.gate.now += AN_HOUR
    assert (await resend(place)).status == 200
    assert len(mails(place)) == 3


async def test_of_two_calls_at_the_same_moment_one_sends() -> None:
    place = await invited()
    replies = await asyncio.gather(resend(place), resend(place))
    assert sorted(reply.status for reply in replies) == [200, 409]
    assert len(mails(place)) == 2


async def test_a_lost_answer_is_recorded_and_nothing_repeats_it() -> None:
    place = await invited()
    lose_the_answer(place)
    reply = await resend(place)
    assert reply.status == 200
    assert [mail["outcome"] for mail in reply.body["mails"]] == ["unknown"]
    place.gate.after = lambda _call: None
    for _ in range(5):
        await place.sweep(DAY)
    assert len(mails(place)) == 2
    found = (await place.app.about("conversion_status", ANNA)).body
    assert [mail["outcome"] for mail in found["mails"]] == ["unknown"], "that the account waits is no answer"
    assert found["openDoubts"] == 0
    assert (await resend(place)).status == 200, "another decision sends again"


async def test_a_process_that_dies_in_the_call_leaves_the_try_behind_and_nothing_repeats_it() -> None:
    place = await invited()

    def dies(call: Call) -> None:
        if call.verb == "invite":
            raise KeyboardInterrupt

    place.gate.after = dies
    with pytest.raises(KeyboardInterrupt):
        await resend(place)
    place.gate.after = lambda _call: None
    place.run_with()
    assert code(await resend(place)) == (409, "SentJustNow")
    for _ in range(3):
        await place.sweep(DAY)
    assert len(mails(place)) == 2


async def test_what_certainly_did_not_leave_may_be_sent_at_once() -> None:
    place = await invited()
    place.gate.failing = lambda call: "unreachable" if call.verb == "invite" else None
    assert code(await resend(place)) == (503, "ServiceUnavailable")
    place.gate.failing = lambda _call: None
    reply = await resend(place)
    assert [mail["outcome"] for mail in reply.body["mails"]] == ["notSent", "sent"]
    assert len(mails(place)) == 2


@pytest.mark.parametrize(
    ("settings", "expected"), [({"B2B_PAUSED": "true"}, "AppPaused"), ({"B2B_MODE": "assess"}, "ModeIsAssess")]
)
async def test_mode_and_pause_hold_a_resend_back(settings: dict[str, str], expected: str) -> None:
    place = await invited()
    place.run_with(**settings)
    assert code(await resend(place)) == (409, expected)
    assert code(await correct(place)) == (409, expected)
    assert len(mails(place)) == 1


async def test_the_rules_are_asked_again() -> None:
    place = await invited()
    place.directory.disable(ANNA)
    reply = await resend(place)
    assert code(reply) == (409, "NotReady")
    assert reply.body["error"]["target"] == "account-disabled"
    place.directory.enable(ANNA)
    place.directory.change(ANNA, mail=NEW)
    reply = await resend(place)
    assert reply.body["error"]["target"] == "address-not-on-account"
    assert len(mails(place)) == 1


async def test_a_person_may_waive_what_a_review_says_by_name_and_the_history_tells_of_it() -> None:
    place = await invited()
    place.directory.set_roles(ANNA, ("729827e3-9c14-49f7-bb1b-9608f156bbb8",))
    refused = await resend(place)
    rule = refused.body["error"]["target"]
    assert code(await resend(place, waive=["address-unlikely"])) == (409, "FindingsChanged")
    assert (await resend(place, waive=[rule])).status == 200
    (told,) = [event["detail"] for event in await place.events() if event["kind"] == "resend"]
    assert told.endswith(f"waived: {rule}")


async def test_of_a_person_who_redeemed_nothing_is_sent_again() -> None:
    place = await invited()
    place.directory.redeem(ANNA)
    assert code(await resend(place)) == (409, "NotInvited")
    await place.sweep(60)
    assert code(await resend(place)) == (409, "NotInvited")
    assert len(mails(place)) == 1


async def test_a_person_who_redeems_in_the_second_of_a_resend_is_not_taken_back() -> None:
    place = await invited()
    at_the_call(place, lambda: place.directory.redeem(ANNA))
    reply = await resend(place)
    assert reply.status == 200
    place.gate.before = lambda _call: None
    await place.sweep(60)
    assert await place.stages() == {"accepted"}
    assert place.directory.account(ANNA)["externalUserState"] == "Accepted"


async def test_an_account_that_was_made_internal_again_is_not_invited_by_a_resend() -> None:
    place = await invited()
    place.directory.convert_back(ANNA)
    assert code(await resend(place)) == (409, "NotInvited")
    place.directory.delete(ANNA)
    assert code(await resend(place)) == (409, "NotReady")
    assert len(mails(place)) == 1


async def test_a_correction_invites_the_new_address_which_the_account_must_have_already() -> None:
    place = await invited()
    early = await correct(place)
    assert code(early) == (409, "NotReady")
    assert early.body["error"]["target"] == "address-not-on-account"
    place.directory.change(ANNA, mail=NEW)
    reply = await correct(place)
    assert reply.status == 200, reply.body
    assert mails(place) == [ADDRESS, NEW]
    assert (reply.body["invitedUserEmailAddress"], reply.body["earlierAddresses"]) == (NEW, [ADDRESS])
    assert (await place.app.get("r1")).body["invitedUserEmailAddress"] == NEW
    assert code(await correct(place)) == (409, "AddressUnchanged")
    assert len(mails(place)) == 2


async def corrected_and_redeemed(**person: str) -> Place:
    place = await invited()
    place.directory.change(ANNA, mail=NEW)
    assert (await correct(place)).status == 200
    await place.redeem(**person)
    for _ in range(3):
        await place.sweep(PASSED)
    return place


async def test_a_corrected_address_is_no_change_that_a_person_has_to_accept() -> None:
    place = await corrected_and_redeemed(provider="mail")
    assert (await place.stages(), await place.matches()) == ({"completed"}, "yes")
    assert "verified" in {event["kind"] for event in await place.events()}


async def test_after_a_corrected_address_a_person_decides_where_nobody_can_tell_who_redeemed() -> None:
    place = await corrected_and_redeemed()
    assert (await place.stages(), await place.matches()) == ({"unverified"}, "cannotTell")
    assert {each["rule"] for each in (await place.app.get("r1")).body["findings"]} >= {"redeemed-by-other"}
    assert "access-changed" not in {each["rule"] for each in (await place.app.get("r1")).body["findings"]}


async def test_a_correction_that_did_not_leave_gives_the_first_address_back() -> None:
    place = await invited()
    place.directory.change(ANNA, mail=NEW)
    place.gate.failing = lambda call: "unreachable" if call.verb == "invite" else None
    assert (await correct(place)).status == 503
    found = (await place.app.about("conversion_status", ANNA)).body
    assert (found["invitedUserEmailAddress"], found.get("earlierAddresses")) == (ADDRESS, [])
    place.gate.failing = lambda _call: None
    assert (await correct(place)).status == 200


async def test_where_graph_takes_no_other_address_the_first_one_stays_and_the_caller_reads_why() -> None:
    place = await invited()
    place.directory.set_switch("corrected-invitation", "refused")
    place.directory.change(ANNA, mail=NEW)
    reply = await correct(place)
    assert code(reply) == (409, "GraphRefused")
    assert "Nothing was sent" in reply.body["error"]["message"]
    found = (await place.app.about("conversion_status", ANNA)).body
    assert (found["invitedUserEmailAddress"], found["mails"][0]["outcome"]) == (ADDRESS, "refused")
    assert mails(place) == [ADDRESS]


async def test_a_correction_whose_answer_is_lost_counts_both_addresses_as_alive() -> None:
    place = await invited()
    place.directory.change(ANNA, mail=NEW)
    lose_the_answer(place)
    reply = await correct(place)
    assert (reply.body["invitedUserEmailAddress"], reply.body["earlierAddresses"]) == (NEW, [ADDRESS])
    place.gate.after = lambda _call: None
    await place.sweep(DAY)
    assert mails(place) == [ADDRESS, NEW]


async def test_two_accounts_do_not_get_one_address_by_a_correction() -> None:
    place = await invited(2)
    place.directory.change(account(2), mail="p2.own@fabrikam.com")
    place.directory.change(ANNA, mail="p2@fabrikam.com")
    reply = await correct(place, "p2@fabrikam.com")
    assert code(reply) == (409, "NotReady")
    assert mails(place) == [ADDRESS]


async def test_a_corrected_address_is_reserved_like_the_first() -> None:
    shared = '{"address-in-use": "warn", "address-requested-twice": "off", "address-unlikely": "off"}'
    place = Place(2, B2B_RULE_OVERRIDES=shared)
    place.directory.set_switch("held-address", "accepted")
    await place.invite()
    place.directory.change(ANNA, mail="p2@fabrikam.com", proxyAddresses=["SMTP:p2@fabrikam.com"])
    reply = await correct(place, "p2@fabrikam.com")
    assert (code(reply), reply.body["error"]["target"]) == ((409, "NotReady"), "address-requested-twice")
    assert mails(place) == [ADDRESS]


async def test_the_outcome_is_written_over_what_others_wrote_during_the_call() -> None:
    place = await invited()

    def another_writes() -> None:
        row = place.tables.open_client("conversions").read(ANNA, "current")
        place.tables.open_client("conversions").write({**row, "joined": 7})

    at_the_call(place, another_writes)
    reply = await resend(place)
    assert [mail["outcome"] for mail in reply.body["mails"]] == ["sent"]
    assert reply.body["joined"] == 7


async def test_the_ways_back_are_told_and_nothing_is_done() -> None:
    place = await invited()
    posts = len(place.directory.posts)
    waiting = (await place.app.about("way_back", ANNA)).body
    assert (waiting["stage"], waiting["standing"]) == ("invited", "waiting")
    assert [way["title"] for way in waiting["ways"]][:2] == ["Leave it", "Correct the address"]
    assert f"/api/conversions/{ANNA}/correct" in waiting["ways"][1]["do"]
    place.directory.redeem(ANNA)
    redeemed = (await place.app.about("way_back", ANNA)).body
    assert (redeemed["stage"], redeemed["standing"]) == ("invited", "redeemed"), "the directory is believed"
    back = next(way for way in redeemed["ways"] if way["title"] == "Convert it to an internal account")
    assert "its user type was Member, its user principal name p1@contoso.com" in back["costs"]
    place.directory.delete(ANNA)
    assert (await place.app.about("way_back", ANNA)).body["standing"] == "deleted"
    place.directory.purge(ANNA)
    assert (await place.app.about("way_back", ANNA)).body["standing"] == "gone"
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
