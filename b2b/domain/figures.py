"""The metrics, as docs/reference/metrics.md lists them, and what a change of the ledger counts for.

Counters follow what was written: a change that storage took is counted once, one that it refused never. Object ids,
request ids and addresses are no dimension of anything.
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
    """How values of a metric add up: summed, described by count, sum, least and most, or the latest counts."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """One metric: alerts, workbook and docs/reference/metrics.md know it under this name, with these dimensions."""

    name: str
    kind: Kind
    unit: str
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One value of a metric, with a word for each of its dimensions."""

    metric: Metric
    value: float
    words: tuple[str, ...] = ()

    @property
    def dimensions(self) -> dict[str, str]:
        """Dimension to word; fails where a word is missing or one too many."""
        return dict(zip(self.metric.dimensions, self.words, strict=True))


@dataclass(frozen=True)
class Backlog:
    """What waits: messages by queue, hidden ones too, and since when the oldest visible request does."""

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
"""Events that tell how a call ended which did not invite, and the outcome that each stands for."""


def figures_of(change: Change[Any]) -> tuple[Figure, ...]:
    """Return what a change counts for, once it is written. A row that is no request and no account counts nothing."""
    row = change.row
    if isinstance(row, RequestRecord):
        return tuple(figure for event in change.events for figure in _of_request(row, event))
    if isinstance(row, Conversion):
        return tuple(figure for event in change.events for figure in _of_account(row, event))
    return ()


def failure_of(change: Change[Any]) -> tuple[str, str] | None:
    """Return the request that failed with this change, and the cause; None if no request failed."""
    row = change.row
    if isinstance(row, RequestRecord) and any(event.kind == Stage.FAILED for event in change.events):
        return row.request_id, row.last_error
    return None


def _of_request(row: RequestRecord, event: Event) -> Iterator[Figure]:
    """A stage that was reached. A request that follows an account's conversion shows findings counted there."""
    if not _arrives(event):
        return
    yield Figure(REQUESTS, 1, (event.kind, row.source))
    if _judged(event):
        yield from _findings(row.findings)


def _of_account(row: Conversion, event: Event) -> Iterator[Figure]:
    """How a call ended, what an assessment found, how long a person took."""
    if outcome := _outcome(row, event):
        yield Figure(INVITATIONS, 1, (outcome,))
    first_claim = event.kind == Stage.INVITING and row.attempts == 1  # a later one may go by the same assessment
    if first_claim or _judged(event):
        yield from _findings(row.findings)
    elif event.kind == REFUSED and row.stage is Stage.BLOCKED:  # Graph's reason joined what the rules had said
        yield from _findings(row.findings[-1:])
    if event.kind == Stage.ACCEPTED and row.invited_at and row.accepted_at:
        yield Figure(REDEMPTION, max((row.accepted_at - row.invited_at).total_seconds(), 0.0))


def _outcome(row: Conversion, event: Event) -> str:
    """Say how a call ended; empty where none did. Without an id, reading the account showed the invitation."""
    if event.kind == Stage.INVITED and row.invitation_id:
        return SENT
    return CALLS.get(event.kind, "")


def _arrives(event: Event) -> bool:
    """Tell whether an event is the arrival at its stage, and not something that happened there."""
    return event.stage is not None and event.kind == event.stage


def _judged(event: Event) -> bool:
    """Tell whether an assessment led to this stage: the event then says its verdict."""
    return _arrives(event) and event.detail in set(Verdict)


def _findings(findings: Iterable[Finding]) -> Iterator[Figure]:
    for finding in findings:
        yield Figure(FINDINGS, 1, (finding.rule, finding.severity))
