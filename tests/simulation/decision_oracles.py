"""Oracles about decisions: a decision that was answered 202 has taken effect, and strands no other request."""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from tests.simulation.app import WINDOW, rows_of
from tests.simulation.invitation_oracles import REOPENING
from tests.simulation.scene import Scene, seconds_of


def void_approval(scene: Scene) -> Iterator[str]:
    """If a person approved exactly the findings shown, the request goes on, unless something changed meanwhile."""
    meddling = {"change", "give role", "rename", "move name", "disable", "enable", "set"}
    for at, action, request, reply in scene.world.replies:
        if action != "approve" or reply.status != 202:
            continue
        answer = scene.answers.get(request, {})
        since = _shown_since(scene, request, at)
        changed = any(act.action in meddling and act.at > since - WINDOW for act in scene.world.acts)
        shown = [
            r.body
            for when, what, whose, r in scene.world.replies
            if what == "shown" and whose == request and when <= at
        ]
        before = {finding["rule"] for finding in (shown[-1].get("findings") or ())} if shown else set()
        now = {finding["rule"] for finding in answer.get("findings") or ()}
        if answer.get("stage") == "needsReview" and not changed and now <= before:
            yield f"request {request} was approved as shown, and waits for an approval of the same"


def _shown_since(scene: Scene, request: str, decided: float) -> float:
    """Return the earliest time, allowing for skewed clocks, at which the review that was decided can have begun."""
    skew = abs(scene.world.history.skew)
    begun = [seconds_of(event["at"]) for event in scene.history(request) if event.get("kind") == "needsReview"]
    return max((at for at in begun if at + skew <= decided), default=0.0) - skew


def decided(scene: Scene) -> Iterator[str]:
    """A decision that was answered 202 is in the request's history; of two that contradict, one is refused."""
    for at, action, request, reply in scene.world.replies:
        bodies = [body for body in scene.bodies if body.request == request]
        others = {
            other.request for body in bodies for name in scene.names(body.ask) for other in scene.requests_of(name)
        }
        if action != "cancel" or reply.status != HTTPStatus.ACCEPTED or others != {request}:
            continue
        late = [
            sent.person
            for sent in scene.world.sent
            if bodies[0].at <= sent.at and sent.person == bodies[0].ask.person and sent.status == HTTPStatus.CREATED
        ]
        if late and not scene.since(REOPENING, request, -1.0, scene.world.loop.now):
            yield f"request {request} was cancelled at {at:.0f} with a 202, and {late[0]} was invited"
    for decision, kind in (("approve", "approved"), ("refuse", "cancelled")):
        answered = Counter(
            request for _, action, request, reply in scene.world.replies if action == decision and reply.status == 202
        )
        for request, times in answered.items():
            found = [row for row in scene.history(request) if row.get("kind") == kind]
            if request not in scene.world.foreign and len(found) < times:
                yield f"request {request}: {decision} was answered 202 {times} times and happened {len(found)} times"


def left_behind(scene: Scene) -> Iterator[str]:
    """A request that joined another request's review stops waiting when that review is over.

    Otherwise the request would wait for a decision that nobody can make.
    """
    accounts = rows_of(scene.world.tables, "conversions")
    for request, answer in scene.answers.items():
        rows = accounts.get(answer.get("userId") or "", [])
        joined = any(row.get("kind") == "joined" and row.get("requestId") == request for row in rows)
        over = any(row["RowKey"] == "current" and row["stage"] != "needsReview" for row in rows)
        if answer.get("stage") == "needsReview" and joined and over:
            yield f"request {request} waits for a person, and the review that it joined is over"
