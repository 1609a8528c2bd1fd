"""Request ids: which ones a caller may use, and which one a body carries."""

import re

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESERVED_BY_HOST = frozenset(
    {"id", "dequeuecount", "popreceipt", "insertiontime", "expirationtime", "nextvisibletime", "queuetrigger"}
)
"""Top-level names of a JSON body with which the Functions host overrides the queue message's own metadata, in any case
(webjobs-sdk, Utility.ApplyBindingData)."""

LONGEST_ID = 64
ID_CHARACTERS = "A-Z a-z 0-9 . _ -"
REQUEST_ID = re.compile(rf"(?!\.{{1,2}}$)[A-Za-z0-9._-]{{1,{LONGEST_ID}}}")
"""Not `.` and `..`: as the last part of an address they would mean another one."""
MADE_BY_US = ("queue-", "event-", "body-", "member-")
"""Prefixes of request ids that the service makes itself."""
