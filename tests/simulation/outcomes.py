"""The possible outcomes of an outgoing call, and what its caller gets."""

from dataclasses import dataclass
from typing import Any

from tests.simulation.history import Fault
from tests.simulation.world import Pending

OUTCOMES: dict[str, str] = {
    "unreachable": "the connection fails; nothing is sent",
    "busy": "503; nothing was done",
    "throttled": "429 with Retry-After 20 (or as many seconds as given); nothing was done",
    "error before": "500; nothing was done",
    "error after": "500; it was done",
    "throttled after": "429; it was done",
    "reset before": "no answer; it was not done",
    "reset after": "no answer; it was done",
    "repeat": "the answer is lost and the SDK sends the call again",
    "kill before": "the process dies before the call",
    "kill after": "the process dies after the call, before the answer",
    "hold": "the call waits in the process before it is sent",
    "slow": "the call is carried out, and its answer takes long",
    "late": "the call reaches the service late",
    "freeze": "the whole process stands still before the call is sent",
    "another": "Graph answers 201 with another account",
    "refused": "Graph refuses the invitation: 400",
    "denied": "Graph refuses the application: 403",
}
"""The possible outcomes of a call. `another`, `refused` and `denied` apply to invitations only."""


REPLACED = frozenset({"refused", "denied", "another"})
"""Outcomes in which Graph answers differently and leaves the account unchanged."""


ANSWERING = frozenset({"ok", "late", "hold", "freeze", *REPLACED})
"""Outcomes in which the app gets the answer."""


QUIET = frozenset({"ok", "hold", "late", "freeze"})


def fails_late(fault: Fault) -> bool:
    """Tell whether a fault lets a connection fail only after a while."""
    return fault.outcome in BEFORE and fault.outcome != "throttled" and fault.seconds > 0


BEFORE = {
    "unreachable": "unreachable",
    "busy": "busy",
    "error before": "error",
    "reset before": "reset",
    "throttled": "throttled",
}


AFTER = {"error after": "error", "reset after": "reset", "throttled after": "throttled"}


@dataclass(frozen=True)
class Failed:
    error: BaseException


def carry_out(pending: Pending, outcome: str, detail: str) -> Any:
    """Carry out a call as far as its outcome says; return its result or its error."""
    if outcome == "kill before":
        return None
    if outcome in REPLACED:
        invitation: Any = pending.effect
        return effect(lambda: invitation.replaced(outcome))
    failure = BEFORE.get(outcome) or AFTER.get(outcome)
    result = None if outcome in BEFORE else effect(pending.effect)
    if outcome == "repeat":
        result = effect(pending.effect)
    if failure is None:
        return result
    return Failed(pending.failure(f"{failure}:{detail}" if detail else failure))


def effect(effect: Any) -> Any:
    try:
        return effect()
    except Exception as error:  # noqa: BLE001  the caller gets it
        return Failed(error)


def answer(pending: Pending, done: Any) -> None:
    if pending.future.done():
        return
    if isinstance(done, Failed):
        pending.future.set_exception(done.error)
    else:
        pending.future.set_result(done)


def shown(done: Any) -> str:
    return f" -> {type(done.error).__name__}" if isinstance(done, Failed) else ""
