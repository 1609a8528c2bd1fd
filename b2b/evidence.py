"""Verify that the app created a file of evidence: `python -m b2b.evidence verify FILE`.

The app logs the SHA-256 of every file of evidence that it returns. It can add lines to the log, but not change them. So
a file whose SHA-256 is in the log is exactly as the app created it.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LINE = re.compile(r"evidence sha256 (?P<digest>[0-9a-f]{64}) of account (?P<account>[0-9a-f-]{36}) as (?P<form>\w+)")
_TIMES = ("TimeGenerated", "TimeGenerated [UTC]", "timestamp", "timestamp [UTC]")
LOGGED, NOT_LOGGED, UNREADABLE = 0, 1, 2
"""Exit codes."""
QUERY = """AppTraces
| where Message startswith 'evidence sha256 '
| parse Message with 'evidence sha256 ' Digest ' of account ' Account ' as ' Form
| where Digest == '{digest}'
| project TimeGenerated, Message, Digest, Account, Form, AppRoleName
| order by TimeGenerated asc"""
"""The query that finds a file in the log workspace of the app."""


@dataclass(frozen=True)
class Found:
    """A line of the log about a file of evidence."""

    account: str
    form: str
    at: str
    """The time of the line, in the format of the export; empty if the export has no time."""


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file, in the format of the log."""
    return hashlib.sha256(content).hexdigest()


def line(digest: str, account: str, form: str) -> str:
    """Return the line that the app logs when it returns a file of evidence."""
    return f"evidence sha256 {digest} of account {account} as {form}"


def find(digest: str, export: str) -> Found | None:
    """Find a file in an export of the log. The export is CSV of the portal or JSON of `az monitor log-analytics query`.

    Raises:
        ValueError: the export has neither format.

    """
    for row in _rows(export):
        told = _LINE.search(row.get("Message") or row.get("message") or "")
        if told is not None and told["digest"] == digest:
            at = next((row[name] for name in _TIMES if row.get(name)), "")
            return Found(told["account"], told["form"], at)
    return None


def _rows(export: str) -> Iterator[dict[str, str]]:
    text = export.removeprefix("\ufeff").lstrip()
    if text.startswith(("[", "{")):
        yield from _of_json(json.loads(text))
        return
    reader = csv.DictReader(io.StringIO(text))
    if not {"Message", "message"} & set(reader.fieldnames or ()):
        raise ValueError("the export has no column Message")
    for row in reader:
        yield {name: value or "" for name, value in row.items() if isinstance(name, str)}


def _of_json(told: Any) -> Iterator[dict[str, str]]:
    """Yield the rows of JSON: a list of objects from `az`, or tables with columns and rows from the API."""
    if isinstance(told, dict):
        for table in told["tables"]:
            names = [column["name"] for column in table["columns"]]
            yield from (dict(zip(names, map(str, row), strict=True)) for row in table["rows"])
        return
    for row in told:
        yield {name: str(value) for name, value in row.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m b2b.evidence", description=__doc__)
    verify = parser.add_subparsers(required=True).add_parser("verify", help="verify that the app created this file")
    verify.add_argument("file", type=Path, help="JSON or HTML, exactly as the app returned it")
    verify.add_argument("--log", type=Path, metavar="EXPORT", help="the result of the query: CSV or JSON")
    given = parser.parse_args(arguments)
    try:
        digest = digest_of(given.file.read_bytes())
        if given.log is None:
            print(f"{given.file} has SHA-256 {digest}. Query the app's log workspace:\n\n{QUERY.format(digest=digest)}")
            return LOGGED
        found = find(digest, given.log.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"the file or the export cannot be read: {error}", file=sys.stderr)
        return UNREADABLE
    if found is None:
        print(f"Not in this export: {given.file} was changed, or it is older or newer than the lines of the export.")
        return NOT_LOGGED
    when = f" at {found.at}" if found.at else ""
    print(f"{given.file} is as the app created it{when}: evidence of account {found.account}, as {found.form}.")
    return LOGGED


if __name__ == "__main__":
    sys.exit(main())
