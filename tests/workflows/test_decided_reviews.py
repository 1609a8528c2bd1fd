"""A person approves or refuses a request that waits for review."""

import pytest

from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.deciding import ANNA, BASE, GROUP, USER, WINDOW, approve, code, details, mailed, refuse, weights

# Approve


async def test_an_approved_request_goes_on_and_records_author_reason_and_waived_rules(privileged: World) -> None:
    reply = await approve(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    await privileged.redeliver()
    row = privileged.request("r1")
    assert (row["stage"], weights(row)) == ("invited", {"directory-role": "warn"})
    assert "by ops@contoso.com: known supplier; waived: directory-role" in details(privileged)


async def test_a_change_after_the_approval_requires_a_new_review(privileged: World) -> None:
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
async def test_an_approval_without_name_or_reason_is_refused(
    privileged: World, body: bytes, why: str, target: str | None
) -> None:
    reply = await privileged.api.approve("r1", body, BASE)
    assert (reply.status, reply.headers["x-ms-error-code"], reply.body["error"]["target"]) == (400, why, target)
    assert privileged.request("r1")["stage"] == "needsReview"


async def test_an_approval_is_refused_after_a_later_request_changed_the_review(privileged: World) -> None:
    """The later request was judged with another address, so approving the first one would not cover that address."""
    privileged.tenant.control.reset(tenant_of(account(1, mail="other@fabrikam.com"), groups=[GROUP]))
    await privileged.deliver("r2", USER)
    assert privileged.request("r2")["stage"] == "needsReview"
    assert code(await approve(privileged)) == (409, "DecisionSuperseded")
    assert privileged.request("r1")["stage"] == "needsReview"
    assert (await approve(privileged, "r2")).status == 202
    await privileged.redeliver("r2")
    assert mailed(privileged) == [USER]


async def test_approving_an_unknown_outcome_sends_another_invitation(doubtful: World) -> None:
    assert mailed(doubtful) == [USER]
    await approve(doubtful)
    await doubtful.redeliver()
    assert (doubtful.request("r1")["stage"], mailed(doubtful)) == ("invited", [USER, USER])


async def test_only_the_leader_of_an_unknown_outcome_can_be_approved(doubtful: World) -> None:
    """Two approvals of one doubt would cause two more mails."""
    await doubtful.deliver("r2", USER)
    assert doubtful.request("r2")["stage"] == "needsReview"
    assert code(await approve(doubtful, "r2")) == (409, "DecisionSuperseded")
    await approve(doubtful)
    await doubtful.redeliver()
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}
    assert mailed(doubtful) == [USER, USER]


async def test_a_review_of_a_second_invitation_leaves_the_first_one_invited(world: MakeWorld) -> None:
    """The tenant shows invitations, but this account shows none, and loses its address after a person asked again."""
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


async def test_a_refused_request_ends_with_its_conversion_and_names_author_and_reason(privileged: World) -> None:
    reply = await refuse(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "cancelled")
    status = await privileged.status()
    assert (status["stage"], status["lastError"]) == ("cancelled", "Refused by ops@contoso.com: left the supplier.")
    state = privileged.conversion(USER)
    assert state is not None
    assert (state["stage"], status["completedAt"] is not None) == ("cancelled", True)
    operation = await privileged.api.operation("r1", BASE)
    assert operation.body["status"] == "Canceled"


async def test_only_the_leader_of_an_unknown_outcome_can_be_refused(doubtful: World) -> None:
    await doubtful.deliver("r2", USER)
    reply = await refuse(doubtful, "r2")
    assert code(reply) == (409, "DecisionSuperseded")
    assert "joined r1; refuse that one" in reply.body["error"]["message"]
    assert (await refuse(doubtful, "r1")).status == 202
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"cancelled"}


async def test_a_new_request_after_a_refused_doubt_needs_an_approval_to_send(doubtful: World) -> None:
    await refuse(doubtful)
    await doubtful.deliver("r2", USER)
    row = doubtful.request("r2")
    assert (row["stage"], weights(row), mailed(doubtful)) == ("needsReview", {"outcome-unknown": "review"}, [USER])
    assert (await approve(doubtful, "r2")).status == 202
    await doubtful.redeliver("r2")
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("invited", [USER, USER])
    assert doubtful.request("r1")["stage"] == "cancelled", "a request that has ended does not change"


async def test_a_new_request_after_a_refused_doubt_finds_the_redeemed_invitation(doubtful: World) -> None:
    await refuse(doubtful)
    doubtful.tenant.control.redeem(USER, "mail")
    await doubtful.deliver("r2", USER)
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("completed", [USER])


async def test_a_new_request_starts_over_after_a_refusal(privileged: World) -> None:
    await refuse(privileged)
    privileged.tenant.control.reset(tenant_of(ANNA))
    await privileged.deliver("r2", USER)
    assert (privileged.request("r1")["stage"], privileged.request("r2")["stage"]) == ("cancelled", "invited")
