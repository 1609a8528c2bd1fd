"""Ctrl+C and SIGTERM, held back while pieces are started or stopped: a process just made must not be lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Within the context signals are only noted, except where they are `allowed`; leaving it restores the handlers.

    Only signals that would raise KeyboardInterrupt are concerned, and only on the main thread, which alone gets them.
    """

    def __init__(self) -> None:
        self.pending = False
        """Whether one came while they were held."""
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let a signal raise KeyboardInterrupt, at once if one came already. For whatever may take long."""
        try:
            self._restore()
            if self.pending:
                raise KeyboardInterrupt
            yield
        finally:
            self._hold()

    def _hold(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is signal.default_int_handler:
                self._before[number] = signal.signal(number, self._note)

    def _restore(self) -> None:
        for number in tuple(self._before):
            signal.signal(number, self._before.pop(number))

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.pending = True
