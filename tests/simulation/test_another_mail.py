"""Resending an invitation: which accounts get a mail, how often, and how an unknown outcome is recorded."""

import asyncio
import json

import pytest

from tests.simulation.gate import Call
from tests.simulation.mailing import (
    ADDRESS,
    AN_HOUR,
    NEW,
    at_the_call,
    code,
    correct,
    invited,
    lose_the_answer,
    mails,
    resend,
)
from tests.simulation.place import ANNA, DAY, PASSED, Place


async def test_a_resend_sends_one_mail_to_the_same_address_and_records_who_asked_for_it() -> None:
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


async def test_a_resend_keeps_language_and_landing_page_and_always_asks_for_a_mail() -> None:
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


async def test_a_repeated_resend_is_refused_for_an_hour() -> None:
    place = await invited()
    assert (await resend(place)).status == 200
    assert code(await resend(place)) == (409, "SentJustNow")
    place.gate.now += AN_HOUR
    assert (await resend(place)).status == 200
    assert len(mails(place)) == 3


async def test_of_two_concurrent_resends_only_one_sends() -> None:
    place = await invited()
    replies = await asyncio.gather(resend(place), resend(place))
    assert sorted(reply.status for reply in replies) == [200, 409]
    assert len(mails(place)) == 2


async def test_a_lost_answer_is_recorded_as_unknown_and_the_mail_is_not_repeated() -> None:
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
    assert [mail["outcome"] for mail in found["mails"]] == ["unknown"], "a pending account does not show the outcome"
    assert found["openDoubts"] == 0
    assert (await resend(place)).status == 200, "another decision sends again"


async def test_if_the_process_dies_in_the_call_the_attempt_counts_and_is_not_repeated() -> None:
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


async def test_a_mail_that_was_certainly_not_sent_can_be_sent_at_once() -> None:
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
async def test_mode_assess_and_a_pause_refuse_resends_and_corrections(settings: dict[str, str], expected: str) -> None:
    place = await invited()
    place.run_with(**settings)
    assert code(await resend(place)) == (409, expected)
    assert code(await correct(place)) == (409, expected)
    assert len(mails(place)) == 1


async def test_a_resend_checks_the_rules_again() -> None:
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


async def test_a_named_review_finding_can_be_waived_and_the_history_records_it() -> None:
    place = await invited()
    place.directory.set_roles(ANNA, ("729827e3-9c14-49f7-bb1b-9608f156bbb8",))
    refused = await resend(place)
    rule = refused.body["error"]["target"]
    assert code(await resend(place, waive=["address-unlikely"])) == (409, "FindingsChanged")
    assert (await resend(place, waive=[rule])).status == 200
    (told,) = [event["detail"] for event in await place.events() if event["kind"] == "resend"]
    assert told.endswith(f"waived: {rule}")


async def test_an_account_that_has_redeemed_gets_no_resend() -> None:
    place = await invited()
    place.directory.redeem(ANNA)
    assert code(await resend(place)) == (409, "NotInvited")
    await place.sweep(60)
    assert code(await resend(place)) == (409, "NotInvited")
    assert len(mails(place)) == 1


async def test_a_redemption_during_a_resend_is_kept() -> None:
    place = await invited()
    at_the_call(place, lambda: place.directory.redeem(ANNA))
    reply = await resend(place)
    assert reply.status == 200
    place.gate.before = lambda _call: None
    await place.sweep(60)
    assert await place.stages() == {"accepted"}
    anna = place.directory.account(ANNA)
    assert anna is not None
    assert anna["externalUserState"] == "Accepted"


async def test_an_account_that_was_made_internal_again_is_not_invited_by_a_resend() -> None:
    place = await invited()
    place.directory.convert_back(ANNA)
    assert code(await resend(place)) == (409, "NotInvited")
    place.directory.delete(ANNA)
    assert code(await resend(place)) == (409, "NotReady")
    assert len(mails(place)) == 1


async def test_the_outcome_is_written_even_if_the_row_changed_during_the_call() -> None:
    place = await invited()

    def another_writes() -> None:
        row = place.tables.open_client("conversions").read(ANNA, "current")
        assert row is not None
        place.tables.open_client("conversions").write({**row, "joined": 7})

    at_the_call(place, another_writes)
    reply = await resend(place)
    assert [mail["outcome"] for mail in reply.body["mails"]] == ["sent"]
    assert reply.body["joined"] == 7
