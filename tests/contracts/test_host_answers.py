"""The local host answers requests, messages and schedules as Microsoft's Functions host did.

The recorded answers are reference data that may be beside the project: raw requests to a probe app with their answers,
queue messages with what the function saw of them, and schedules with their next firings. HOST_ANSWERS names their
folder; without it these tests are skipped.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from b2b import readers
from rehearsal.host import ncrontab
from rehearsal.host.config import ConfigError
from rehearsal.host.process import HostProcess, wait_until
from rehearsal.storage import Azurite
from tests.support.wire import Answer, answered

FOLDER = Path(os.environ.get("HOST_ANSWERS", Path(__file__).parents[3] / "shared" / "reference" / "host-answers"))
# The recordings come from Microsoft's host and are not part of the project, so a plain clone skips this module, in CI
# too. A wrong HOST_ANSWERS fails instead. The project's own cases, which always run, are in
# tests/rehearsal/test_host_conformance.py.
pytestmark = pytest.mark.skipif(
    "HOST_ANSWERS" not in os.environ and not FOLDER.is_dir(),
    reason="What Microsoft's host answered is not part of the repository; HOST_ANSWERS names the folder that holds it",
)

START = datetime(2026, 1, 30, 23, 59, 30, tzinfo=UTC)
QUEUE = "probe-q"
SHOWN = 3000
"""Bytes; of a longer body only the size is recorded."""

NAMED = {
    "GET /": "the home page has a text of its own",
    "GET /api/answer/jsonstr": "a returned text that is JSON is sent as it is",
    "GET /api/answer/bodystr": "a returned text that is JSON is sent as it is",
    "GET /api/answer/700": "a status outside 200 to 599 is refused",
    "GET /api/answer/99": "a status outside 200 to 599 is refused",
}
"""Requests that the local host answers differently, for a reason given in the docstring of rehearsal.host."""
REFUSED = {"0 0 0 30 2 *", "0 0 0 31 4,6,9,11 *", "0 10-5 * * * *", "0 0 22-2 * * *", "0 0 0 * * FRI-MON"}
"""Schedules that NCrontab accepts, and the local host and the app refuse: dates that do not exist, and backward
ranges."""
FIVE_FIELDS = {"*/10 * * * *", "0 9 * * *"}
"""Schedules that the app refuses because its setting requires six fields."""


def recorded(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8")) if (FOLDER / name).is_file() else []


@pytest.fixture(scope="module")
def probe(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, str, Path]]:
    """The probe app on the local host, its storage, and the file in which its queue function records messages."""
    app = tmp_path_factory.mktemp("probe")
    for name in ("function_app.py", "host.json"):
        shutil.copy(FOLDER / name, app)
    storage, notes = azurite.connection_string(azurite.account()), app / "notes"
    with HostProcess(app_dir=app, env={"PROBE_OUT": str(notes), "AzureWebJobsStorage": storage}) as host:
        yield host, storage, notes


def whole(request: str) -> str:
    """Return a recorded request at its full length: `…(7051 bytes)` stands for as many x as make up that size."""
    cut = re.search(r"x+…\((\d+) bytes\)$", request)
    if cut is None:
        return request
    head = request[: cut.start()]
    tail = " HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n"
    if "\r\n" in head:
        tail = "" if "Content-Length" in head else "\r\n\r\n"
    return head + "x" * (int(cut[1]) - len(head) - len(tail)) + tail


def shown(answer: Answer, expected: Any) -> Any:
    """Return the body of an answer in the form of the recording."""
    if isinstance(expected, str) and re.fullmatch(r"\(\d+ bytes\)", expected):
        return f"({len(answer.body)} bytes)"
    text = answer.body.decode("latin-1")
    return json.loads(text) if isinstance(expected, dict) and text.startswith("{") else text


def test_every_request_is_answered_as_recorded_unless_listed_as_different(probe: tuple[HostProcess, str, Path]) -> None:
    host, _, _ = probe
    told = {"PORT": str(host.port), "HOSTKEY": host.function_key, "MASTERKEY": host.master_key}
    different = {}
    for each in recorded("http.json"):
        request, expected = whole(each["request"]), json.dumps(each["body"])
        for name, value in told.items():
            request, expected = request.replace(name, value), expected.replace(name, value)
        answer = answered(host.port, request.encode("latin-1"))
        body = json.loads(expected)
        if (answer.status, answer.headers, shown(answer, body)) != (each["status"], each["headers"], body):
            different[each["request"].split(" HTTP/")[0]] = answer
    assert different.keys() == NAMED.keys(), different


def test_every_message_reaches_the_function_or_the_poison_queue_as_recorded(
    probe: tuple[HostProcess, str, Path],
) -> None:
    host, storage, notes = probe
    told = recorded("queue.json")
    seen = [{**each, "body": each["body"][:60]} for each in told["invocations"]]
    with QueueServiceClient.from_connection_string(storage) as service:
        queue, poison = service.get_queue_client(QUEUE), service.get_queue_client(f"{QUEUE}-poison")
        queue.create_queue()
        for body in {each["body"] for each in told["invocations"]} | set(told["poison"]):
            queue.send_message(body)
        wait_until(lambda: queue.get_queue_properties().approximate_message_count == 0, 60, "the queue")
        wait_until(host.idle)
        assert sorted(message.content for message in poison.peek_messages(32)) == sorted(told["poison"])
    found = [noted(json.loads(line)) for line in notes.read_text("utf-8").splitlines()]
    assert sorted(found, key=json.dumps) == sorted(seen, key=json.dumps)


def noted(line: dict[str, Any]) -> dict[str, Any]:
    """Return a note of the probe's queue function in the form of the recording."""
    return {
        "body": line["q"][:60],
        "id": "uuid" if re.fullmatch("[0-9a-f-]{36}", line["id"]) else line["id"],
        "dequeue_count": line["dq"],
        "pop_receipt": line["pop"],
        "insertion_time": line["ins"],
    }


@pytest.mark.parametrize(("expression", "expected"), recorded("ncrontab.json"))
def test_every_schedule_fires_as_recorded_or_is_refused(expression: str, expected: list[str] | None) -> None:
    firings = [moment for moment in expected or () if moment != "never"]
    if expression in REFUSED:
        assert expected is not None
        firings = []
    assert next_firings(expression, len(firings)) == firings
    assert taken(expression) == (bool(firings) and expression not in FIVE_FIELDS)


def next_firings(expression: str, count: int) -> list[str]:
    """Return the next firings after the recording's moment; empty if the local host refuses the schedule."""
    try:
        schedule = ncrontab.parse(expression)
    except ConfigError:
        return []
    moment, found = START, []
    for _ in range(max(count, 1)):
        moment = schedule.next_after(moment)
        found.append(moment.replace(tzinfo=None).isoformat())
    return found


def taken(expression: str) -> bool:
    try:
        return readers.schedule(expression) == expression
    except ValueError:
        return False
