"""From a request to its invitation: every end that the conversion of one account can have."""

import json
from typing import Any

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]
POSTS = "/v1.0/invitations"


def invitations(world: World) -> int:
    return len([call for call in world.posts() if call["path"] == POSTS])


def rules(row: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in json.loads(row.get("findings", "[]"))}


@pytest.fixture
async def ready(world: MakeWorld) -> World:
    return await world(tenant_of(ANNA, account(2)))


async def test_a_ready_account_is_invited_and_its_history_records_it(ready: World) -> None:
    await ready.deliver(user=USER)
    assert ready.request("r1")["stage"] == "invited"
    state = ready.conversion(USER)
    assert state is not None
    assert (state["stage"], state["requestId"], state["verdict"]) == ("invited", "r1", "ready")
    assert state["assessedAt"] <= state["invitedAt"]
    assert "doubts" not in state
    assert ready.history("conversions", USER) == ["inviting", "invited"]
    assert ready.history("requests", "r1") == ["requested", "invited"]
    assert [mail["userId"] for mail in ready.tenant.control.mails()] == [USER]


async def test_no_redeem_link_reaches_the_ledger(ready: World) -> None:
    await ready.deliver(user=USER)
    everything = json.dumps([ready.rows("conversions", USER), ready.rows("requests", "r1")], default=str)
    ticket = ready.tenant.control.mails()[0]["ticket"]
    assert ticket
    assert ticket not in everything
    assert "redeem?" not in everything


async def test_a_message_delivered_twice_is_one_request(ready: World) -> None:
    await ready.deliver(user=USER)
    await ready.deliver(user=USER)
    assert invitations(ready) == 1
    assert ready.history("requests", "r1") == ["requested", "invited"]


async def test_a_message_without_an_id_that_is_delivered_twice_is_one_request(ready: World) -> None:
    for _ in range(2):
        await ready.deliver(None, USER, message="11111111-2222-4333-8444-555555555555")
    assert [row["PartitionKey"] for row in ready.all_requests()] == ["queue-11111111-2222-4333-8444-555555555555"]


async def test_a_second_request_joins_the_first_and_ends_with_it(ready: World) -> None:
    await ready.deliver("r1", USER)
    await ready.deliver("r2", USER, dryRun=False)
    assert invitations(ready) == 1
    assert ready.request("r2")["stage"] == "invited"
    ready.tenant.control.redeem(USER, "ExternalAzureAD")
    await ready.services.sweep.run()
    assert {ready.request(each)["stage"] for each in ("r1", "r2")} == {"completed"}
    await ready.deliver("r3", USER)
    assert ready.request("r3")["stage"] == "completed"
    assert invitations(ready) == 1


async def test_a_request_by_name_joins_without_being_judged(ready: World) -> None:
    await ready.deliver("r1", USER)
    await ready.receive(b'{"requestId": "r2", "invitedUser": {"userPrincipalName": "partner1@contoso.com"}}', "m2")
    second = ready.request("r2")
    assert (second["stage"], rules(second)) == ("invited", set())


async def test_a_new_request_after_a_block_starts_over(ready: World) -> None:
    await ready.deliver("r1", USER, invitedUserEmailAddress="partner.other@fabrikam.com")
    assert ready.request("r1")["stage"] == "blocked"
    await ready.deliver("r2", USER)
    state = ready.conversion(USER)
    assert state is not None
    assert (state["generation"], state["stage"], state["requestId"]) == (2, "invited", "r2")
    assert ready.request("r1")["stage"] == "blocked"
    assert ready.history("conversions", USER) == ["blocked", "inviting", "invited"]


async def test_another_body_with_a_known_id_is_only_recorded_in_the_history(ready: World) -> None:
    await ready.deliver("r1", USER)
    before = ready.request("r1")
    await ready.deliver("r1", account(2)["id"])
    after = ready.request("r1")
    ledgers_own = {"sequence": 0, "writeId": "", "recent": ""}
    assert {**after, **ledgers_own} == {**before, **ledgers_own}
    assert ready.history("requests", "r1")[-1] == "refused-repeat"
    assert ready.conversion(account(2)["id"]) is None


async def test_a_dry_run_writes_no_conversion_and_sends_nothing(ready: World) -> None:
    await ready.deliver(user=USER, dryRun=True)
    row = ready.request("r1")
    assert (row["stage"], row["verdict"], row["userId"]) == ("assessed", "ready", USER)
    assert ready.rows("conversions", USER) == []
    assert invitations(ready) == 0


async def test_in_mode_assess_nothing_is_written_to_graph(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA), B2B_MODE="assess")
    reply = await running.api.submit(json.dumps({"invitedUser": {"id": USER}, "dryRun": False}).encode(), "")
    assert (reply.body["mode"], reply.body["dryRun"]) == ("assess", True)
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "assessed"
    assert running.posts() == []


async def test_a_request_accepted_in_mode_convert_waits_while_the_mode_is_assess(ready: World) -> None:
    """The request is neither turned into a dry run nor lost, but waits until the mode is convert again."""
    reply = await ready.api.submit(json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode(), "")
    assert reply.body["dryRun"] is False
    ready.services = await ready.restart(B2B_MODE="assess")
    await ready.redeliver()
    assert ((await ready.status())["stage"], ready.posts()) == ("requested", [])
    ready.services = await ready.restart()
    await ready.redeliver()
    assert ready.request("r1")["stage"] == "invited"


async def test_a_waiting_request_keeps_its_redirect_host_if_the_setting_changes(world: MakeWorld) -> None:
    hosts = "myapps.microsoft.com,partners.contoso.com"
    running = await world(tenant_of(ANNA), B2B_PAUSED="true", B2B_ALLOWED_REDIRECT_HOSTS=hosts)
    await running.deliver(user=USER, inviteRedirectUrl="https://partners.contoso.com/start")
    running.services = await running.restart(B2B_PAUSED="false", B2B_ALLOWED_REDIRECT_HOSTS="myapps.microsoft.com")
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert [call["body"]["inviteRedirectUrl"] for call in running.posts()] == ["https://partners.contoso.com/start"]


async def test_an_address_requested_for_two_accounts_goes_to_the_first(world: MakeWorld) -> None:
    running = await world(
        tenant_of(ANNA, account(2)), B2B_RULE_OVERRIDES='{"address-not-on-account": "warn", "address-in-use": "warn"}'
    )
    await running.deliver("r1", USER)
    await running.deliver("r2", account(2)["id"], invitedUserEmailAddress=ANNA["mail"].upper())
    row = running.request("r2")
    assert row["stage"] == "blocked"
    twice = next(item for item in json.loads(row["findings"]) if item["rule"] == "address-requested-twice")
    assert USER in twice["message"]


SHARED: dict[str, Any] = {
    "switches": {"held-address": "accepted"},
    "B2B_RULE_OVERRIDES": '{"address-in-use": "warn"}',
}
TWIN = account(2, mail=ANNA["mail"])


@pytest.mark.parametrize(
    ("properties", "along"),
    [
        ({"isManagementRestricted": True}, "restricted-management"),
        ({"employeeType": "Employee"}, "looks-like-employee"),
    ],
)
async def test_an_address_in_use_is_reported_together_with_other_findings(
    world: MakeWorld, properties: dict[str, Any], along: str
) -> None:
    """If the app reported one finding at a time, an administrator would fix one only to be shown the next."""
    running = await world(tenant_of(ANNA, TWIN | properties), **SHARED)
    await running.deliver("r1", USER)
    assert running.request("r1")["stage"] == "invited"
    await running.deliver("r2", TWIN["id"], "m2")
    assert running.request("r2")["stage"] == "blocked"
    assert {"address-requested-twice", along} <= rules(running.request("r2"))


@pytest.mark.parametrize(("dry", "stage"), [(True, "assessed"), (False, "needsReview")])
async def test_an_address_whose_holder_is_gone_is_no_finding(
    world: MakeWorld,
    dry: bool,  # noqa: FBT001 - a column
    stage: str,
) -> None:
    running = await world(tenant_of(ANNA, TWIN | {"employeeType": "Employee"}), **SHARED)
    await running.deliver("r1", USER)
    running.tenant.control.reset(tenant_of(TWIN | {"employeeType": "Employee"}))
    await running.deliver("r2", TWIN["id"], "m2", dryRun=dry)
    assert running.request("r2")["stage"] == stage
    assert rules(running.request("r2")) == {"looks-like-employee"}


async def test_an_invitation_that_was_certainly_not_sent_is_sent_at_the_next_try(ready: World) -> None:
    ready.graph.on_invitation(before=httpx.ConnectError("refused"))
    await ready.deliver(user=USER)
    assert ready.history("conversions", USER) == ["inviting", "not-sent"]
    await ready.redeliver()
    assert (invitations(ready), ready.request("r1")["stage"]) == (1, "invited")


@pytest.mark.parametrize(
    ("switches", "rule"),
    [({"disabled-account": "refused"}, "account-disabled"), ({"verified-subdomain": "refused"}, "own-verified-domain")],
)
async def test_a_refusal_by_graph_becomes_a_finding(world: MakeWorld, switches: dict[str, str], rule: str) -> None:
    specials: dict[str, dict[str, Any]] = {
        "account-disabled": {"accountEnabled": False},
        "own-verified-domain": {"mail": "partner@sub.contoso.com"},
    }
    running = await world(
        tenant_of(account(1, **specials[rule])), switches=switches, B2B_RULE_OVERRIDES=json.dumps({rule: "warn"})
    )
    await running.deliver(user=USER)
    row = running.request("r1")
    assert (row["stage"], row["verdict"]) == ("blocked", "blocked")
    refused = next(item for item in json.loads(row["findings"]) if item["rule"] == rule and item["severity"] == "block")
    assert refused["message"].startswith("Graph refused the invitation: ")


LEGACY, CURRENT = {"tenant-version": "2020"}, {"address-match": "mail-only"}


@pytest.mark.parametrize(
    ("profile", "switches", "before"),
    [("current", LEGACY, {"otherMails": []}), ("2020", CURRENT, {"mail": None, "otherMails": [ANNA["mail"]]})],
)
async def test_the_fix_of_a_refusal_works_if_graph_follows_the_other_profile(
    world: MakeWorld, profile: str, switches: dict[str, str], before: dict[str, Any]
) -> None:
    running = await world(tenant_of(ANNA | before), switches=switches, B2B_ELIGIBILITY_PROFILE=profile)
    await running.deliver("r1", USER)
    (finding,) = json.loads(running.request("r1")["findings"])
    assert (finding["rule"], finding["severity"]) == ("address-not-on-account", "block")
    assert "both mail and otherMails" in finding["fix"]
    running.tenant.control.reset(tenant_of(ANNA | {"otherMails": [ANNA["mail"]]}))
    assert (await running.api.retry("r1", "http://localhost")).status == 202
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "invited"


async def test_a_refusal_that_no_rule_explains_ends_as_failed(world: MakeWorld) -> None:
    running = await world(
        tenant_of(account(1, isManagementRestricted=True)), B2B_RULE_OVERRIDES='{"restricted-management": "warn"}'
    )
    await running.deliver(user=USER)
    row = running.request("r1")
    assert row["stage"] == "failed"
    assert row["lastError"].startswith("403 Forbidden: Graph refused the invitation")


async def test_a_request_for_an_unknown_account_is_blocked_without_a_conversion(ready: World) -> None:
    nobody = "99999999-0000-4000-8000-000000000000"
    await ready.deliver(user=nobody)
    row = ready.request("r1")
    assert (row["stage"], rules(row)) == ("blocked", {"account-not-found"})
    assert ready.rows("conversions", nobody) == []
