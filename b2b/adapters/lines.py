"""Convert the lines of request lists to table entities and back."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec
from azure.data.tables import TableEntity

from b2b.adapters import entities
from b2b.domain.actors import Actor
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Verdict
from b2b.domain.request.line import Line

log = logging.getLogger(__name__)


def readable(entity: TableEntity) -> Line | None:
    """Read a line; None if it cannot be read, so that a line of a newer version does not hide the lines after it."""
    try:
        return to_line(entity)
    except (KeyError, ValueError) as error:
        log.warning("a line of a list is passed over: %s", type(error).__name__)
        return None


def partition(month: str) -> str:
    """Return the partition that holds the lines of a month."""
    return f"month~{month}"


def key(place: str, shown: Line) -> str:
    """Return the row key of a line in the list that ``place`` names."""
    return f"{place}~{text(shown.listed_at)}~{shown.request_id}"


def text(when: datetime) -> str:
    """Return a time as text that sorts in the order of time."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def columns(shown: Line) -> dict[str, Any]:
    """Return the columns of a line; an empty value has no column."""
    values: dict[str, Any] = {
        "requestId": shown.request_id,
        "listedAt": shown.listed_at,
        "stage": shown.stage.value,
        "requestedAt": shown.requested_at,
        "askedBy": msgspec.json.encode(shown.asked_by).decode(),
        "dryRun": shown.dry_run,
        "userId": shown.user_id,
        "userPrincipalName": shown.user_principal_name,
        "address": shown.address,
        "verdict": shown.verdict.value if shown.verdict else None,
        "rules": ",".join(shown.rules),
        "waiting": shown.waiting.value if shown.waiting else None,
        "waitingSince": shown.waiting_since,
        "sequence": shown.sequence,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def to_line(entity: Any) -> Line:
    """Read a line from its entity."""
    since = entity.get("waitingSince")
    return Line(
        request_id=entity["requestId"],
        listed_at=entities.moment(entity["listedAt"]),
        stage=Stage(entity["stage"]),
        requested_at=entities.moment(entity["requestedAt"]),
        asked_by=msgspec.json.decode(entity["askedBy"], type=Actor),
        dry_run=entity["dryRun"],
        user_id=entity.get("userId", ""),
        user_principal_name=entity.get("userPrincipalName", ""),
        address=entity.get("address", ""),
        verdict=Verdict(entity["verdict"]) if "verdict" in entity else None,
        rules=tuple(entity["rules"].split(",")) if "rules" in entity else (),
        waiting=WaitReason(entity["waiting"]) if "waiting" in entity else None,
        waiting_since=entities.moment(since) if since else None,
        sequence=entity["sequence"],
    )
