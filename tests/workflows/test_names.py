"""A request stays with the account that was found first, even if the requested name moves to another account."""

import json
from typing import Any

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of

ANNA, BEN = account(1), account(2)
USER, OTHER = ANNA["id"], BEN["id"]


def swapped(field: str) -> dict[str, Any]:
    """Return the tenant after Anna's name has moved to Ben."""
    return tenant_of({**ANNA, field: "former.anna@contoso.com"}, {**BEN, field: ANNA[field]})


async def asked_by(world: World, field: str) -> None:
    body = {"requestId": "r1", "invitedUser": {field: ANNA[field]}, "invitedUserEmailAddress": ANNA["mail"]}
    await world.receive(json.dumps(body).encode())


@pytest.mark.parametrize("field", ["userPrincipalName", "mail"])
async def test_a_waiting_request_keeps_its_account_if_the_name_moves(world: MakeWorld, field: str) -> None:
    running = await world(tenant_of(ANNA, BEN), B2B_PAUSED="true")
    await asked_by(running, field)
    assert running.request("r1")["userId"] == USER
    running.tenant.control.reset(swapped(field))
    running.services = await running.restart(B2B_PAUSED="false")
    await running.redeliver()
    assert {mail["userId"] for mail in running.tenant.control.mails()} <= {USER}
    assert running.conversion(OTHER) is None
    assert running.request("r1")["userId"] == USER


async def test_a_doubt_is_settled_by_its_own_account_even_if_the_name_moves(world: MakeWorld) -> None:
    """The other account shows no invitation, which proves nothing about this account."""
    running = await world(tenant_of(ANNA, BEN))
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await asked_by(running, "userPrincipalName")
    pending = {**ANNA, "userPrincipalName": "former@contoso.com", "externalUserState": "PendingAcceptance"}
    running.tenant.control.reset(tenant_of(pending, {**BEN, "userPrincipalName": ANNA["userPrincipalName"]}))
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert running.conversion(OTHER) is None


async def test_a_request_by_name_joins_its_accounts_conversion(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA, BEN))
    await running.deliver("r0", USER)
    await asked_by(running, "userPrincipalName")
    assert (await running.status())["joinedRequestId"] == "r0"
    assert len(running.tenant.control.mails()) == 1


async def test_an_answer_with_another_account_is_not_used(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA, BEN))

    def mixed_up(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path.endswith("/$batch"):
            response._content = response.content.replace(f'"id":"{USER}"'.encode(), f'"id":"{OTHER}"'.encode()).replace(
                f'"id": "{USER}"'.encode(), f'"id": "{OTHER}"'.encode()
            )

    running.graph.after = mixed_up
    await running.deliver(user=USER)
    status = await running.status()
    assert (status["stage"], status["waiting"]["reason"]) == ("requested", "service-unavailable")
    assert "another account" in status["lastError"]
    assert (running.posts(), running.conversion(OTHER)) == ([], None)
    running.graph.after = lambda _request, _response: None
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
