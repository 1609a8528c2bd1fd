"""The endpoints under `/admin` that tools use, and `/_rehearsal`, the host's own, for those who wait for an end.

All of them want the master key. `POST /admin/functions/{name}` answers at once, as in Azure; the header
`x-rehearsal-invocation` (ours) tells what to ask `/_rehearsal/invocations/{id}` for.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.host.bindings import Datum, HttpAnswer, QueueItem, queue_metadata, timer_info
from rehearsal.host.engine import Engine
from rehearsal.host.worker import Function

INVOCATION_HEADER = "x-rehearsal-invocation"
PREFIXES = ("/admin/", "/_rehearsal/")
_NOT_FOUND = HttpAnswer(404)


class Admin:
    """Answers the host's own requests; whoever asks has shown the master key."""

    def __init__(self, engine: Engine, functions: Mapping[str, Function]) -> None:
        self._engine = engine
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._started = time.monotonic()

    def answer(self, method: str, path: str, body: bytes) -> HttpAnswer:
        """The answer to one request."""
        answer = _NOT_FOUND
        match method, path.strip("/").split("/"):
            case "GET", ["admin", "host", "status"]:
                answer = _json({"state": "Running", "processUptime": int((time.monotonic() - self._started) * 1000)})
            case "GET", ["admin", "functions"]:
                answer = _json([_described(function) for function in self._functions.values()])
            case "GET", ["admin", "functions", name] if name.lower() in self._functions:
                answer = _json(_described(self._functions[name.lower()]))
            case "POST", ["admin", "functions", name] if name.lower() in self._functions:
                answer = self._run(self._functions[name.lower()], body)
            case "GET", ["_rehearsal", "invocations"]:
                answer = _json({name: asdict(counts) for name, counts in self._engine.counts.items()})
            case "GET", ["_rehearsal", "invocations", invocation_id] if state := self._engine.state(invocation_id):
                answer = _json({"id": invocation_id, "state": state})
        return answer

    def _run(self, function: Function, body: bytes) -> HttpAnswer:
        try:
            content = json.loads(body or b"{}")
            text = content.get("input") or ""
        except (ValueError, AttributeError):
            return HttpAnswer(400)
        text = text if isinstance(text, str) else json.dumps(text)
        metadata: dict[str, Datum] = {}
        match function.trigger["type"]:
            case "timerTrigger":
                value = timer_info(past_due=False, status=None)
            case "queueTrigger":
                value, metadata = Datum(text, "string"), queue_metadata(_made_up(function, text))
            case _:
                return _json({"error": "An HTTP function is called by its route."}, 400)
        invocation_id = self._engine.invoke_by_hand(function, value, metadata)
        return HttpAnswer(202, ((INVOCATION_HEADER, invocation_id),))


def _described(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "language": "python",
        "config": {"bindings": [dict(each) for each in function.bindings]},
    }


def _made_up(function: Function, text: str) -> QueueItem:
    """A message that was never in a queue, for a call by hand."""
    now = datetime.now(UTC)
    return QueueItem(
        queue=str(function.trigger["queueName"]),
        text=text,
        id=str(uuid.uuid4()),
        dequeue_count=0,
        pop_receipt="",
        inserted=now,
        expires=now + timedelta(days=7),
        next_visible=now,
    )


def _json(content: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, (("content-type", "application/json; charset=utf-8"),), json.dumps(content).encode())
