"""Hold back Ctrl+C and SIGTERM while processes are started or stopped, so that no new process is left behind."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context in which signals are only recorded, except within `allowed`. Its end restores the handlers.

    It affects only signals that raise KeyboardInterrupt, and only the main thread, because no other thread gets
    signals.
    """

    def __init__(self) -> None:
        self.pending = False
        """Whether a signal arrived while signals were held back."""
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
        """Let a signal raise KeyboardInterrupt, at once if one has arrived already. For steps that may take long."""
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
