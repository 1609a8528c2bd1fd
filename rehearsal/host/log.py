"""What the host prints: one line per event on stderr, in the manner of Core Tools, never a message body."""

import io
import logging
import sys
import time

host_log = logging.getLogger("rehearsal.host")
# The host's own storage and server traffic would drown the app's log lines.
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
    """Print the host's own lines, and swallow those of the app until `show_app_logs`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what the app prints keeps its place among the other lines
    host_log.addHandler(_handler())
    host_log.setLevel(logging.INFO)
    host_log.propagate = False
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    quiet.setLevel(logging.CRITICAL)
    # On the real host, `logging` during the import of the app reaches no log; stdout and stderr do.
    logging.getLogger().addHandler(logging.NullHandler())


def show_app_logs() -> None:
    """From now on the app's log records from Information upwards are printed, as the host's default filter has it."""
    root = logging.getLogger()
    root.addHandler(_handler())
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    return handler
