"""What callers are shown at the end of a history: a fresh process reads every request, campaign and run."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from tests.simulation.app import App, rows_of
from tests.simulation.gate import OPEN
from tests.simulation.world import World


@dataclass(frozen=True)
class Shown:
    """A campaign as its owner sees it."""

    members: list[dict[str, Any]]
    runs: dict[str, dict[str, Any]]
    """The progress of each run that was answered 202, by run id."""


def ask_campaigns(world: World) -> dict[str, Shown]:
    """Return what is shown of each campaign at the end, by name."""
    names = dict.fromkeys(act.subject for act in world.acts if act.action == "list in")
    if not names:
        return {}
    office = _fresh(world).office
    found: dict[str, Shown] = {}

    async def ask(name: str) -> None:
        members = await office.members(name)
        if members.status != HTTPStatus.OK:
            return
        ids = [
            act.reply.body["runId"]
            for act in world.acts
            if act.subject == name and act.reply is not None and "runId" in act.reply.body
        ]
        runs = {each: (await office.progress(name, each)).body for each in ids}
        found[name] = Shown(members.body["members"], runs)

    for name in names:
        world.loop.create_task(ask(name))
    world.loop.drain()
    return found


def _fresh(world: World) -> App:
    def clock() -> datetime:
        return world.now()

    return App(world.settings, clock, OPEN, world.tables, world.queues, world.directory, monotonic=world.loop.time)


def ask_all(world: World) -> dict[str, dict[str, Any]]:
    """Return the answer to GET for each request, by id. A request whose row cannot be read is left out."""
    app = _fresh(world)
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
