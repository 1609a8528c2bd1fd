"""Calls that the tests make to a tenant through the app's adapters, with every outcome as a comparable value."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from b2b.adapters.batch import Call
from b2b.adapters.directory import Directory
from b2b.adapters.graph import Graph
from b2b.domain.account import Account
from b2b.domain.eligibility.fact import Fact
from b2b.domain.errors import B2BError, InvitationRefused
from b2b.domain.invitation import Invitation
from tests.rehearsal.tenant_support import ANNA

REDIRECT = "https://myapps.microsoft.com?tenantId=8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f"
NO_FENCE = datetime.max.replace(tzinfo=UTC)
PENDING_LIST = "/users?%24filter=externalUserState%20eq%20'PendingAcceptance'&%24select=id&%24top=999"


@dataclass(frozen=True)
class Failed:
    """An error of the adapters, reduced to what a workflow can see."""

    kind: str
    text: str
    retry_after: float | None = None
    rule: str | None = None


class Client(Protocol):
    """Anything that holds a client of a tenant."""

    graph: Graph


async def tried(attempt: Awaitable[Any]) -> Any:
    """Return the result of a call, or its error as `Failed`."""
    try:
        return await attempt
    except InvitationRefused as error:
        refusal = error.refusal
        return Failed("InvitationRefused", f"{refusal.status} {refusal.code}: {refusal.text}", rule=refusal.rule)
    except B2BError as error:
        return Failed(type(error).__name__, str(error), getattr(error, "retry_after", None))


async def ask(client: Client, questions: Mapping[Fact[Any], Any]) -> Any:
    """Read facts; return them or the error."""
    return await tried(Directory(client.graph).read(questions))


async def account(client: Client, user_id: str = ANNA) -> Any:
    """Read an account; return it, None if it does not exist, or `unreadable` if Graph's answer left it out."""
    found = await tried(Directory(client.graph).accounts([user_id]))
    return found.get(user_id, "unreadable") if isinstance(found, dict) else found


async def state(client: Client, user_id: str = ANNA) -> Any:
    """Return the external user state that a read shows, or `absent` if the account does not exist."""
    found = await account(client, user_id)
    return found.external_user_state if isinstance(found, Account) else found or "absent"


async def invite(
    client: Client,
    user_id: str = ANNA,
    address: str = "anna@fabrikam.com",
    not_after: datetime = NO_FENCE,
    **more: Any,
) -> Any:
    """Send an invitation; return its status, or the error."""
    invitation = Invitation(user_id, address, REDIRECT, **{"send_message": True, **more})
    found = await tried(client.graph.invite(invitation, not_after))
    return found if isinstance(found, Failed) else found.status


async def pending(client: Client) -> Any:
    """Return the ids of all accounts with a pending invitation, over all pages."""
    (answer,) = await client.graph.read([Call(PENDING_LIST)])
    return sorted(item["id"] for item in answer.body["value"])
