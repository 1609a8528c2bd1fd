"""The endpoints under `/admin` that tools use, and this host's own under `/_rehearsal`, for tests that wait for the end
of an invocation or move the app's clock ahead.

All but the ping need the master key. Another key of the app gets 403, and no key or a wrong one gets 401. A path that
the real host does not have gets 404. Endpoints of the real host that are missing here (keys, drain, restart and others)
get 404, too, but only with the master key.

`POST /admin/functions/{name}` answers at once, as in Azure. Its header `x-rehearsal-invocation`, which the real host
does not send, holds the id with which `/_rehearsal/invocations/{id}` reports the end.
"""

import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.host.bindings import Datum, HttpAnswer, QueueItem, queue_metadata, timer_info
from rehearsal.host.engine import Engine
from rehearsal.host.keys import Keys
from rehearsal.host.worker import Function

INVOCATION_HEADER = "x-rehearsal-invocation"
_PREFIXES = ("/admin/", "/runtime/", "/_rehearsal/")
_KEYED = re.compile(
    r"""/(?: admin/functions(?: /[^/]+ (?: /status | /keys (?: /[^/]+ )? )? )?
           | admin/host/(?: status | drain(?:/status)? | resume | scale/status | log | debug | synctriggers | restart
                          | state | (?: keys | functionkeys | systemkeys )(?: /[^/]+ )? )
           | runtime/webhooks/.+
           | _rehearsal/.+ )/?""",
    re.IGNORECASE | re.VERBOSE,
)
_PING = HttpAnswer(200, (("cache-control", "no-store,no-cache"), ("pragma", "no-cache")))
_UNAUTHORIZED = HttpAnswer(401, (("www-authenticate", "Bearer"),))
_FORBIDDEN = HttpAnswer(403)
_NOT_FOUND = HttpAnswer(404)


class Admin:
    """Answers requests to the host itself."""

    def __init__(self, engine: Engine, functions: Mapping[str, Function], keys: Keys) -> None:
        self._engine = engine
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._keys = keys
        self._started = time.monotonic()

    @staticmethod
    def serves(path: str) -> bool:
        """Tell whether a path belongs to the host and not to a function."""
        return path.lower().startswith(_PREFIXES)

    def answer(self, method: str, path: str, body: bytes, key: str | None) -> HttpAnswer:
        """Answer one request that was sent with `key` (None: no key)."""
        if path.lower().rstrip("/") == "/admin/host/ping" and method in ("GET", "POST"):
            return _PING
        if not _KEYED.fullmatch(path):
            return _NOT_FOUND
        if not self._keys.is_master(key):
            return _FORBIDDEN if self._keys.knows(key) else _UNAUTHORIZED
        return self._allowed(method, path, body)

    def _allowed(self, method: str, path: str, body: bytes) -> HttpAnswer:
        answer = _NOT_FOUND
        match method, path.lower().strip("/").split("/"):
            case "GET", ["admin", "host", "status"]:
                answer = _json({"state": "Running", "processUptime": int((time.monotonic() - self._started) * 1000)})
            case "GET", ["admin", "functions"]:
                answer = _json([_described(function) for function in self._functions.values()])
            case "GET", ["admin", "functions", name] if name in self._functions:
                answer = _json(_described(self._functions[name]))
            case "POST", ["admin", "functions", name] if name in self._functions:
                answer = self._run(self._functions[name], body)
            case "POST", ["_rehearsal", "clock"]:
                answer = self._move_clock(body)
            case "GET", ["_rehearsal", "invocations"]:
                answer = _json({name: asdict(counts) for name, counts in self._engine.counts.items()})
            case "GET", ["_rehearsal", "invocations", invocation_id] if state := self._engine.state(invocation_id):
                answer = _json({"id": invocation_id, "state": state})
        return answer

    def _move_clock(self, body: bytes) -> HttpAnswer:
        try:
            self._engine.advance(float(json.loads(body)["advance"]))
        except (KeyError, TypeError, ValueError):
            return HttpAnswer(400)
        return HttpAnswer(204)

    def _run(self, function: Function, body: bytes) -> HttpAnswer:
        try:
            content = json.loads(body or b"{}")
            text = content.get("input") or ""
        except (ValueError, AttributeError):
            return HttpAnswer(400)
        text = text if isinstance(text, str) else json.dumps(text)
        value, metadata = Datum(text, "string"), dict[str, Datum]()
        match function.trigger["type"]:
            case "timerTrigger":
                value = timer_info(past_due=False, status=None)
            case "queueTrigger":
                metadata = queue_metadata(_made_up(function, text))
        # The text is no HTTP request, so an HTTP function fails before its code runs, as in Azure.
        invocation_id = self._engine.invoke_by_hand(function, value, metadata)
        return HttpAnswer(202, ((INVOCATION_HEADER, invocation_id),))


def _described(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "language": "python",
        "config": {"bindings": [dict(each) for each in function.bindings]},
    }


def _made_up(function: Function, text: str) -> QueueItem:
    """Return a message that was never in a queue, for an invocation through the admin endpoint."""
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
