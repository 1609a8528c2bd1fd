"""The figures of a soak, as a table."""

from collections.abc import Iterator

from rehearsal.soak.evidence import Evidence
from rehearsal.soak.plan import Plan

THROTTLED = 429
_EVENTS = {
    "waits on the queue": "parked",
    "outcomes in doubt": "outcome-unknown",
    "requests that joined": "joined",
    "pauses of all hosts": "paused",
    "breaker opened": "breaker-open",
    "brought back from poison": "returned-from-poison",
}
"""What the histories tell, by kind of event."""


def figures(evidence: Evidence, plan: Plan) -> Iterator[str]:
    """One line for each figure."""
    for name, value in _table(evidence, plan):
        yield f"{name:<28}{value:>10}"


def _table(evidence: Evidence, plan: Plan) -> Iterator[tuple[str, object]]:
    done = evidence.done
    by_http = sum(request.by == "http" for request in evidence.crowd.requests[: done.sent])
    throttled = [call for call in evidence.journal if call["status"] == THROTTLED]
    yield "seed", plan.seed
    yield "requests", done.sent
    yield "  by HTTP", by_http
    yield "  sent again after a kill", done.repeated
    yield "deliveries", evidence.deliveries
    yield "hosts killed", evidence.kills
    yield "sweeps", done.sweeps
    yield "invitation mails", len(evidence.mails)
    yield "Graph calls", len(evidence.journal)
    yield "  429 by the buckets", sum(call["fault"] is None for call in throttled)
    yield "  faults thrown in", sum(call["fault"] is not None for call in evidence.journal)
    for name, kind in _EVENTS.items():
        yield name, evidence.events[kind]
    yield "seconds", f"{done.seconds:.0f}"
    yield "requests a second", f"{done.sent / done.seconds:.1f}" if done.seconds else "-"
