"""Correcting the address of an invited account: which address is allowed, and how the first one is kept."""

from tests.simulation.mailing import ADDRESS, NEW, code, correct, invited, lose_the_answer, mails
from tests.simulation.place import ANNA, DAY, PASSED, Place, account


async def test_a_correction_invites_a_new_address_only_if_the_account_already_has_it() -> None:
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


async def test_a_corrected_address_is_no_difference_in_the_comparison() -> None:
    place = await corrected_and_redeemed(provider="mail")
    assert (await place.stages(), await place.matches()) == ({"completed"}, "yes")
    assert "verified" in {event["kind"] for event in await place.events()}


async def test_after_a_correction_a_person_decides_if_the_redeemer_is_not_known() -> None:
    place = await corrected_and_redeemed()
    assert (await place.stages(), await place.matches()) == ({"unverified"}, "cannotTell")
    assert {each["rule"] for each in (await place.app.get("r1")).body["findings"]} >= {"redeemed-by-other"}
    assert "access-changed" not in {each["rule"] for each in (await place.app.get("r1")).body["findings"]}


async def test_a_correction_that_was_not_sent_restores_the_first_address() -> None:
    place = await invited()
    place.directory.change(ANNA, mail=NEW)
    place.gate.failing = lambda call: "unreachable" if call.verb == "invite" else None
    assert (await correct(place)).status == 503
    found = (await place.app.about("conversion_status", ANNA)).body
    assert (found["invitedUserEmailAddress"], found.get("earlierAddresses")) == (ADDRESS, [])
    place.gate.failing = lambda _call: None
    assert (await correct(place)).status == 200


async def test_if_graph_refuses_the_new_address_the_first_stays_and_the_answer_says_why() -> None:
    place = await invited()
    place.directory.set_switch("corrected-invitation", "refused")
    place.directory.change(ANNA, mail=NEW)
    reply = await correct(place)
    assert code(reply) == (409, "GraphRefused")
    assert "Nothing was sent" in reply.body["error"]["message"]
    found = (await place.app.about("conversion_status", ANNA)).body
    assert (found["invitedUserEmailAddress"], found["mails"][0]["outcome"]) == (ADDRESS, "refused")
    assert mails(place) == [ADDRESS]


async def test_after_a_correction_with_a_lost_answer_both_addresses_are_kept() -> None:
    place = await invited()
    place.directory.change(ANNA, mail=NEW)
    lose_the_answer(place)
    reply = await correct(place)
    assert (reply.body["invitedUserEmailAddress"], reply.body["earlierAddresses"]) == (NEW, [ADDRESS])
    place.gate.after = lambda _call: None
    await place.sweep(DAY)
    assert mails(place) == [ADDRESS, NEW]


async def test_a_correction_cannot_give_two_accounts_the_same_address() -> None:
    place = await invited(2)
    place.directory.change(account(2), mail="p2.own@fabrikam.com")
    place.directory.change(ANNA, mail="p2@fabrikam.com")
    reply = await correct(place, "p2@fabrikam.com")
    assert code(reply) == (409, "NotReady")
    assert mails(place) == [ADDRESS]


async def test_a_correction_reserves_the_new_address() -> None:
    shared = '{"address-in-use": "warn", "address-requested-twice": "off", "address-unlikely": "off"}'
    place = Place(2, B2B_RULE_OVERRIDES=shared)
    place.directory.set_switch("held-address", "accepted")
    await place.invite()
    place.directory.change(ANNA, mail="p2@fabrikam.com", proxyAddresses=["SMTP:p2@fabrikam.com"])
    reply = await correct(place, "p2@fabrikam.com")
    assert (code(reply), reply.body["error"]["target"]) == ((409, "NotReady"), "address-requested-twice")
    assert mails(place) == [ADDRESS]
