"""The app as the simulator uses it. Only this module and `office` know the names of the app's workflows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from azure.data.tables import TableEntity

from b2b import settings
from b2b.adapters.graph import Graph
from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue
from b2b.api.answers import Reply
from b2b.bootstrap import Adapters, assemble
from b2b.domain.campaign.runs import PART
from b2b.domain.errors import Transient
from b2b.domain.readings import Claims
from b2b.domain.sweep import BUDGETS, Allowance, Part
from b2b.workflows.intake.receive import Delivery
from b2b.workflows.ports import Clock
from tests.simulation.directory import Directory
from tests.simulation.gate import Gate
from tests.simulation.graph_client import MemoryGraphAdapter
from tests.simulation.office import Office
from tests.simulation.people import EXCLUDED_GROUP, TENANT_ID
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables
from tests.support.client import Client

TABLES = ("conversions", "requests", "campaigns")
QUEUES = ("conversion-requests", "conversion-requests-poison")
WORK, POISON = QUEUES
ROLES = frozenset(
    {
        "User.Invite.All",
        "User.Read.All",
        "Domain.Read.All",
        "IdentityProvider.Read.All",
        "Policy.Read.All",
        "RoleManagement.Read.Directory",
        "OrgContact.Read.All",
        "Group.Read.All",
        "CrossTenantInformation.ReadBasic.All",
        "Policy.Read.B2BManagementPolicy",
        "Directory.Read.All",
    }
)
ENVIRONMENT = {
    "B2BStorage": "UseDevelopmentStorage=true",
    "B2B_SWEEP_SCHEDULE": "0 */10 * * * *",
    "B2B_MODE": "convert",
    "B2B_EXCLUDED_GROUP_ID": EXCLUDED_GROUP,
}
WINDOW = 300.0
"""The app's replication window, in seconds."""
EXPECTED: tuple[type[Exception], ...] = (Transient,)
"""The exceptions that a workflow may raise to the host. Any other one is a bug."""


def allowance(items: int | None, *, lists: bool) -> Allowance:
    """Return what a sweep may spend: so many items for each part, and as many members of a campaign for each message.

    With ``lists`` the sweep reads Graph's list of pending accounts even if it follows one account only.
    """
    budgets = {part: replace(each, items=items or each.items) for part, each in BUDGETS.items()}
    found = Allowance(budgets, members=items or PART)
    return replace(found, page_worth=1) if lists else found


class FixedIdentity:
    """A managed identity that always has a token."""

    async def claims(self) -> Claims:
        return Claims(TENANT_ID, ROLES)


@lru_cache(maxsize=512)
def _load(environment: tuple[tuple[str, str], ...]) -> settings.Settings:
    return settings.load(dict(environment))


class App:
    """One process of the app on services in memory."""

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Clock,
        gate: Gate,
        tables: Tables,
        queues: Queues,
        directory: Directory,
        **more: Any,
    ) -> None:
        """Start the app. ``more`` goes to `assemble`: the monotonic clock, the allowance of sweeps, the ids."""
        self.settings = _load(tuple(sorted((ENVIRONMENT | dict(environment)).items())))
        graph = Graph(MemoryGraphAdapter(directory, gate), self.settings.graph_timeout, clock)
        ledger, queue = Ledger(tables.client(gate)), Queue(queues.client(gate))  # type: ignore[arg-type]
        adapters = Adapters(graph, ledger, queue, FixedIdentity())  # type: ignore[arg-type]
        self._services = assemble(self.settings, clock, adapters, **more)
        self._client = Client(self._services.api)
        self.office = Office(self._services)

    @property
    def sends(self) -> bool:
        """Whether the settings of this process let it invite."""
        return self.settings.mode is settings.Mode.CONVERT and not self.settings.paused

    async def receive(self, body: bytes, message_id: str, dequeue_count: int, _inserted: datetime) -> None:
        """Handle one queue message."""
        await self._services.receiver.receive(Delivery(body, message_id, dequeue_count))

    async def sweep(self) -> None:
        """Run the sweep, as the timer does."""
        await self._services.sweep.run()

    async def part(self, name: str) -> None:
        """Run one part of the sweep only."""
        await self._services.sweep.turn(Part(name))

    async def submit(self, body: bytes) -> Reply:
        """POST a request and return the reply."""
        return await self._client.submit(body, "https://app")

    async def get(self, request_id: str) -> Reply:
        """GET a request and return the reply."""
        return await self._client.status(request_id, "https://app")

    async def retry(self, request_id: str) -> Reply:
        """Retry a request that has ended."""
        return await self._client.retry(request_id, "https://app")

    async def release(self, request_id: str) -> Reply:
        """Release a dry run, so that the app invites the account."""
        return await self._client.release(request_id, "https://app")

    async def refuse(self, request_id: str, body: bytes) -> Reply:
        """Refuse a request that waits for a person."""
        return await self._client.refuse(request_id, body, "https://app")

    async def cancel(self, request_id: str) -> Reply:
        """Cancel a request."""
        return await self._client.cancel(request_id, "https://app")

    async def accept(self, user_id: str, body: bytes) -> Reply:
        """Accept the changes that a comparison found after the redemption."""
        return await self._client.call("accept_conversion", "", body, "https://app", userId=user_id)

    async def about(self, route: str, user_id: str, **query: str) -> Reply:
        """GET a route that shows what the app knows of an account."""
        return await self._client.call(route, "", b"", "https://app", query=query, userId=user_id)

    async def adopt(self, request_id: str, body: bytes) -> Reply:
        """Adopt the account of a request that someone else invited."""
        return await self._client.call("adopt_request", request_id, body, "https://app")

    async def resend(self, user_id: str, body: bytes) -> Reply:
        """Resend an invitation."""
        return await self._client.call("resend_invitation", "", body, "https://app", userId=user_id)

    async def correct(self, user_id: str, body: bytes) -> Reply:
        """Invite another address in place of a wrong one."""
        return await self._client.call("correct_address", "", body, "https://app", userId=user_id)

    async def compare(self, user_id: str) -> Reply:
        """Start a new comparison of an account."""
        return await self._client.call("compare_conversion", "", b"", "https://app", userId=user_id)

    async def approve(self, request_id: str, body: bytes) -> Reply:
        """Approve a request that waits for a person."""
        return await self._client.approve(request_id, body, "https://app")


def rows_of(tables: Tables, table: str) -> dict[str, list[TableEntity]]:
    """Return the rows of all requests, or all accounts, by partition. Other partitions of the table are left out."""
    return {key: tables.rows(table, key) for key in tables.partitions(table) if "~" not in key and key != "pace"}
