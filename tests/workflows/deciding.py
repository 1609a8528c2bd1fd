"""Helpers for the tests of decisions: the decisions as API calls, and what the tests read after them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from b2b.api.answers import Reply
from b2b.domain.conversion.stages import Action
from rehearsal.history import history
from tests.support.world import World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]
BASE = "https://app.contoso.com"
APPROVAL = json.dumps({"approvedBy": "ops@contoso.com", "reason": "known supplier"}).encode()
REFUSAL = json.dumps({"refusedBy": "ops@contoso.com", "reason": "left the supplier"}).encode()
ADOPTION = json.dumps({"adoptedBy": "ops@contoso.com", "reason": "invited in the portal"}).encode()
WINDOW = 361
GROUP = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [USER],
}
PRIVILEGED = tenant_of(ANNA, groups=[GROUP])
Ask = Callable[[World, str], Awaitable[Reply]]


async def retry(world: World, request_id: str = "r1") -> Reply:
    return await world.api.retry(request_id, BASE)


async def approve(world: World, request_id: str = "r1") -> Reply:
    return await world.api.approve(request_id, APPROVAL, BASE)


async def refuse(world: World, request_id: str = "r1") -> Reply:
    return await world.api.refuse(request_id, REFUSAL, BASE)


async def release(world: World, request_id: str = "r1") -> Reply:
    return await world.api.release(request_id, BASE)


async def cancel(world: World, request_id: str = "r1") -> Reply:
    return await world.api.cancel(request_id, BASE)


async def adopt(world: World, request_id: str = "r1") -> Reply:
    return await world.api.call("adopt_request", request_id, ADOPTION, BASE)


ASKS: dict[Action, Ask] = {
    Action.RETRY: retry,
    Action.APPROVE: approve,
    Action.REFUSE: refuse,
    Action.RELEASE: release,
    Action.CANCEL: cancel,
    Action.ADOPT: adopt,
}


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


def mailed(world: World) -> list[str]:
    return [mail["userId"] for mail in world.tenant.control.mails()]


def details(world: World, request_id: str = "r1") -> list[str]:
    return [event["detail"] for event in history(world.rows("requests", request_id)) if event.get("detail")]


def weights(row: dict[str, Any]) -> dict[str, str]:
    return {finding["rule"]: finding["severity"] for finding in json.loads(row.get("findings", "[]"))}


def down(_request: httpx.Request) -> None:
    raise httpx.ConnectError("refused")
