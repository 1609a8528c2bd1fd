"""Talk to the person at the keyboard, who agrees to the plan and opens redeem links."""

import queue
import sys
import threading
from typing import Literal, Protocol, TextIO

Opened = Literal["accepted", "refused", "nobody"]
ANSWERS: dict[str, Opened] = {"a": "accepted", "r": "refused", "s": "nobody"}


class Operator(Protocol):
    """What the probe asks of the person who runs it."""

    def say(self, line: str) -> None:
        """Show a line."""

    def agree(self, question: str) -> bool:
        """Ask a question. Return True only if the person answers yes."""

    def open_link(self, link: str, address: str) -> Opened:
        """Ask the person to open a redeem link, and return the result."""


class Terminal:
    """Talks to a person at a terminal. If there is no answer within ``seconds``, the probe goes on without one."""

    def __init__(self, source: TextIO = sys.stdin, out: TextIO = sys.stdout, *, seconds: float) -> None:
        self._out = out
        self._seconds = seconds
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._source = source
        self._reading = False

    def say(self, line: str) -> None:
        """Print a line."""
        print(line, file=self._out, flush=True)

    def agree(self, question: str) -> bool:
        """Ask a question. Any answer but `yes` counts as no."""
        return self._ask(question) == "yes"

    def open_link(self, link: str, address: str) -> Opened:
        """Show the link and ask for the result. The link is shown nowhere else, because it is as good as a password."""
        self.say("")
        self.say(f"Open this link in a private browser window, sign in as {address}, and accept what it asks for:")
        self.say(f"  {link}")
        while True:
            said = self._ask("Type a if it was accepted, r if the page refuses the link, s to skip: ")
            if said is None or said in ANSWERS:
                return "nobody" if said is None else ANSWERS[said]

    def _ask(self, question: str) -> str | None:
        """Return one line of input; None if no line came in time, or if the input has ended."""
        print(question, end="", file=self._out, flush=True)
        if not self._reading:
            # A thread of its own, since a read from a terminal cannot be given up.
            self._reading = True
            threading.Thread(target=self._read, daemon=True).start()
        try:
            line = self._lines.get(timeout=self._seconds)
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)  # the input has ended, for every question to come
            return None
        return line.strip().lower()

    def _read(self) -> None:
        for line in self._source:
            self._lines.put(line)
        self._lines.put(None)
