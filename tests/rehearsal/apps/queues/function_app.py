"""One queue function that records each delivery and does what its message says.

`fail` raises, `exit` exits the process, `sleep:N` and `block:N` take N seconds (`block` while blocking the event loop),
and `hold` waits until the file RELEASE exists. The records are lines of JSON in the file NOTES.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
running = 0


@app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="%CONNECTION%")
async def work(msg: func.QueueMessage) -> None:
    global running  # noqa: PLW0603 - the tests check the peak of concurrency
    running += 1
    _note(msg)
    try:
        await _obey(msg.get_body().decode())
    finally:
        running -= 1


async def _obey(order: str) -> None:
    verb, _, seconds = order.partition(":")
    if verb == "fail":
        raise ValueError("told to fail")
    if verb == "exit":
        sys.exit(3)
    if verb == "sleep":
        await asyncio.sleep(float(seconds))
    if verb == "block":
        time.sleep(float(seconds))  # noqa: ASYNC251 - the behaviour under test
    if verb == "hold":
        await asyncio.to_thread(_wait_for_release)


def _wait_for_release() -> None:
    while not Path(os.environ["RELEASE"]).exists():
        time.sleep(0.02)


def _note(msg: func.QueueMessage) -> None:
    note = {
        "body": msg.get_body().decode(),
        "id": msg.id,
        "count": msg.dequeue_count,
        "receipt": msg.pop_receipt,
        "inserted": str(msg.insertion_time),
        "running": running,
        "at": time.time(),
    }
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(json.dumps(note) + "\n")
