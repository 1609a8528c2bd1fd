"""Decisions about an invited account over HTTP and on real storage: a resend, a correction, an adoption."""

import json

import httpx

from b2b.api.answers import Reply
from tests.support.world import MakeWorld, World, tenant_of
from tests.workflows.deciding import ANNA, BASE, USER, WINDOW, adopt, code, mailed

HOUR = 3661
RESEND = {"resentBy": "ops@contoso.com", "reason": "it did not arrive"}


async def resend(world: World) -> Reply:
    return await world.api.call("resend_invitation", "", json.dumps(RESEND).encode(), BASE, userId=USER)


async def invited(world: MakeWorld) -> World:
    running = await world(tenant_of(ANNA))
    await running.deliver(user=USER)
    running.pass_time(WINDOW)
    await running.services.sweep.run()
    assert mailed(running) == [USER]
    return running


async def test_a_lost_answer_stays_unknown_and_only_another_decision_sends_again(world: MakeWorld) -> None:
    running = await invited(world)
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    reply = await resend(running)
    assert [mail["outcome"] for mail in reply.body["mails"]] == ["unknown"]
    assert code(await resend(running)) == (409, "SentJustNow")
    running.pass_time(HOUR)
    await running.services.sweep.run()
    assert len(mailed(running)) == 2
    again = await resend(running)
    assert [mail["outcome"] for mail in again.body["mails"]] == ["unknown", "sent"]
    assert len(mailed(running)) == 3
    kinds = running.history("conversions", USER)
    assert [kind for kind in kinds if kind.startswith("resend")] == [
        "resend",
        "resend-unknown",
        "resend",
        "resend-sent",
    ]


async def test_an_incomplete_body_is_refused_with_the_names_of_its_missing_fields(world: MakeWorld) -> None:
    running = await invited(world)
    reply = await running.api.call("correct_address", "", b'{"reason": "typo"}', BASE, userId=USER)
    faults = reply.body["error"]["details"]
    assert {fault["target"] for fault in faults} == {"correctedBy", "invitedUserEmailAddress"}
    assert code(await running.api.call("resend_invitation", "", b"{}", BASE, userId="nobody"))[0] == 400
    body = json.dumps(RESEND).encode()
    assert code(await running.api.call("resend_invitation", "", body, BASE, userId="nobody")) == (
        404,
        "ConversionNotFound",
    )


async def test_an_adopted_account_gets_no_mail_and_is_followed(world: MakeWorld) -> None:
    pending = {**ANNA, "externalUserState": "PendingAcceptance"}
    running = await world(tenant_of(pending))
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "blocked"
    assert (await adopt(running)).status == 202
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert running.history("requests", "r1") == ["requested", "blocked", "adopted", "invited"]
    assert mailed(running) == []
