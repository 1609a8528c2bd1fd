"""Make an administrator's decisions about requests by HTTP, also about requests that wait."""

from collections.abc import Iterable

from rehearsal.rig import HostedRig
from rehearsal.run.sending import Receipt, received
from rehearsal.sample import Action, Decision, Sample

NO_ANSWER = "503-json"
"""The fault of all Graph calls about an account whose request has to wait."""
BODIES: dict[Action, dict[str, str]] = {
    "approve": {"approvedBy": "operations", "reason": "known to us"},
    "refuse": {"refusedBy": "operations", "reason": "nobody knows this account"},
    "adopt": {"adoptedBy": "operations", "reason": "another team invited this person"},
}
"""The body of each decision that needs one: who decides, and why."""


def hold(rig: HostedRig, sample: Sample, decisions: Iterable[Decision]) -> None:
    """Make Graph fail for the accounts whose requests have to wait until their decision."""
    held = [sample.account(each.request).user_id for each in decisions if each.waits]
    if held:
        rig.tenant.control.set_faults([{"kind": NO_ANSWER, "path": str(user_id)} for user_id in held])


def waits_for(rig: HostedRig, request_id: str | None) -> str | None:
    """Return the reason why a request waits according to the API; None if it does not wait."""
    answer = rig.api.get(f"/api/requests/{request_id}")
    waiting = answer.json().get("waiting") if answer.is_success else None
    return str(waiting["reason"]) if waiting else None


def decide(rig: HostedRig, decision: Decision, request_id: str | None) -> Receipt:
    """Send one decision and return the app's answer."""
    return received(rig.api.post(f"/api/requests/{request_id}/{decision.action}", json=BODIES.get(decision.action)))
