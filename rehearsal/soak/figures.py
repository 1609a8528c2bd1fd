"""Format what a soak prints at its end: its figures, and whether each condition holds."""

from collections import Counter
from collections.abc import Iterator, Mapping

from rehearsal.run.checks import Check
from rehearsal.run.report import STAGES
from rehearsal.soak.evidence import Evidence
from rehearsal.soak.plan import Plan

THROTTLED = 429
MOST_PROBLEMS = 10
"""How many problems of one condition are printed; more of them would tell nothing new."""
_EVENTS = {
    "waits on the queue": "waits",
    "outcomes in doubt": "outcome-unknown",
    "doubts settled as not sent": "nothing-went-out",
    "requests that joined": "joined",
    "pauses of all hosts": "paused",
    "breaker opened": "breaker-open",
    "brought back from poison": "returned-from-poison",
}
"""The figures that count events in the histories, with the kind of event."""


def figures(evidence: Evidence, plan: Plan) -> Iterator[str]:
    """Yield a line for each figure."""
    for table in (_work, _ends, _mails, _graph, _events):
        for name, value in table(evidence):
            yield f"{name:<28}{value:>10}"
    yield f"{'seed':<28}{plan.seed:>10}"


def checked(checks: Mapping[str, Check]) -> Iterator[str]:
    """Yield a line for each condition. The first problems of a failed condition follow its line."""
    yield "Conditions"
    for name, check in checks.items():
        problems = check.problems
        yield f"  NO  {name}, problems: {len(problems)}" if problems else f"  ok  {name}: {check.said}"
        yield from (f"        {problem}" for problem in problems[:MOST_PROBLEMS])
        if len(problems) > MOST_PROBLEMS:
            yield f"        and {len(problems) - MOST_PROBLEMS} more"


def _work(evidence: Evidence) -> Iterator[tuple[str, object]]:
    done = evidence.done
    yield "requests", done.sent
    yield "  by HTTP", sum(request.by == "http" for request in evidence.population.requests[: done.sent])
    yield "  sent again after a kill", done.repeated
    yield "  a second", f"{done.sent / done.seconds:.1f}" if done.seconds else "-"
    yield "seconds", f"{done.seconds:.0f}"
    yield "deliveries", evidence.deliveries
    yield "hosts killed", evidence.kills
    yield "sweeps", done.sweeps


def _ends(evidence: Evidence) -> Iterator[tuple[str, object]]:
    stages = Counter(str(row["stage"]) for row in evidence.request_states.values())
    yield "requests at the end", stages.total()
    for stage in sorted(stages, key=[*STAGES].index):
        yield f"  {stage}", stages[stage]


def _mails(evidence: Evidence) -> Iterator[tuple[str, object]]:
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    people = Counter(got[user_id] for user_id in evidence.population.ready | got.keys())
    yield "invitation mails", got.total()
    for count in sorted({0, 1, 2} | people.keys()):
        yield f"  people who got {count or 'none'}", people[count]


def _graph(evidence: Evidence) -> Iterator[tuple[str, object]]:
    throttled = [call["fault"] is None for call in evidence.journal if call["status"] == THROTTLED]
    yield "Graph calls", len(evidence.journal)
    yield "  429 by the limits", sum(throttled)
    yield "  429 injected", len(throttled) - sum(throttled)
    yield "  faults injected", sum(call["fault"] is not None for call in evidence.journal)
    yield "  201 and no invitation", len(evidence.lied_about)
    yield "  violations", len(evidence.violations)


def _events(evidence: Evidence) -> Iterator[tuple[str, object]]:
    for name, kind in _EVENTS.items():
        yield name, evidence.events[kind]
