"""Write the result file of a run, in a form that may be passed on.

``positions`` of a belief are those that fit Graph's answers. There are several if this tenant cannot tell them apart.
The rehearsal can use the file (`make run BELIEFS=FILE`).
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from probe import scrub
from probe.graph import Answer, Meter
from probe.questions import Question

FORMAT = 1
KEPT_HEADERS = frozenset({"content-type", "retry-after", "x-ms-resource-unit"})

Ended = Literal["seen", "skipped", "unclear"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question ended: the positions that fit, or the reason why there are none."""

    question: Question
    ended: Ended
    positions: tuple[str, ...] = ()
    reason: str | None = None
    answer: Answer | None = None

    @property
    def line(self) -> str:
        """The outcome in one line for the screen."""
        if self.ended != "seen":
            said = f"{self.ended}: {self.reason}"
        else:
            said = " or ".join(self.positions) or "something that nobody thought of"
        seen = f" ({self.answer.short})" if self.answer and self.ended == "seen" else ""
        return f"{self.question.id:<9} {self.question.asks}: {said}{seen}"


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a run has found out."""

    day: str
    tenant: dict[str, Any]
    outcomes: Sequence[Outcome]
    meter: Meter
    names: Collection[str]

    def as_json(self) -> dict[str, Any]:
        """Return the file's content, without anything that names a person, an account or the tenant."""
        return {
            "format": FORMAT,
            "date": self.day,
            "tenant": self.tenant,
            "showsPendingInvitations": {"cloud": self._shows(), "synced": "unknown"},
            "beliefs": [self._belief(outcome) for outcome in self.outcomes],
            "lag": dict(sorted(self.meter.lag.items())),
            "throttling": {
                "calls": self.meter.calls,
                "refused": self.meter.throttled,
                "unanswered": self.meter.lost,
                "retryAfter": sorted(self.meter.retry_after),
                "headers": {name: self._clean(value) for name, value in sorted(self.meter.headers.items())},
            },
        }

    def write(self, path: Path) -> None:
        """Write the file. If that fails, no part of it is written."""
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)

    def _shows(self) -> str:
        known = {"pending-acceptance": "shows", "unset": "does not show"}
        for outcome in self.outcomes:
            if outcome.question.switch == "pending-state" and len(outcome.positions) == 1:
                return known[outcome.positions[0]]
        return "unknown"

    def _belief(self, outcome: Outcome) -> dict[str, Any]:
        found: dict[str, Any] = {"id": outcome.question.id, "ended": outcome.ended}
        if outcome.question.switch:
            found["switch"] = outcome.question.switch
        if outcome.ended == "seen":
            found["positions"] = list(outcome.positions)
        if outcome.reason:
            found["reason"] = self._clean(outcome.reason)
        if outcome.answer:
            found["answer"] = self._answer(outcome.answer)
        return found

    def _answer(self, answer: Answer) -> dict[str, Any]:
        headers = {name: answer.headers[name] for name in sorted(KEPT_HEADERS & answer.headers.keys())}
        return {
            "call": answer.call.name,
            "status": answer.status,
            "code": answer.code,
            "message": self._clean(answer.message),
            "shape": scrub.shape(answer.body),
            "headers": {name: self._clean(value) for name, value in headers.items()},
        }

    def _clean(self, text: str) -> str:
        return scrub.text(text, self.names)
