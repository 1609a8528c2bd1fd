"""The person at the keyboard: says yes, and opens a link where only a person can."""

import queue
import sys
import threading
from typing import Literal, Protocol, TextIO

Opened = Literal["accepted", "refused", "nobody"]
ANSWERS: dict[str, Opened] = {"a": "accepted", "r": "refused", "s": "nobody"}


class Operator(Protocol):
    """What the probe wants of a person."""

    def say(self, line: str) -> None:
        """Tell something."""

    def agree(self, question: str) -> bool:
        """Ask for a yes."""

    def open_link(self, link: str, address: str) -> Opened:
        """Ask for a redeem link to be opened, and what came of it."""


class Terminal:
    """A person at a terminal. What is not answered in `seconds` is answered by nobody."""

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
        """A question that only `yes` answers with yes."""
        return self._ask(question) == "yes"

    def open_link(self, link: str, address: str) -> Opened:
        """Show the link here and nowhere else: it is as good as a password until it is used."""
        self.say("")
        self.say(f"Open this link in a private browser window, sign in as {address}, and accept what it asks for:")
        self.say(f"  {link}")
        while True:
            said = self._ask("Type a if it was accepted, r if the page refuses the link, s to skip: ")
            if said is None or said in ANSWERS:
                return "nobody" if said is None else ANSWERS[said]

    def _ask(self, question: str) -> str | None:
        """One line of input, or None when there is none in time, or ever."""
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
