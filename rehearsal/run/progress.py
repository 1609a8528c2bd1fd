"""Print the progress of a run: one line for each step, with the seconds since the start, and waits with a limit."""

import time
from collections.abc import Callable
from typing import TextIO

Count = Callable[[], tuple[int, int]]
"""Returns how many things are done, and how many must be done."""

_POLL_SECONDS = 0.1
_QUIET_SECONDS = 5.0
_REWRITE = "\r\x1b[K"


class Progress:
    """Writes to a terminal or a file. On a terminal, the line of an unfinished step is overwritten."""

    def __init__(self, out: TextIO) -> None:
        self.late: list[str] = []
        """One sentence for each wait that did not end in time."""
        self._out = out
        self._rewrites = out.isatty()
        self._started = time.monotonic()
        self._spoke = 0.0
        self._line_open = False

    @property
    def elapsed(self) -> float:
        """Seconds since the start of the run."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Write a line after a step."""
        self._write(text, "\n")

    def note(self, text: str) -> None:
        """Write a line with details of the last step."""
        self._out.write(f"{'':10}{text}\n")
        self._out.flush()

    def now(self, text: str) -> None:
        """Write the current progress. A terminal's line is overwritten; a file gets a line only after some time without
        one.
        """
        if self._rewrites:
            self._write(text, "")
        elif self.elapsed - self._spoke > _QUIET_SECONDS:
            self.say(text)

    def wait(self, what: str, count: Count, seconds: float, every: float = _POLL_SECONDS) -> bool:
        """Wait until the first number that `count` returns has reached the second, and return True.

        After `seconds` seconds, add a sentence to `late` and return False.
        """
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
