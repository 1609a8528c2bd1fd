"""Oracles for the comparison after a redemption, judged by what the directory held at every moment.

An account may be `verified` only if everything that was compared had, at some moment of the last replication window,
a state that it also had at some moment between the invitation and the redemption. An account of which nothing changed
needs no decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from azure.data.tables import TableEntity

from rehearsal.history import history
from tests.simulation.app import WINDOW, rows_of
from tests.simulation.directory_access import RELATIONS
from tests.simulation.people import BY_ID
from tests.simulation.scene import Scene, seconds_of
from tests.simulation.world import START

SLACK = WINDOW + 120.0
"""The app's replication window and the difference between the clocks of both instances, in seconds."""
ACCESS_CHANGED = "access-changed"
LABELS = {
    "groups": "groups",
    "appRoles": "app roles",
    "directoryRoles": "directory roles",
    "manager": "manager",
    "sponsors": "sponsors",
    "ownedObjects": "owned objects",
    "registeredDevices": "registered devices",
}
"""The app's name for each relation in the list of what it did not compare."""
PROPERTIES = {"userPrincipalName": "user principal name", "mail": "mail", "userType": "user type"}
CHANGES = frozenset(
    {
        "relate",
        "rename",
        "move name",
        "change",
        "give role",
        "delete",
        "purge",
        "withdraw",
        "switch",
        "reset",
        "convert back",
        "invite by hand",
        "foreign row",
        "outage",
    }
)
"""The actions that can change what an account has, or keep the app from reading it."""


@dataclass
class Proof:
    """The event in an account's history that records the outcome of a comparison."""

    scene: Scene
    user_id: str
    kind: str
    at: float
    detail: str

    @cached_property
    def person(self) -> str:
        """The short name of the account."""
        return BY_ID[self.user_id].name

    @cached_property
    def redeemed_at(self) -> float:
        """The time of the last redemption before the event; without one, the time of the event."""
        acts = self.scene.world.acts
        ways = {"redeem", "redeem as"}
        done = [act.at for act in acts if act.action in ways and act.subject == self.person and act.at <= self.at]
        return max(done, default=self.at)

    @cached_property
    def begun_at(self) -> float:
        """A time before the app's first read of the account."""
        sent = [each.at for each in self.scene.world.sent if each.person == self.person]
        return min(sent, default=0.0) - SLACK

    def relation(self, name: str) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
        """Return the states of a relation between invitation and redemption, and those just before the event."""
        directory, start = self.scene.world.directory, START.timestamp()

        def between(first: float, last: float) -> set[frozenset[str]]:
            return directory.access.between(self.user_id, name, start + first, start + last)

        return between(self.begun_at, self.redeemed_at), between(self.at - SLACK, self.at + 1)

    def values(self, name: str) -> tuple[set[object], set[object]]:
        """Return the values of a property between invitation and redemption, and those just before the event."""
        accounts, start = self.scene.world.directory.accounts, START.timestamp()

        def between(first: float, last: float) -> set[object]:
            return accounts.values(self.user_id, name, start + first, start + last)

        return between(self.begun_at, self.redeemed_at), between(self.at - SLACK, self.at + 1)


def proofs(scene: Scene) -> Iterator[Proof]:
    """Yield the outcome of every comparison that a history records."""
    for user_id, rows in rows_of(scene.world.tables, "conversions").items():
        for kind, at, detail in _events(rows):
            if kind in {"verified", "unverified"} and user_id in BY_ID:
                yield Proof(scene, user_id, kind, at, detail)


def _events(rows: list[TableEntity]) -> Iterator[tuple[str, float, str]]:
    yield from ((event["kind"], seconds_of(event["at"]), event.get("detail", "")) for event in history(rows))


def verified(scene: Scene) -> Iterator[str]:
    """A `verified` account has what it had between invitation and redemption, except for what was not compared."""
    for proof in proofs(scene):
        if proof.kind != "verified":
            continue
        for name in RELATIONS:
            before, late = proof.relation(name)
            if f"{LABELS[name]}:" not in proof.detail and not before & late:
                yield f"{proof.person} is verified at {proof.at:.0f}, and its {name} are not what they were"
        for name, label in PROPERTIES.items():
            had, has = proof.values(name)
            if f"{label}:" not in proof.detail and not had & has:
                yield f"{proof.person} is verified at {proof.at:.0f}, and its {name} is not what it was"
        asked = min((body.at for body in scene.requests_of(proof.person)), default=proof.at)
        # A replica that lags may show an account without the invitation that it had before the request.
        by_hand = scene.since(frozenset({"invite by hand"}), proof.person, asked - WINDOW, proof.at)
        if not by_hand and not any(sent.person == proof.person for sent in scene.world.sent):
            yield f"{proof.person} is verified, and nobody invited it"


def unverified(scene: Scene) -> Iterator[str]:
    """No account of which nothing changed is `unverified` because of a change."""
    for proof in proofs(scene):
        acts = [act for act in scene.world.acts if act.at <= proof.at and act.action in CHANGES]
        if proof.kind == "unverified" and ACCESS_CHANGED in proof.detail and not acts:
            yield f"{proof.person} is unverified at {proof.at:.0f}, and nothing changed"


def recorded_before(scene: Scene) -> Iterator[str]:
    """A change long before the redemption, while the person waited, does not make an account `unverified`."""
    week = 7 * 86_400.0
    for proof in proofs(scene):
        acts = [act.at for act in scene.world.acts if act.action in CHANGES and act.at <= proof.at]
        settled = bool(acts) and all(at <= proof.redeemed_at - week - 2 * 86_400.0 for at in acts)
        only = all(act.action == "relate" for act in scene.world.acts if act.action in CHANGES)
        calm = not scene.world.history.faults
        if proof.kind == "unverified" and ACCESS_CHANGED in proof.detail and settled and only and calm:
            yield f"{proof.person} is unverified at {proof.at:.0f}, and what changed did so while it waited"


def accepted_by_a_person(scene: Scene) -> Iterator[str]:
    """If an acceptance was answered with 200, the conversion is completed and its history contains the reason."""
    for at, action, person, reply in scene.world.replies:
        if action != "accept" or reply.status != 200:
            continue
        rows = rows_of(scene.world.tables, "conversions").get(scene.world.people[person].id, [])
        said = [detail for kind, _, detail in _events(rows) if kind == "completed"]
        if not any("admin: seen" in detail for detail in said):
            yield f"{person} was accepted at {at:.0f}, and the history does not say so"
