"""What a run says while it works: one line per step with the seconds since its start, and waits that end."""

import time
from collections.abc import Callable
from typing import TextIO

Count = Callable[[], tuple[int, int]]
"""How many are there, and how many there must be."""

_POLL_SECONDS = 0.1
_QUIET_SECONDS = 5.0
_REWRITE = "\r\x1b[K"


class Progress:
    """Writes to a terminal or into a file. On a terminal a step that is still going on rewrites its own line."""

    def __init__(self, out: TextIO) -> None:
        self.late: list[str] = []
        """What did not come true in its time, one sentence each."""
        self._out = out
        self._rewrites = out.isatty()
        self._started = time.monotonic()
        self._spoke = 0.0
        self._line_open = False

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """One line, after a step."""
        self._write(text, "\n")

    def note(self, text: str) -> None:
        """A line that belongs to the step before it."""
        self._out.write(f"{'':10}{text}\n")
        self._out.flush()

    def now(self, text: str) -> None:
        """What is going on: rewritten on a terminal; elsewhere a line, and only if there was none for a while."""
        if self._rewrites:
            self._write(text, "")
        elif self.elapsed - self._spoke > _QUIET_SECONDS:
            self.say(text)

    def wait(self, what: str, count: Count, seconds: float, every: float = _POLL_SECONDS) -> bool:
        """Wait until all are there. After `seconds` it goes on without them, and `late` says so."""
        deadline = time.monotonic() + seconds
        while True:
            there, total = count()
            if there >= total:
                self.say(f"{what}: {there}")
                return True
            if time.monotonic() > deadline:
                self.late.append(f"{what}: only {there} of {total} after {seconds:g} s")
                self.say(self.late[-1])
                return False
            self.now(f"{what}: {there} of {total}")
            time.sleep(every)

    def _write(self, text: str, end: str) -> None:
        start = _REWRITE if self._line_open else ""
        self._out.write(f"{start}{self.elapsed:6.1f} s  {text}{end}")
        self._out.flush()
        self._line_open = not end
        self._spoke = self.elapsed
