"""Oracles for who redeemed, judged by the directory's own record of redemptions, not by the app.

An account that another person holds is not `verified` if the directory or the audit log shows that person. No account
is `unverified` because of a person who redeemed with the invited address.
"""

from collections.abc import Iterator

from tests.simulation.access_oracles import SLACK, Proof, proofs
from tests.simulation.directory_state import Redemption
from tests.simulation.scene import Scene
from tests.simulation.world import START

BY_OTHER = "redeemed-by-other"
MAILBOXES = frozenset({"mail", "google.com"})
READDRESSED = frozenset({"change", "invite by hand", "reset", "move name", "convert back"})
"""The actions after which an account may be invited under two addresses, or under one that the app did not use."""


def redemption_before(proof: Proof) -> Redemption | None:
    """Return the last redemption before the event; None without one, or if a read may still miss a recent one."""
    found = [each for each in proof.scene.world.directory.redemptions if each.user_id == proof.user_id]
    start = START.timestamp()
    early = [each for each in found if each.time.timestamp() - start <= proof.at]
    recent = [each for each in found if proof.at - SLACK < each.time.timestamp() - start <= proof.at + 1]
    return early[-1] if early and not recent else None


def shows(scene: Scene, redemption: Redemption) -> bool:
    """Tell whether an identity of the account names the person who redeemed."""
    return redemption.provider in MAILBOXES and scene.world.directory.switches["issuer-assigned-id"] == "address"


def logged(scene: Scene, redemption: Redemption) -> bool:
    """Tell whether the audit log names a person of another organisation and the app could always read it."""
    read = dict(scene.world.history.settings).get("B2B_READ_AUDIT_LOG") == "true"
    undisturbed = not scene.world.history.faults and not any(
        act.action in {"withdraw", "outage", "rename", "move name"} for act in scene.world.acts
    )
    elsewhere = redemption.named.endswith("@elsewhere.com")
    return read and undisturbed and elsewhere and redemption.provider == "ExternalAzureAD"


def no_stranger_is_verified(scene: Scene) -> Iterator[str]:
    """An account that another person holds is not `verified` if the directory or the audit log shows that person."""
    for proof in proofs(scene):
        redemption = redemption_before(proof)
        if proof.kind != "verified" or redemption is None or not redemption.by_other:
            continue
        if shows(scene, redemption) or logged(scene, redemption):
            yield f"{proof.person} is verified at {proof.at:.0f}, and {redemption.person} has redeemed"


def nobody_is_accused(scene: Scene) -> Iterator[str]:
    """No account is `unverified` because of a person who signs in with the invited address."""
    directory, asked = scene.world.directory, {body.ask.person for body in scene.bodies if body.ask.address}
    for proof in proofs(scene):
        if proof.kind != "unverified" or BY_OTHER not in proof.detail or proof.person in asked:
            continue
        by_other = any(each.by_other for each in directory.redemptions if each.user_id == proof.user_id)
        readdressed = any(act.action in READDRESSED for act in scene.world.acts)
        if not by_other and not readdressed:
            yield f"{proof.person} is unverified at {proof.at:.0f}, and its own person has redeemed"
