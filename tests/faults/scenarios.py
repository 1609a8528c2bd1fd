"""The ways of a request, from its arrival to its end."""

from collections.abc import Awaitable, Callable

from tests.faults.rig import Rig, request_body

Scenario = Callable[[Rig, str, str], Awaitable[list[str]]]
"""Plays one case for an account under a name that no other case has; returns the ids of its requests."""


async def by_queue(rig: Rig, user_id: str, name: str) -> list[str]:
    """One message."""
    rig.send(request_body(name, user_id))
    await _to_the_end(rig, user_id)
    return [name]


async def by_http(rig: Rig, user_id: str, name: str) -> list[str]:
    """One POST, whose caller repeats what was not taken."""
    await rig.post(request_body(name, user_id).encode())
    await _to_the_end(rig, user_id)
    return [name]


async def two_for_one(rig: Rig, user_id: str, name: str) -> list[str]:
    """Two requests for one account, by both ways."""
    rig.send(request_body(f"{name}-a", user_id))
    await rig.post(request_body(f"{name}-b", user_id).encode())
    await _to_the_end(rig, user_id)
    return [f"{name}-a", f"{name}-b"]


SCENARIOS: dict[str, Scenario] = {scenario.__name__: scenario for scenario in (by_queue, by_http, two_for_one)}


async def _to_the_end(rig: Rig, user_id: str) -> None:
    """Deliver, redeem, sweep; then the timer fires some more times, at first too soon."""
    await rig.deliver_all()
    _redeem(rig, user_id)
    await rig.sweep()
    for wait in (0, 3600, 3600, 3600):
        rig.clock.advance(wait)
        await rig.sweep()
        await rig.deliver_all()
        _redeem(rig, user_id)


def _redeem(rig: Rig, user_id: str) -> None:
    if rig.tenant.control.user(user_id)["externalUserState"] == "PendingAcceptance":
        rig.tenant.control.redeem(user_id, "ExternalAzureAD")
