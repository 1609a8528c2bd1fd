"""A tenant with some people and one process of the app, on services in memory, to test what follows a redemption."""

import asyncio
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.app import QUEUES, TABLES, WINDOW, WORK, App
from tests.simulation.bench_sweep import START, Counting
from tests.simulation.directory import Directory
from tests.simulation.directory_tenant import PERMISSIONS
from tests.simulation.people import TENANT_ID
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables

PARTNERS = "99999999-0000-4000-8000-000000000002"
COMPARED = "Directory.Read.All"
PASSED = WINDOW + 61 + 60
"""Seconds after which a second reading is due, with a minute to spare: the due list counts in minutes."""
HOUR, DAY = 3600, 86_400
STRANGER = "eve@elsewhere.com"
"""The address of a person who was not invited."""


def account(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


ANNA = account(1)


class Place:
    """A tenant with some people who have groups and app roles, and one process of the app."""

    def __init__(self, people: int = 1, permissions: Collection[str] = PERMISSIONS, **settings: str) -> None:
        self.gate = Counting(graph_seconds=0.01)
        self.tables, self.queues = Tables(TABLES, self.now), Queues(QUEUES, self.now)
        users = [
            {
                "id": account(number),
                "userPrincipalName": f"p{number}@contoso.com",
                "mail": f"p{number}@fabrikam.com",
                "displayName": f"p{number}",
            }
            for number in range(1, people + 1)
        ]
        self.directory = Directory(self.now, users, {}, tenant_id=TENANT_ID, permissions=permissions)
        for number in range(1, people + 1):
            self.directory.set_groups(account(number), [PARTNERS], ever=True)
            self.directory.relate(account(number), "appRoles", ["portal/reader"], ever=True)
        self._services = (self.now, self.gate, self.tables, self.queues, self.directory)
        self.people = people
        self.run_with(**{"B2B_COMPARE_DEADLINE_SECONDS": str(HOUR), **settings})

    def now(self) -> datetime:
        return START + timedelta(seconds=self.gate.now)

    def run_with(self, **settings: str) -> None:
        """Start a process of the app with these settings."""
        self.app = App(
            {"B2B_INVITATIONS_PER_MINUTE": "0", **settings}, *self._services, monotonic=lambda: self.gate.now
        )

    async def invite(self) -> None:
        """Let the app invite all people, and let the sweep read the result."""
        bodies = {
            f"r{number}": json.dumps({"requestId": f"r{number}", "invitedUser": {"id": account(number)}}).encode()
            for number in range(1, self.people + 1)
        }
        await asyncio.gather(*(self.app.receive(body, f"m-{key}", 1, self.now()) for key, body in bodies.items()))
        await self.sweep(PASSED)

    async def redeem(self, **person: str) -> None:
        """Let all people redeem, and let the sweep see that. ``person`` is passed on to `Directory.redeem`."""
        for number in range(1, self.people + 1):
            assert self.directory.redeem(account(number), **person)
        await self.sweep(60)

    async def sweep(self, seconds: float = 0) -> None:
        """Let time pass, then run the sweep."""
        self.gate.now += seconds
        await self.app.sweep()

    async def work(self) -> None:
        """Let the app handle the messages that it has put on the queue."""
        for message in self.queues.visible(WORK):
            await self.app.receive(message.content.encode(), message.id, 1, self.now())
            self.queues.drop(WORK, message.id)

    async def stages(self) -> set[str]:
        replies = [await self.app.get(f"r{number}") for number in range(1, self.people + 1)]
        return {str(reply.body["stage"]) for reply in replies}

    async def events(self) -> list[dict[str, Any]]:
        reply = await self.app.about("conversion_history", ANNA)
        found: list[dict[str, Any]] = reply.body["events"]
        return found

    async def finding(self, rule: str = "access-changed") -> str:
        (found,) = [each for each in (await self.app.get("r1")).body["findings"] if each["rule"] == rule]
        return str(found["message"])

    async def matches(self) -> str | None:
        """Return the app's answer to whether the person who redeemed signs in with the invited address."""
        found: str | None = (await self.app.about("conversion_status", ANNA)).body["signInMatches"]
        return found


async def redeemed(permissions: Collection[str] = PERMISSIONS, **settings: str) -> Place:
    """Return a place with one person who was invited and has redeemed."""
    place = Place(1, permissions, **settings)
    await place.invite()
    await place.redeem()
    return place
