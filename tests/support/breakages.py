"""Errors that nobody sees from outside, because the app survives them."""

import logging


class Breakages(logging.Handler):
    """Errors that the app caught without expecting them: it logs those, and no others, with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(record.exc_info[1])
