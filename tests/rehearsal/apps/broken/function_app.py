"""An app that cannot be imported, and says so in the three ways an app may try."""

import logging
import sys

logging.error("said through logging")  # noqa: LOG015 - as apps do
sys.stderr.write("said on stderr\n")
raise RuntimeError("said by the exception")
