"""The rows of campaigns and of their lists, and the functions that create and change them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from b2b.domain.conversion.records import SCHEMA_VERSION, Change, Event
from b2b.domain.hashing import digest


class CampaignState(StrEnum):
    """Whether the members of a campaign are invited."""

    OPEN = "open"
    PAUSED = "paused"
    """No member is invited until the campaign is open again."""
    ENDED = "ended"
    """No further member is invited. The app keeps following the members that were invited."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A named list with defaults for its requests."""

    campaign_id: str
    name: str
    created_at: datetime
    description: str = ""
    defaults: bytes = b""
    """JSON of what each request of the campaign says unless the member's row says something else; empty if not set."""
    state: CampaignState = CampaignState.OPEN
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    etag: str = ""


class ImportState(StrEnum):
    """Whether all rows of a list are stored."""

    RUNNING = "running"
    """Not all rows are stored yet. If the call was cut off, the list has to be sent again."""
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True)
class ListImport:
    """One list that was sent, and the result of its import. Sending the same list again is the same import."""

    campaign_id: str
    import_id: str
    started_at: datetime
    state: ImportState = ImportState.RUNNING
    finished_at: datetime | None = None
    rows: int = 0
    taken: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    kept: tuple[str, ...] = ()
    """Headers of the columns that are shown with the members."""
    schema_version: int = SCHEMA_VERSION
    etag: str = ""


def created(campaign_id: str, name: str, now: datetime, by: str, **columns: Any) -> Change[Campaign]:
    """Return the change that creates a campaign."""
    row = Campaign(campaign_id=campaign_id, name=name, created_at=now, **columns)
    return Change(row, (Event("created", now, detail=f"by {by}"),))


def turned(row: Campaign, state: CampaignState, now: datetime, by: str) -> Change[Campaign]:
    """Return the change that opens, pauses or ends a campaign."""
    return Change(replace(row, state=state), (Event(state.value, now, detail=f"by {by}"),))


def changed(row: Campaign, now: datetime, by: str, **columns: Any) -> Change[Campaign]:
    """Return the change of a campaign's name, description or defaults.

    New defaults apply to the members that are judged or released from then on.
    """
    return Change(replace(row, **columns), (Event("changed", now, detail=f"by {by}: {', '.join(sorted(columns))}"),))


def begun(campaign_id: str, raw: bytes, told: str, now: datetime) -> ListImport:
    """Return the record of a new list. The same file with other reading options (``told``) is another list."""
    import_id = digest(told.encode() + b"\n" + raw)[:32]
    return ListImport(campaign_id=campaign_id, import_id=import_id, started_at=now)
