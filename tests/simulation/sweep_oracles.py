"""Oracles about the sweep's lists: no invited account is missing, and entries do not pile up."""

import json
from collections import Counter
from collections.abc import Iterator

from tests.simulation.app import rows_of
from tests.simulation.scene import Scene

COPIES = 2
"""Most entries of one account in the schedule: two runs at the same time may each write one."""


def on_the_lists(scene: Scene) -> Iterator[str]:
    """Every invited account is in the index. If its entry is put off, the schedule has one or two dates for it."""
    tables = scene.world.tables
    index = {row["RowKey"]: row for row in tables.rows("conversions", "followed~")}
    due = Counter(row["RowKey"].rpartition("~")[2] for row in tables.rows("conversions", "schedule~"))
    for user_id, rows in rows_of(tables, "conversions").items():
        stage = next((row.get("stage") for row in rows if row["RowKey"] == "current"), None)
        if stage == "invited" and user_id not in index:
            yield f"{user_id} is invited, and nobody follows it"
    for user_id, entry in index.items():
        if entry.get("putOff") and not due[user_id]:
            yield f"{user_id} was put off, and the schedule does not know until when"
    yield from (
        f"{user_id} stands in the schedule {number} times" for user_id, number in due.items() if number > COPIES
    )


def told(scene: Scene) -> Iterator[str]:
    """No request of a conversion still says `invited` in its row once the conversion has left that stage."""
    for user_id, rows in rows_of(scene.world.tables, "conversions").items():
        row = next((each for each in rows if each["RowKey"] == "current"), None)
        if row is None or row.get("leaseUntil"):
            continue
        members = [
            each["RowKey"].removeprefix("request-")
            for each in rows
            if each.get("generation")
            and each["RowKey"].startswith("request-")
            and each["generation"] == row.get("generation")
        ]
        for request in members:
            shown = scene.rows.get(request)
            behind = shown is not None and shown.get("generation") == row.get("generation")
            if behind and shown and shown["stage"] == "invited" and row["stage"] not in {"invited", "inviting"}:
                yield f"request {request} shows invited in its row, and {user_id} is {row['stage']}"


def listed(scene: Scene) -> Iterator[str]:
    """At the end, every request is in exactly the lists for its stage and wait reason, with the stage of its row."""
    lines: dict[str, dict[str, str]] = {}
    for partition in scene.world.tables.partitions("requests"):
        if partition.startswith("month~"):
            for line in scene.world.tables.rows("requests", partition):
                place = line["RowKey"].rsplit("~", 2)[0]
                lines.setdefault(line["requestId"], {})[place] = line["stage"]
    for request, row in scene.rows.items():
        shown = lines.pop(request, {})
        if request in scene.world.foreign:
            continue
        waiting = json.loads(row["waiting"])["reason"] if row.get("waiting") else None
        wanted = {"all", f"stage~{row['stage']}", *([f"waits~{waiting}"] if waiting else [])}
        if set(shown) != wanted or set(shown.values()) != {row["stage"]}:
            yield f"request {request} is {row['stage']}, and the lists show {sorted(shown)}"
    yield from (f"the lists show {request}, which is no request" for request in lines)
