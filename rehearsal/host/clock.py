"""Move the clock of the app's process ahead, so that a rehearsal does not wait for the days that a conversion takes."""

from datetime import UTC, datetime, timedelta

import time_machine


class AheadClock:
    """The wall clock of this process. Monotonic clocks, and so the waits of the event loop, do not change."""

    def __init__(self) -> None:
        self._moved: time_machine.Traveller | None = None

    def advance(self, seconds: float) -> None:
        """Move the clock ahead. It runs on from the new time."""
        if self._moved is None:
            later = datetime.now(UTC) + timedelta(seconds=seconds)
            self._moved = time_machine.travel(later, tick=True).start()
        else:
            self._moved.shift(seconds)
