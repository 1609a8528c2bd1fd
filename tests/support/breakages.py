"""A log handler that collects unexpected errors, which the app catches and therefore does not show its caller."""

import logging


class Breakages(logging.Handler):
    """Collects the errors that the app caught without expecting them. Only those are logged with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(record.exc_info[1])
