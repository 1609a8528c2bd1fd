"""The timer trigger: it follows its schedule, never overlaps itself, and catches up once after a pause of the host.

Based on TimerListener and ScheduleMonitor of Azure/azure-webjobs-sdk-extensions. A file holds the state that Azure
keeps in a blob.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rehearsal.host.bindings import timer_info
from rehearsal.host.engine import Engine
from rehearsal.host.log import host_log
from rehearsal.host.ncrontab import Schedule
from rehearsal.host.worker import Function

_MONITORED_FROM = timedelta(minutes=1)
_LONGEST_SLEEP = 60.0  # so that after a laptop's sleep the passed time is noticed


class TimerListener:
    """Fires one timer function until it is stopped."""

    def __init__(self, engine: Engine, function: Function, schedule: Schedule, state: Path) -> None:
        self._engine = engine
        self._function = function
        self._schedule = schedule
        self._run_on_startup = bool(function.trigger.get("runOnStartup"))
        now = datetime.now(UTC)
        first = schedule.next_after(now)
        frequent = schedule.next_after(first) - first < _MONITORED_FROM
        monitored = function.trigger.get("useMonitor") is not False and not frequent
        self._monitor = Monitor(state / "timers" / f"{function.name}.json", schedule) if monitored else None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Fire at once if `runOnStartup` is set or a firing was missed, then follow the schedule."""
        past_due = self._monitor is not None and self._monitor.is_past_due(datetime.now(UTC))
        if past_due or self._run_on_startup:
            await self._fire(past_due=past_due)
        while True:
            due = self._schedule.next_after(datetime.now(UTC))
            await self._sleep_until(due)
            if self._stopping.is_set():
                return
            await self._fire(past_due=False)

    def stop(self) -> None:
        """Stop firing."""
        self._stopping.set()

    async def settled(self) -> None:
        """Do nothing, because a timer has no work left once its invocation has ended."""

    async def _fire(self, *, past_due: bool) -> None:
        fired = datetime.now(UTC)
        status = self._monitor.status if self._monitor else None
        reason = "Timer fired, past due." if past_due else "Timer fired."
        await self._engine.invoke(self._function, timer_info(past_due=past_due, status=status), reason=reason)
        if self._monitor:
            self._monitor.record(fired)

    async def _sleep_until(self, due: datetime) -> None:
        while not self._stopping.is_set():
            remaining = (due - datetime.now(UTC)).total_seconds()
            if remaining <= 0:
                return
            try:
                await asyncio.wait_for(self._stopping.wait(), min(remaining, _LONGEST_SLEEP))
            except TimeoutError:
                continue


class Monitor:
    """Stores in a file when a timer last fired, for the next start of the host."""

    def __init__(self, path: Path, schedule: Schedule) -> None:
        self._path = path
        self._schedule = schedule
        self.status = self._read()

    def is_past_due(self, now: datetime) -> bool:
        """Tell whether a firing was missed since the last one, or since the timer was first seen."""
        if self.status is None:
            self._write(last=datetime.min.replace(tzinfo=UTC), following=self._schedule.next_after(now), now=now)
            return False
        last = datetime.fromisoformat(self.status["Last"])
        known = last if last.year > 1 else datetime.fromisoformat(self.status["LastUpdated"])
        return self._schedule.next_after(known) < now

    def record(self, fired: datetime) -> None:
        """Record that the timer fired."""
        self._write(last=fired, following=self._schedule.next_after(datetime.now(UTC)), now=fired)

    def _read(self) -> dict[str, str] | None:
        try:
            content: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            host_log.warning("%s is not readable: the timer starts anew.", self._path)
            return None
        return content

    def _write(self, *, last: datetime, following: datetime, now: datetime) -> None:
        self.status = {"Last": last.isoformat(), "Next": following.isoformat(), "LastUpdated": now.isoformat()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.status), encoding="utf-8")
