"""Print the host's log: one line per event on stderr in the style of Core Tools, and never a message body."""

import io
import logging
import sys
import time

host_log = logging.getLogger("rehearsal.host")
# For the host's own storage and server traffic, which would hide the app's log lines.
quiet = logging.getLogger("rehearsal.quiet")

_LEVELS = {logging.DEBUG: "Debug", logging.INFO: "Information", logging.WARNING: "Warning", logging.ERROR: "Error"}


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
        level = _LEVELS.get(record.levelno, record.levelname)
        source = "" if record.name == host_log.name else f"{record.name}: "
        text = f"[{moment}] {level}: {source}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def start_logging() -> None:
    """Print the host's own log lines, and drop those of the app until `show_app_logs` is called."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # so that lines the app prints appear in order
    host_log.addHandler(_handler())
    host_log.setLevel(logging.INFO)
    host_log.propagate = False
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    quiet.setLevel(logging.CRITICAL)
    # On the real host, log records during the import of the app are lost; stdout and stderr are not.
    logging.getLogger().addHandler(logging.NullHandler())


def show_app_logs() -> None:
    """Print the app's log records from Information upwards from now on, which is the host's default filter."""
    root = logging.getLogger()
    root.addHandler(_handler())
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    return handler
