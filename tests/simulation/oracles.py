"""What must hold, judged from outside: by the bodies, invitations and mails that were sent, and by the directory.

No oracle reads a column of the ledger to judge that same column. What callers are shown (the answers over HTTP) is
compared with what happened.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rehearsal.history import history as history_of
from tests.simulation.access_oracles import accepted_by_a_person, recorded_before, unverified, verified
from tests.simulation.app import POISON, WINDOW, WORK, rows_of
from tests.simulation.campaign_oracles import CAMPAIGN_ORACLES
from tests.simulation.decision_oracles import decided, left_behind, void_approval
from tests.simulation.invitation_oracles import (
    addressed,
    answered_again,
    paced,
    protected,
    second_mail,
    unasked_invitation,
)
from tests.simulation.mail_oracles import adopted_quietly, corrected, mails_told, one_mail_a_decision
from tests.simulation.people import BY_NAME
from tests.simulation.reading import ask_all, ask_campaigns
from tests.simulation.redeemer_oracles import no_stranger_is_verified, nobody_is_accused
from tests.simulation.scene import Scene, canonical
from tests.simulation.sweep_oracles import listed, on_the_lists, told
from tests.simulation.truths import truth
from tests.simulation.world import World

WORKING = frozenset({"requested", "inviting", "accepted"})


ENDED = frozenset({"rejected", "assessed", "blocked", "completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Violation:
    """One promise that was broken."""

    oracle: str
    said: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.said}"


def lost(scene: Scene) -> Iterator[str]:
    """Every body that the app accepted has a row. A well-formed request does not end as rejected."""
    by_body = Counter(canonical(row.get("body")) for row in scene.rows.values())
    for body in scene.bodies:
        if body.lost or not body.taken:
            continue
        row = scene.rows.get(body.request) if body.request else None
        if body.request and row is None:
            yield f"request {body.request} has no row"
        refusable = body.ask.broken or (body.ask.redirect is not None and _hosts_changed(scene))
        if body.request is None and not by_body[canonical(body.raw)] and not refusable:
            yield f"the request for {body.ask.person} without an id has no row"
        if row is not None and row.get("stage") == "rejected" and not refusable:
            yield f"request {body.request} is well-formed and rejected"


def _hosts_changed(scene: Scene) -> bool:
    """Tell whether the settings did not allow the redirect host of the partners at any time."""
    told = [dict(scene.world.history.settings).get("B2B_ALLOWED_REDIRECT_HOSTS", "")]
    told += [
        act.value for act in scene.world.acts if act.action == "set" and act.subject == "B2B_ALLOWED_REDIRECT_HOSTS"
    ]
    return any("partners" not in hosts for hosts in told)


def at_rest(scene: Scene) -> Iterator[str]:
    """In the end every request has ended, waits for a person, or waits for a reason that is true."""
    if not scene.world.breakages and scene.world.queues.stored(POISON):
        yield f"{len(scene.world.queues.stored(POISON))} messages lie in poison"
    for request, answer in scene.answers.items():
        if request in scene.world.foreign or "stage" not in answer:
            continue
        stage, waiting = answer.get("stage"), answer.get("waiting")
        if stage in WORKING and not _waits_truly(scene, request, waiting):
            yield f"request {request} is {stage} and does not come to rest: {waiting or answer.get('lastError')}"
        patient = "B2B_GIVE_UP_SECONDS" not in dict(scene.world.history.settings)
        if stage == "failed" and patient and "given up" in str(answer.get("lastError")).lower():
            yield f"request {request} was given up: {answer.get('lastError')}"


def _waits_truly(scene: Scene, request: str, waiting: Any) -> bool:
    """Tell whether the reason of a wait is true in the world. An unknown reason counts as untrue."""
    reason = waiting.get("reason") if isinstance(waiting, dict) else None
    settings = scene.world.settings
    if not any(each.app.sends for each in scene.world.instances if each.alive and not each.retired):
        return reason is None or reason in {"paused", "mode-assess"}
    person, campaign = next(
        ((body.ask.person, body.campaign) for body in scene.asked if body.request == request), (None, "")
    )
    if reason == "campaign-paused":
        return scene.turned(campaign) == "paused"
    if reason == "account-deleted" and person:
        return scene.state(person) == "gone"
    if reason == "outcome-unknown":
        return not scene.seen_to_show
    return reason in {"paused", "mode-assess"} and settings.get("B2B_PAUSED") == "true"


def ended(scene: Scene) -> Iterator[str]:
    """A request that has ended changes its stage only when it is reopened, and records no wait after its end."""
    for request, rows in rows_of(scene.world.tables, "requests").items():
        history = history_of(rows)
        stages = [row.get("stage") for row in history]
        kinds = [row.get("kind") for row in history]
        for number, (before, after) in enumerate(pairwise(stages)):
            moved = before in ENDED and after != before
            if moved and not _reopened(scene, request, kinds[number + 1]):
                yield f"request {request} ended {before} and went on to {after}"
        for number, kind in enumerate(kinds):
            if kind == "waits" and stages[number] in ENDED:
                yield f"request {request} waits after it ended {stages[number]}"


def _reopened(scene: Scene, request: str, kind: str | None) -> bool:
    if kind in {"retried", "approved", "released", "adopted"}:
        return True
    bodies = [body for body in scene.bodies if body.request == request]
    return kind in {"requested", "failed"} and len(bodies) > 1


def dead_twin(scene: Scene) -> Iterator[str]:
    """No request is blocked by an account that has been deleted permanently."""
    for request, answer in scene.answers.items():
        rules = {finding["rule"] for finding in answer.get("findings") or ()}
        if answer.get("stage") != "blocked" or "address-requested-twice" not in rules:
            continue
        person = next((body.ask.person for body in scene.asked if body.request == request), "")
        others = [name for name in scene.world.people if name != person and BY_NAME[name].mail == BY_NAME[person].mail]
        asked = max(body.at for body in scene.asked if body.request == request)
        gone = [scene.since(frozenset({"purge"}), other, -1.0, asked - 3 * WINDOW) for other in others]
        if gone and all(gone):
            yield f"request {request} is blocked by the address of an account that is gone for good"


def repeated_in_vain(scene: Scene) -> Iterator[str]:
    """If the app asked for a request to be sent again, and it was sent again, the request does not stay failed."""
    for body in scene.bodies:
        row = scene.rows.get(body.request or "")
        copies = [each for each in scene.bodies if each.request == body.request]
        if row is None or len(copies) < 2 or row.get("stage") != "failed":
            continue
        poisoned = [act.at for act in scene.world.acts if act.action == "poison" and act.subject == body.request]
        again = [each for each in copies if poisoned and each.at > max(poisoned) + 1200]
        if again and "again" in str(row.get("lastError")):
            yield f"request {body.request} was sent again, as its row asks, and nothing came of it"
            return


def histories(scene: Scene) -> Iterator[str]:
    """The events in the history of a row are numbered without a gap."""
    for table in ("conversions", "requests"):
        for key, rows in rows_of(scene.world.tables, table).items():
            numbers = [event["RowKey"] for event in history_of(rows)]
            if numbers != [f"history-{number:010d}" for number in range(1, len(numbers) + 1)]:
                yield f"{table}/{key} has the history {numbers}"


def bounded(scene: Scene) -> Iterator[str]:
    """The numbers of rows and messages are bounded by the number of events, not by the duration of the history."""
    world = scene.world
    happened = len(world.acts) + len(world.history.faults)
    for request, rows in rows_of(world.tables, "requests").items():
        if len(rows) > 30 + 10 * happened:
            yield f"request {request} has {len(rows)} rows after {happened} things that happened"
    copies: Counter[str] = Counter()
    for message in world.queues.stored(WORK):
        for request in scene.rows:
            copies[request] += f'"{request}"' in message.content
    yield from (f"{number} messages of request {request}" for request, number in copies.items() if number > 2)


def sound(scene: Scene) -> Iterator[str]:
    """No workflow raises an exception that it may not raise, and HTTP never answers 500."""
    yield from scene.world.breakages


ORACLES: tuple[Callable[[Scene], Iterator[str]], ...] = (
    second_mail,
    unasked_invitation,
    addressed,
    protected,
    answered_again,
    lost,
    at_rest,
    truth,
    void_approval,
    decided,
    left_behind,
    ended,
    repeated_in_vain,
    dead_twin,
    histories,
    bounded,
    on_the_lists,
    told,
    listed,
    paced,
    verified,
    unverified,
    recorded_before,
    no_stranger_is_verified,
    nobody_is_accused,
    accepted_by_a_person,
    one_mail_a_decision,
    mails_told,
    corrected,
    adopted_quietly,
    sound,
    *CAMPAIGN_ORACLES,
)


def judge(world: World) -> list[Violation]:
    """Return the violations that any oracle finds in a world at rest."""
    scene = Scene(world, ask_all(world), ask_campaigns(world))
    return [Violation(oracle.__name__, said) for oracle in ORACLES for said in oracle(scene)]
