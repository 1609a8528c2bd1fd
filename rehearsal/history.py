"""Read the history of a request or account: its row holds the newest events, and older events have their own rows."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

PREFIX = "history-"
RECENT = "recent"
Row = Mapping[str, Any]


def history(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the events of one partition in order, each in the form of a row of its own."""
    moved, carried = list[dict[str, Any]](), list[dict[str, Any]]()
    for row in rows:
        if row["RowKey"].startswith(PREFIX):
            moved.append(dict(row))
        elif RECENT in row:
            carried += _carried(row)
    return sorted([*moved, *carried], key=lambda event: str(event["RowKey"]))


def _carried(row: Row) -> Iterable[dict[str, Any]]:
    events = json.loads(row[RECENT])
    for number, event in enumerate(events, start=int(row["sequence"]) - len(events) + 1):
        yield {
            **event,
            "PartitionKey": row["PartitionKey"],
            "RowKey": f"{PREFIX}{number:010d}",
            "at": datetime.fromisoformat(event["at"]),
            "actor": json.dumps(event["actor"]),
        }
