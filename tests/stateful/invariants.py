"""What must hold after every step, and what must hold when everything has come to rest; checks say what is wrong."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from b2b.domain.answers import Reply
from rehearsal.tenant import Control
from tests.faults.rig import history_gaps
from tests.stateful.host import Ledger
from tests.stateful.people import PEOPLE, SYNCED, TWINS
from tests.support.world import Rows

MAY_CHANGE = {"externalUserState", "externalUserStateChangeDateTime", "identities"}
WORKING = {"requested", "inviting", "accepted"}
ACTIVE = {"inviting", "invited", "accepted", "completed"}
TRUTH: Mapping[str | None, frozenset[str | None]] = {
    None: frozenset({None, "blocked", "needsReview", "failed"}),
    "PendingAcceptance": frozenset({"invited"}),
    "Accepted": frozenset({"completed"}),
}
"""What the ledger may say at rest about an account whose `externalUserState` is this."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Ledger and tenant at one moment."""

    ledger: Ledger
    control: Control

    def state(self, user_id: str) -> Row:
        """The state row of an account; empty: there is none."""
        return _state(self.ledger["conversions"].get(user_id, []))

    def requests(self) -> dict[str, Row]:
        """The state rows of all requests."""
        found = {key: _state(rows) for key, rows in self.ledger["requests"].items() if "~" not in key}
        return {key: row for key, row in found.items() if row}


def _state(rows: Rows) -> Row:
    return next((row for row in rows if row["RowKey"] in {"current", "request"}), {})


def at_any_time(scene: Scene) -> Iterator[str]:
    """No fault, order or repetition is an excuse for any of these."""
    yield from _one_invitation(scene)
    yield from _nothing_else_touched(scene.control)
    yield from _histories(scene)
    active = [twin.id for twin in TWINS if scene.state(twin.id).get("stage") in ACTIVE]
    if len(active) > 1:
        yield f"one address, two conversions: {active}"
    yield from (f"violation: {violation}" for violation in scene.control.violations())


def _one_invitation(scene: Scene) -> Iterator[str]:
    """One mail and one redeem link, whatever happens: nothing here lets an account be invited a second time.

    A request that sends no mail may make a second link, and the link before it is dead then.
    """
    mails = Counter(mail["userId"] for mail in scene.control.mails())
    yield from (f"{count} invitation mails to {user_id}" for user_id, count in mails.items() if count > 1)
    silent = {
        row.get("userId")
        for row in scene.requests().values()
        if json.loads(row.get("body") or "{}").get("sendInvitationMessage") is False
    }
    for person in PEOPLE:
        tickets = scene.control.user(person.id)["tickets"]
        if len([ticket for ticket in tickets if ticket["alive"] and not ticket["redeemed"]]) > 1:
            yield f"several live redeem links for {person.id}"
        if len(tickets) > 1 and person.id not in silent:
            yield f"{len(tickets)} invitations of {person.id}"


def _nothing_else_touched(control: Control) -> Iterator[str]:
    """No new account; of the old ones nothing changes but what an invitation and its redemption change."""
    for change in control.changes():
        if change["kind"] != "update" or change["after"].keys() - MAY_CHANGE or change["id"] == SYNCED.id:
            yield f"unlawful change: {change}"
    for user in control.users():
        if "#EXT#" in user["userPrincipalName"]:
            yield f"a new guest {user['id']}"


def _histories(scene: Scene) -> Iterator[str]:
    for partitions in scene.ledger.values():
        for key, rows in partitions.items():
            if _state(rows):
                yield from history_gaps(rows, key)
            stages = [row["stage"] for row in rows if row["RowKey"].startswith("history-") and "stage" in row]
            if "completed" in stages and set(stages[stages.index("completed") :]) != {"completed"}:
                yield f"{key} goes on after its end: {stages}"


def at_rest(scene: Scene, waited_for: set[str]) -> Iterator[str]:
    """When nothing is on its way any more."""
    requests = scene.requests()
    yield from (f"request {lost} is lost" for lost in sorted(waited_for - requests.keys()))
    yield from _ends(requests)
    yield from _alike(scene, requests)
    for person in PEOPLE:
        user = scene.control.user(person.id)
        stage = scene.state(person.id).get("stage")
        if stage not in TRUTH[user["externalUserState"]]:
            yield f"{person.id} is {user['externalUserState']}, and the ledger says {stage}"
        if any(person.user[name] != user[name] for name in ("id", "userPrincipalName", "mail")):
            yield f"{person.id} was renamed"
    yield from (f"{key} is still listed" for key in scene.ledger["requests"].get("open~", []))
    for due in scene.ledger["conversions"].get("due", []):
        if scene.state(due["RowKey"]).get("stage") != "invited":
            yield f"{due['RowKey']} is still followed"


def _ends(requests: Mapping[str, Row]) -> Iterator[str]:
    """Each request has ended, or waits for a person, and in a stage that its account allows."""
    by_name = {person.named_by(name).lower(): person for person in PEOPLE for name in ("id", "userPrincipalName")}
    for key, row in requests.items():
        told = json.loads(row["body"])["invitedUser"]
        person = by_name.get(next(iter(told.values())).lower()) or by_name.get(row.get("userId", ""))
        allowed = {"assessed"} if row.get("dryRun") else person.ends if person else {"blocked"}
        if row["stage"] not in allowed and not _lost_honestly(row):
            yield f"request {key} of {told} is {row['stage']}: {row.get('lastError')}"


def _lost_honestly(row: Row) -> bool:
    """The host gave up before the app saw the message, or the service tried for a day."""
    why = str(row.get("lastError", ""))
    return row["stage"] == "failed" and why.startswith(("the host gave up on the message", "given up after"))


def _alike(scene: Scene, requests: Mapping[str, Row]) -> Iterator[str]:
    """All requests of one conversion end alike, and as it ended."""
    members: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in requests.values():
        if row.get("generation"):
            members[row["userId"], row["generation"]].add(row["stage"])
    for (user_id, generation), stages in members.items():
        state = scene.state(user_id)
        expected = {state["stage"]} if state["generation"] == generation else stages
        if len(stages) > 1 or stages != expected:
            yield f"requests of {user_id}, conversion {generation}, are {stages}, and it is {state['stage']}"


def told(reply: Reply, operation: Reply, row: Row, conversion: Row) -> Iterator[str]:
    """What HTTP says about a request at rest is what the ledger says."""
    said = (reply.body["stage"], reply.body["userId"] or "", reply.body["verdict"] or "", reply.body["lastError"] or "")
    kept = (row["stage"], row.get("userId", ""), row.get("verdict", ""), row.get("lastError", ""))
    if reply.status != 200 or said != kept:
        yield f"HTTP says {reply.status} {said}, the ledger {kept}"
    running = row["stage"] in {"invited", "needsReview"}
    if (operation.body["status"] == "Running") is not running:
        yield f"the operation of {row['stage']} is {operation.body['status']}"
    if row.get("generation") and conversion["generation"] == row["generation"] and conversion["stage"] != said[0]:
        yield f"HTTP says {said[0]}, the conversion is {conversion['stage']}"
