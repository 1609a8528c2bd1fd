"""The scenarios of the fault sweep: each takes a request from its arrival to its end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from tests.faults.points import Point
from tests.faults.rig import FaultRig, request_body

Play = Callable[[FaultRig, str, str], Awaitable[list[str]]]
"""Plays one case for an account, under a name that no other case uses; returns the ids of its requests."""


class Hit(Enum):
    """Which calls of a scenario are hit. Calls that another scenario already covers are left out."""

    ALL = "all"
    ARRIVAL = "those until the request has been taken in"
    GRAPH = "those to Graph"
    DECISION = "those of the decision about an invited account"


@dataclass(frozen=True)
class Scenario:
    """How the case is played, which of its calls are hit, and the kind of account that it is played for."""

    play: Play
    hit: Hit = Hit.ALL
    kind: str = "plain"

    def points(self, rig: FaultRig) -> list[Point]:
        """Return the calls to hit. The scenario must have been played without a fault before."""
        if self.hit is Hit.ARRIVAL:
            return rig.points.calls[: rig.points.arrival]
        if self.hit is Hit.DECISION:
            return rig.points.calls[slice(*rig.points.decision)]
        return [point for point in rig.points.calls if self.hit is Hit.ALL or point.label.startswith("graph ")]


async def by_queue(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send one message."""
    rig.send(request_body(name, user_id))
    return await _to_the_end(rig, user_id, name)


async def by_http(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send one POST; its caller repeats it until it is accepted."""
    await rig.post(request_body(name, user_id).encode())
    rig.points.arrival = len(rig.points.calls)
    return await _to_the_end(rig, user_id, name)


async def two_for_one(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send two requests for one account: one by queue, one by HTTP."""
    rig.send(request_body(f"{name}-a", user_id))
    await rig.post(request_body(f"{name}-b", user_id).encode())
    return await _to_the_end(rig, user_id, f"{name}-a", f"{name}-b")


async def to_its_address(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send one message that names the address, for an account that Graph may refuse to invite."""
    rig.send(request_body(name, user_id, address=rig.address))
    return await _to_the_end(rig, user_id, name)


async def in_capitals(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send one message that names the address in capitals."""
    rig.send(request_body(name, user_id, address=rig.address.upper()))
    return await _to_the_end(rig, user_id, name)


async def resent(rig: FaultRig, user_id: str, name: str) -> list[str]:
    """Send one request, deliver it, and resend its invitation. A resend without an answer is repeated."""
    rig.send(request_body(name, user_id))
    await rig.deliver_all()
    begun = len(rig.points.calls)
    await rig.resend(user_id)
    rig.points.decision = (begun, len(rig.points.calls))
    return await _to_the_end(rig, user_id, name)


SCENARIOS: dict[str, Scenario] = {
    "by queue": Scenario(by_queue),
    "by HTTP": Scenario(by_http, Hit.ARRIVAL),
    "two for one": Scenario(two_for_one),
    "a mail sent again": Scenario(resent, Hit.DECISION),
    "a disabled account": Scenario(to_its_address, Hit.GRAPH, "disabled"),
    "an account with a mailbox": Scenario(to_its_address, Hit.GRAPH, "mailbox"),
    "an address in capitals": Scenario(in_capitals, Hit.GRAPH),
    "an address in otherMails": Scenario(to_its_address, Hit.GRAPH, "other mails"),
    "an address that a deleted account holds": Scenario(to_its_address, Hit.GRAPH, "held"),
}


async def _to_the_end(rig: FaultRig, user_id: str, *names: str) -> list[str]:
    """Deliver all messages, let people act, sweep; then let the timer fire four more times, the first time too soon."""
    await rig.deliver_all()
    await _people_act(rig, user_id, *names)
    await rig.sweep()
    for wait in (0, 3600, 3600, 3600):
        rig.clock.advance(wait)
        await rig.sweep()
        await rig.deliver_all()
        await _people_act(rig, user_id, *names)
    return list(names)


async def _people_act(rig: FaultRig, user_id: str, *names: str) -> None:
    """Approve as the administrator each request that needs review, then redeem as the invited person."""
    for name in names:
        if (await rig.shown(name))["stage"] == "needsReview":
            await rig.approve(name)
    await rig.deliver_all()
    rig.redeem(user_id)
