"""Timers of every kind. Each firing writes a line of JSON to the file NOTES."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()
running = 0


@app.timer_trigger(arg_name="timer", schedule="%HOURLY%")
async def hourly(timer: func.TimerRequest) -> None:
    _note("hourly", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def at_start(timer: func.TimerRequest) -> None:
    _note("at_start", timer)


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def slow(timer: func.TimerRequest) -> None:
    global running  # noqa: PLW0603 - the test checks for overlap
    running += 1
    _note("slow", timer, running=running)
    await asyncio.sleep(1.2)
    running -= 1


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def failing(timer: func.TimerRequest) -> None:
    _note("failing", timer)
    raise ValueError("told to fail")


def _note(name: str, timer: Any, **more: int) -> None:
    note = {"name": name, "past_due": timer.past_due, "status": timer.schedule_status, "at": time.time(), **more}
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(json.dumps(note) + "\n")
