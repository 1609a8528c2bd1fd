"""Tell whether a file of evidence is one that the app gave out: `python -m b2b.evidence verify FILE`.

The app writes the SHA-256 of every file of evidence that it gives out to its log. It can add to the log and change
nothing there, so a file whose SHA-256 stands in the log is as the app made it.
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
"""Finds a file in the log workspace of the app."""


@dataclass(frozen=True)
class Found:
    """A line of the log about a file."""

    account: str
    form: str
    at: str
    """As the export writes it; empty: it has no time."""


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file, as the log has it."""
    return hashlib.sha256(content).hexdigest()


def line(digest: str, account: str, form: str) -> str:
    """Return what the app writes to its log when it gives out a file."""
    return f"evidence sha256 {digest} of account {account} as {form}"


def find(digest: str, export: str) -> Found | None:
    """Look for a file in an export of the log: CSV from the portal, or JSON of `az monitor log-analytics query`.

    Raises:
        ValueError: the export is neither.

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
        raise ValueError("it has no column Message")
    for row in reader:
        yield {name: value or "" for name, value in row.items() if isinstance(name, str)}


def _of_json(told: Any) -> Iterator[dict[str, str]]:
    """Rows of `az`, a list of objects; or of the API, tables with columns and rows."""
    if isinstance(told, dict):
        for table in told["tables"]:
            names = [column["name"] for column in table["columns"]]
            yield from (dict(zip(names, map(str, row), strict=True)) for row in table["rows"])
        return
    for row in told:
        yield {name: str(value) for name, value in row.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m b2b.evidence", description=__doc__)
    verify = parser.add_subparsers(required=True).add_parser("verify", help="tell whether the app gave this file out")
    verify.add_argument("file", type=Path, help="JSON or HTML, exactly as the app gave it out")
    verify.add_argument("--log", type=Path, metavar="EXPORT", help="what the query found: CSV or JSON")
    given = parser.parse_args(arguments)
    try:
        digest = digest_of(given.file.read_bytes())
        if given.log is None:
            print(
                f"{given.file} has SHA-256 {digest}. Ask the log workspace of the app:\n\n{QUERY.format(digest=digest)}"
            )
            return LOGGED
        found = find(digest, given.log.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"it cannot be read: {error}", file=sys.stderr)
        return UNREADABLE
    if found is None:
        print(f"Not in this export: {given.file} was changed, or is older or newer than what the export holds.")
        return NOT_LOGGED
    when = f" at {found.at}" if found.at else ""
    print(f"{given.file} is what the app gave out{when}: evidence of account {found.account}, as {found.form}.")
    return LOGGED


if __name__ == "__main__":
    sys.exit(main())
