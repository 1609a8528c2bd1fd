"""The metrics that docs/reference/metrics.md lists, and what a change in the ledger adds to them.

Counters follow what was written: a change is counted once if storage accepted it, and never if storage refused it. No
dimension holds object ids, request ids or addresses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from b2b.domain.conversion.outcome import IN_DOUBT, NOT_SENT, REFUSED
from b2b.domain.conversion.records import Change, Conversion, Event
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Finding, Verdict
from b2b.domain.request.record import RequestRecord


class Kind(StrEnum):
    """How the values of a metric are combined.

    A counter is their sum; a histogram has their count, sum, least and greatest; a gauge is the latest value.
    """

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """One metric. Alerts, the workbook and docs/reference/metrics.md use its name and its dimensions."""

    name: str
    kind: Kind
    unit: str
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One value of a metric. ``words`` are the values of the metric's dimensions, in their order."""

    metric: Metric
    value: float
    words: tuple[str, ...] = ()

    @property
    def dimensions(self) -> dict[str, str]:
        """The value of each dimension. Fails if there are too few words or too many."""
        return dict(zip(self.metric.dimensions, self.words, strict=True))


@dataclass(frozen=True)
class Backlog:
    """How many messages each queue holds, hidden ones included, and when the oldest visible request was inserted.

    ``oldest`` is None if no request is visible.
    """

    depth: Mapping[str, int]
    oldest: datetime | None


REQUESTS = Metric("b2b.requests", Kind.COUNTER, "request", ("stage", "source"))
FINDINGS = Metric("b2b.findings", Kind.COUNTER, "finding", ("rule", "severity"))
INVITATIONS = Metric("b2b.invitations", Kind.COUNTER, "call", ("outcome",))
REDEMPTION = Metric("b2b.redemption.duration", Kind.HISTOGRAM, "s")
QUEUE_OLDEST = Metric("b2b.queue.oldest", Kind.GAUGE, "s")
QUEUE_DEPTH = Metric("b2b.queue.depth", Kind.GAUGE, "message", ("queue",))
POISON = Metric("b2b.poison", Kind.COUNTER, "message")
SWEEP_RUNS = Metric("b2b.sweep.runs", Kind.COUNTER, "run")
SWEEP_DONE = Metric("b2b.sweep.done", Kind.COUNTER, "item", ("part",))
SWEEP_LEFT = Metric("b2b.sweep.left", Kind.GAUGE, "item", ("part",))
SWEEP_BEHIND = Metric("b2b.sweep.behind", Kind.GAUGE, "s", ("part",))
SWEEP_PROBLEMS = Metric("b2b.sweep.problems", Kind.COUNTER, "item", ("part",))
WAITING = Metric("b2b.waiting", Kind.GAUGE, "request", ("reason",))
UNREADABLE = Metric("b2b.unreadable", Kind.GAUGE, "request")
BREAKER_OPEN = Metric("b2b.breaker.open", Kind.GAUGE, "1")
METRICS = (
    REQUESTS,
    FINDINGS,
    INVITATIONS,
    REDEMPTION,
    QUEUE_OLDEST,
    QUEUE_DEPTH,
    POISON,
    SWEEP_RUNS,
    SWEEP_DONE,
    SWEEP_LEFT,
    SWEEP_BEHIND,
    SWEEP_PROBLEMS,
    WAITING,
    UNREADABLE,
    BREAKER_OPEN,
)

SENT = "sent"
CALLS = {REFUSED: "refused", IN_DOUBT: "unknown", NOT_SENT: "not-sent"}
"""The outcome that is counted for each kind of event of a call that did not end in an invitation."""


def figures_of(change: Change[Any]) -> tuple[Figure, ...]:
    """Return the figures of a change that was written; none for a row that is neither a request nor a conversion."""
    row = change.row
    if isinstance(row, RequestRecord):
        return tuple(figure for event in change.events for figure in _of_request(row, event))
    if isinstance(row, Conversion):
        return tuple(figure for event in change.events for figure in _of_account(row, event))
    return ()


def failure_of(change: Change[Any]) -> tuple[str, str] | None:
    """Return the id of the request that failed with this change, and its error; None if no request failed."""
    row = change.row
    if isinstance(row, RequestRecord) and any(event.kind == Stage.FAILED for event in change.events):
        return row.request_id, row.last_error
    return None


def _of_request(row: RequestRecord, event: Event) -> Iterator[Figure]:
    """Count a stage that a request reached, and its findings if it was assessed itself.

    A request that only shows its conversion's stage does not count findings, because the conversion counts them.
    """
    if not _arrives(event):
        return
    yield Figure(REQUESTS, 1, (event.kind, row.source))
    if _judged(event):
        yield from _findings(row.findings)


def _of_account(row: Conversion, event: Event) -> Iterator[Figure]:
    """Count the outcome of a call, the findings of an assessment, and the time that a person took to redeem."""
    if outcome := _outcome(row, event):
        yield Figure(INVITATIONS, 1, (outcome,))
    first_claim = event.kind == Stage.INVITING and row.attempts == 1  # a later claim may use the same assessment
    if first_claim or _judged(event):
        yield from _findings(row.findings)
    elif event.kind == REFUSED and row.stage is Stage.BLOCKED:  # Graph's reason was added as the last finding
        yield from _findings(row.findings[-1:])
    if event.kind == Stage.ACCEPTED and row.invited_at and row.accepted_at:
        yield Figure(REDEMPTION, max((row.accepted_at - row.invited_at).total_seconds(), 0.0))


def _outcome(row: Conversion, event: Event) -> str:
    """Return the outcome of a call; empty if the event is not the end of a call.

    An invitation without an id was found by reading the account, not by a call.
    """
    if event.kind == Stage.INVITED and row.invitation_id:
        return SENT
    return CALLS.get(event.kind, "")


def _arrives(event: Event) -> bool:
    """Tell whether an event records that a stage was reached, and not something that happened in that stage."""
    return event.stage is not None and event.kind == event.stage


def _judged(event: Event) -> bool:
    """Tell whether an assessment led to the event's stage. The event's detail then begins with the verdict."""
    return _arrives(event) and event.detail.partition(":")[0] in set(Verdict)


def _findings(findings: Iterable[Finding]) -> Iterator[Figure]:
    for finding in findings:
        yield Figure(FINDINGS, 1, (finding.rule, finding.severity))
