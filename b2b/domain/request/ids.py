"""Request ids: the form that a caller may use, and the prefixes that the app uses itself."""

import re

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESERVED_BY_HOST = frozenset(
    {"id", "dequeuecount", "popreceipt", "insertiontime", "expirationtime", "nextvisibletime", "queuetrigger"}
)
"""Top-level names in a JSON body whose values the Functions host reports in place of the queue message's own metadata.
The host ignores their case (webjobs-sdk, Utility.ApplyBindingData)."""

LONGEST_ID = 64
ID_CHARACTERS = "A-Z a-z 0-9 . _ -"
REQUEST_ID = re.compile(rf"(?!\.{{1,2}}$)[A-Za-z0-9._-]{{1,{LONGEST_ID}}}")
"""The form of a request id. `.` and `..` are excluded, because as the last part of a URL they would change its path."""
MADE_BY_US = ("queue-", "event-", "body-", "member-")
"""Prefixes of request ids that the app makes itself."""
