"""The rows of a campaign's members: how a member is written, listed and read.

The ETag guards only a member's own row. The copy on the list of its stage is written in the same transaction.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from azure.data.tables import UpdateMode

from b2b.adapters import entities
from b2b.adapters.tables import TRANSACTION, TRANSACTION_BYTES, guarded, size_of
from b2b.domain.campaign.incoming import Known
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.conversion.records import Change, Event
from b2b.domain.errors import UnreadableRow

log = logging.getLogger(__name__)

MEMBER: Final = "member~"
STAGE: Final = "stage~"
EVENT: Final = "event~"


def seen(entity: Mapping[str, Any]) -> Member | None:
    """Return the member in a row of a list; None if a newer version of the app wrote the row.

    The member has no ETag, because the row's ETag may be that of its copy. To change a member, read its own row.
    """
    try:
        return replace(entities.member(entity), etag="")
    except UnreadableRow as error:
        log.warning("%s is passed over: %s", entity["RowKey"], error)
        return None


def known_of(entity: Mapping[str, Any]) -> Known:
    """Return the part of a member that a new list is compared with."""
    return Known(
        key=entity["RowKey"].removeprefix(MEMBER),
        names=frozenset(msgspec.json.decode(entity["names"], type=tuple[str, ...])),
        address=entity.get("address", ""),
        content=entity["content"],
        import_id=entity["importId"],
        stage=stage_of(entity["stage"]),
        replaced=entity.get("replaced", False),
    )


def stage_of(text: str) -> MemberStage:
    """Parse a stored stage.

    A stage that only a newer version of the app knows reads as REQUESTED, so that no list replaces the member.
    """
    return MemberStage(text) if text in frozenset(MemberStage) else MemberStage.REQUESTED


def list_of(stage: MemberStage | None) -> str:
    """Return the prefix of the row keys on the list of a stage, or, for None, of the members' own rows."""
    return MEMBER if stage is None else f"{STAGE}{stage}~"


def range_of(campaign_id: str, prefix: str) -> tuple[str, dict[str, str]]:
    """Return the query, and its parameters, for the rows of a campaign whose keys begin with ``prefix``."""
    query = "PartitionKey eq @campaign and RowKey ge @first and RowKey lt @last"
    return query, {"campaign": campaign_id, "first": prefix, "last": prefix[:-1] + chr(ord(prefix[-1]) + 1)}


def operations_of(row: Member, before: Member | None) -> Iterator[tuple[Any, ...]]:
    """Yield the operations that write a member. The member's own row is first; only this row is guarded by its ETag."""
    columns = {"PartitionKey": row.campaign_id, **entities.to_entity(row)}
    yield guarded({**columns, "RowKey": MEMBER + row.key}, row.etag)
    if before is not None and before.stage is not row.stage:
        yield "delete", {"PartitionKey": row.campaign_id, "RowKey": list_of(before.stage) + row.key}
    listed = {**columns, "RowKey": list_of(row.stage) + row.key}
    if before is None or before.stage is not row.stage:
        yield "create", listed
    else:
        yield "update", listed, {"mode": UpdateMode.REPLACE}


def portions_of(members: Sequence[tuple[Member, Member | None]]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the operations that write members, one transaction at a time. A member's rows are in one transaction."""
    portion: list[tuple[Any, ...]] = []
    filled = 0
    for row, before in members:
        operations = list(operations_of(row, before))
        size = sum(map(size_of, operations))
        if portion and (len(portion) + len(operations) > TRANSACTION or filled + size > TRANSACTION_BYTES):
            yield portion
            portion, filled = [], 0
        portion += operations
        filled += size
    if portion:
        yield portion


def events_of(row: Member, change: Change[Member]) -> Iterator[tuple[Any, ...]]:
    """Yield the operations that write the events of a change of a member."""
    for number, event in enumerate(change.events, start=change.row.sequence + 1):
        yield "create", event_of(row, number, event)


def event_of(row: Member, number: int, event: Event) -> dict[str, Any]:
    """Return the row of an event of a member."""
    entity = entities.event_entity(row.campaign_id, number, event)
    return {**entity, "RowKey": f"{EVENT}{row.key}~{number:010d}"}
