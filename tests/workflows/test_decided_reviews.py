"""A person approves a request that waits for one, or refuses it."""

import pytest

from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.deciding import ANNA, BASE, GROUP, USER, WINDOW, approve, code, details, mailed, refuse, weights

# Approve


async def test_an_approved_request_goes_on_and_its_history_says_who_why_and_what_was_waived(privileged: World) -> None:
    reply = await approve(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    await privileged.redeliver()
    row = privileged.request("r1")
    assert (row["stage"], weights(row)) == ("invited", {"directory-role": "warn"})
    assert "by ops@contoso.com: known supplier; waived: directory-role" in details(privileged)


async def test_only_what_was_shown_is_waived(privileged: World) -> None:
    await approve(privileged)
    other = {**GROUP, "id": "55555555-0000-4000-8000-000000000000", "displayName": "More"}
    privileged.tenant.control.reset(tenant_of(ANNA, groups=[GROUP, other]))
    await privileged.redeliver()
    assert (privileged.request("r1")["stage"], mailed(privileged)) == ("needsReview", [])


async def test_an_approval_does_not_lift_a_block(privileged: World) -> None:
    await approve(privileged)
    privileged.tenant.control.reset(tenant_of(account(1, isManagementRestricted=True), groups=[GROUP]))
    await privileged.redeliver()
    assert privileged.request("r1")["stage"] == "blocked"


@pytest.mark.parametrize(("body", "why", "target"), [(b"", "EmptyBody", None), (b"{}", "MissingField", "approvedBy")])
async def test_an_approval_without_name_and_reason_is_refused_as_a_request_would_be(
    privileged: World, body: bytes, why: str, target: str | None
) -> None:
    reply = await privileged.api.approve("r1", body, BASE)
    assert (reply.status, reply.headers["x-ms-error-code"], reply.body["error"]["target"]) == (400, why, target)
    assert privileged.request("r1")["stage"] == "needsReview"


async def test_an_approval_is_for_the_address_that_this_very_request_was_shown_with(privileged: World) -> None:
    """A later request was judged with another address: approving the first says nothing about that one."""
    privileged.tenant.control.reset(tenant_of(account(1, mail="other@fabrikam.com"), groups=[GROUP]))
    await privileged.deliver("r2", USER)
    assert privileged.request("r2")["stage"] == "needsReview"
    assert code(await approve(privileged)) == (409, "DecisionSuperseded")
    assert privileged.request("r1")["stage"] == "needsReview"
    assert (await approve(privileged, "r2")).status == 202
    await privileged.redeliver("r2")
    assert mailed(privileged) == [USER]


async def test_approving_a_doubt_sends_again(doubtful: World) -> None:
    assert mailed(doubtful) == [USER]
    await approve(doubtful)
    await doubtful.redeliver()
    assert (doubtful.request("r1")["stage"], mailed(doubtful)) == ("invited", [USER, USER])


async def test_a_member_of_a_doubt_is_not_approved_beside_its_leader(doubtful: World) -> None:
    """Two approvals of one doubt would be two more mails."""
    await doubtful.deliver("r2", USER)
    assert doubtful.request("r2")["stage"] == "needsReview"
    assert code(await approve(doubtful, "r2")) == (409, "DecisionSuperseded")
    await approve(doubtful)
    await doubtful.redeliver()
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}
    assert mailed(doubtful) == [USER, USER]


async def test_a_verdict_against_a_second_invitation_leaves_the_first_one_alone(world: MakeWorld) -> None:
    """The tenant shows invitations, this account shows none, and it lost its address before a person asked again."""
    running = await world(tenant_of(ANNA), B2B_CLOUD_ACCOUNTS_SHOW_PENDING="shows")
    await running.deliver(user=USER)
    running.tenant.control.reset(tenant_of(ANNA))
    running.pass_time(WINDOW)
    await running.deliver("r2", USER)
    assert weights(running.request("r2")) == {"not-visible": "review"}
    running.tenant.control.reset(tenant_of(account(1, mail=None)))
    assert (await approve(running, "r2")).status == 202
    await running.redeliver("r2")
    state = running.conversion(USER)
    assert state is not None
    assert [running.request(each)["stage"] for each in ("r1", "r2")] == ["invited", "needsReview"]
    assert "changed-since-judged" in weights(running.request("r2"))
    assert (state["stage"], state["generation"]) == ("invited", 1), "it is followed on"


# Refuse


async def test_a_refused_request_ends_with_its_conversion_and_says_who_and_why(privileged: World) -> None:
    reply = await refuse(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "cancelled")
    status = await privileged.status()
    assert (status["stage"], status["lastError"]) == ("cancelled", "Refused by ops@contoso.com: left the supplier.")
    state = privileged.conversion(USER)
    assert state is not None
    assert (state["stage"], status["completedAt"] is not None) == ("cancelled", True)
    operation = await privileged.api.operation("r1", BASE)
    assert operation.body["status"] == "Canceled"


async def test_a_member_of_a_doubt_is_not_refused_in_place_of_its_leader(doubtful: World) -> None:
    await doubtful.deliver("r2", USER)
    reply = await refuse(doubtful, "r2")
    assert code(reply) == (409, "DecisionSuperseded")
    assert "joined r1; refuse that one" in reply.body["error"]["message"]
    assert (await refuse(doubtful, "r1")).status == 202
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"cancelled"}


async def test_after_a_doubt_was_refused_a_new_request_sends_nothing_before_a_person_says_so(doubtful: World) -> None:
    await refuse(doubtful)
    await doubtful.deliver("r2", USER)
    row = doubtful.request("r2")
    assert (row["stage"], weights(row), mailed(doubtful)) == ("needsReview", {"outcome-unknown": "review"}, [USER])
    assert (await approve(doubtful, "r2")).status == 202
    await doubtful.redeliver("r2")
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("invited", [USER, USER])
    assert doubtful.request("r1")["stage"] == "cancelled", "what has ended stays ended"


async def test_after_a_doubt_was_refused_the_next_request_finds_the_invitation_that_was_out(doubtful: World) -> None:
    await refuse(doubtful)
    doubtful.tenant.control.redeem(USER, "mail")
    await doubtful.deliver("r2", USER)
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("completed", [USER])


async def test_a_new_request_starts_over_after_a_refusal(privileged: World) -> None:
    await refuse(privileged)
    privileged.tenant.control.reset(tenant_of(ANNA))
    await privileged.deliver("r2", USER)
    assert (privileged.request("r1")["stage"], privileged.request("r2")["stage"]) == ("cancelled", "invited")
