"""An app that cannot be imported, and reports this by logging, on stderr and by an exception."""

import logging
import sys

logging.error("said through logging")  # noqa: LOG015 - as apps do
sys.stderr.write("said on stderr\n")
raise RuntimeError("said by the exception")
