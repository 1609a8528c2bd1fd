"""What callers are shown at the end: GET of every request, by a fresh process that nothing disturbs."""

from datetime import datetime
from typing import Any

from tests.simulation.app import App, rows_of
from tests.simulation.gate import OPEN
from tests.simulation.world import World


def ask_all(world: World) -> dict[str, dict[str, Any]]:
    """Return the bodies of the answers by request id. A request whose row cannot be read has none."""

    def clock() -> datetime:
        return world.now()

    app = App(world.settings, clock, OPEN, world.tables, world.queues, world.directory, world.loop.time)
    found: dict[str, dict[str, Any]] = {}

    async def ask(request_id: str) -> None:
        reply = await app.get(request_id)
        if reply.status >= 500 and request_id in world.foreign:
            return
        if reply.status >= 500:
            world.breakages.append(f"GET {request_id} answered {reply.status}")
        found[request_id] = reply.body

    for request_id, rows in rows_of(world.tables, "requests").items():
        if any(row["RowKey"] == "request" for row in rows):
            world.loop.create_task(ask(request_id))
    world.loop.drain()
    return found
