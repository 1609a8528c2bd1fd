"""What an administrator decides about requests that came to rest, or that wait: by HTTP, each with its answer."""

from collections.abc import Iterable

from rehearsal.rig import HostedRig
from rehearsal.run.sending import Receipt, received
from rehearsal.sample import Action, Decision, Sample

NO_ANSWER = "503-json"
"""The fault that calls about an account meet while its request is to wait."""
BODIES: dict[Action, dict[str, str]] = {
    "approve": {"approvedBy": "operations", "reason": "known to us"},
    "refuse": {"refusedBy": "operations", "reason": "nobody knows this account"},
}
"""Who decides and why, where a decision asks for that."""


def hold(rig: HostedRig, sample: Sample, decisions: Iterable[Decision]) -> None:
    """Let Graph not answer for the accounts whose requests are to wait until the decision."""
    held = [sample.account(each.request).user_id for each in decisions if each.waits]
    if held:
        rig.tenant.control.set_faults([{"kind": NO_ANSWER, "path": str(user_id)} for user_id in held])


def waits_for(rig: HostedRig, request_id: str | None) -> str | None:
    """Return the reason for which a request waits, as the API tells it; None: it does not wait."""
    answer = rig.api.get(f"/api/requests/{request_id}")
    waiting = answer.json().get("waiting") if answer.is_success else None
    return str(waiting["reason"]) if waiting else None


def decide(rig: HostedRig, decision: Decision, request_id: str | None) -> Receipt:
    """Take one decision."""
    return received(rig.api.post(f"/api/requests/{request_id}/{decision.action}", json=BODIES.get(decision.action)))
