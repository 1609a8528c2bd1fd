"""Compare a list with the members of its campaign: which rows are new, changed, unchanged or duplicates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from b2b.domain.campaign.columns import Column, Layout
from b2b.domain.campaign.member import Member, MemberStage, content_of, key_from, key_of, listed, relisted
from b2b.domain.campaign.reading import Entry, Fault, Reading
from b2b.domain.campaign.records import ImportState, ListImport


class Outcome(StrEnum):
    """The result for a row of the list."""

    TAKEN = "taken"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Known:
    """The part of a member that a new list is compared with."""

    key: str
    names: frozenset[str]
    address: str
    content: str
    import_id: str
    stage: MemberStage
    replaced: bool = False


Placed = tuple[Entry, Known | None]
"""A row of the list, and the member that it is about; None if the row becomes a new member."""


@dataclass(frozen=True)
class Row:
    """An accepted row of the list, with the key of its member, known or new."""

    entry: Entry
    key: str
    outcome: Outcome
    stored: bool
    """Whether the ledger already holds the member as the row describes it."""


@dataclass(frozen=True)
class Plan:
    """What the import of a list has to do."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> int:
        """How many rows are refused. A row counts once, even if it has several faults."""
        return len({fault.line for fault in self.faults})

    def count(self, outcome: Outcome) -> int:
        """Return how many rows have this outcome."""
        return sum(row.outcome is outcome for row in self.rows)


def plan(reading: Reading, members: Iterable[Known], imported: ListImport) -> Plan:
    """Compare a list with the members of a campaign.

    If this list was sent before and that call was cut off, the rows that it stored keep the outcome that they had then.
    So the answer is the same as if nothing had happened.
    """
    known = tuple(members)
    by_name = _by_name(known)
    keys = {member.key for member in known}
    unfinished = imported.import_id if imported.state is ImportState.RUNNING else ""
    placed, faults = _placed(reading, by_name)
    refused = _refused(placed, known, reading.layout)
    rows: list[Row] = []
    for entry, found in placed:
        if entry.line in refused:
            continue
        if found is None:
            key = key_of(entry, keys)
            keys.add(key)
            rows.append(Row(entry, key, Outcome.TAKEN, stored=False))
        elif found.content == content_of(entry):
            rows.append(Row(entry, found.key, _before(found, unfinished), stored=True))
        else:
            rows.append(Row(entry, found.key, Outcome.CHANGED, stored=False))
    faults = [*reading.faults, *faults, *refused.values()]
    return Plan(tuple(rows), tuple(sorted(faults, key=lambda fault: fault.line)))


def _by_name(known: Iterable[Known]) -> dict[str, Known]:
    """Return the member of each name.

    If two members share a name because they are one account, the name belongs to the member whose key is made from it.
    """
    found: dict[str, Known] = {}
    for member in known:
        for name in member.names:
            if name not in found or member.key == key_from(name):
                found[name] = member
    return found


def _before(found: Known, unfinished: str) -> Outcome:
    """Return the outcome of a row that is stored already, by an unfinished import of this list or by another list."""
    if not unfinished or found.import_id != unfinished:
        return Outcome.UNCHANGED
    return Outcome.CHANGED if found.replaced else Outcome.TAKEN


def member_of(row: Row, before: Member | None, imported: ListImport, now: datetime) -> Member:
    """Return the member as its row of the list describes it."""
    if before is None:
        return listed(imported.campaign_id, row.key, row.entry, imported.import_id, now)
    return relisted(before, row.entry, imported.import_id, now)


def _placed(reading: Reading, by_name: Mapping[str, Known]) -> tuple[list[Placed], list[Fault]]:
    """Find the member of each row. A row is faulty if it names two members, or a member that an earlier row names."""
    placed: list[Placed] = []
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    for entry in reading.entries:
        found = {member.key: member for name in entry.keys if (member := by_name.get(name)) is not None}
        member = next(iter(found.values()), None)
        said = ""
        if len(found) > 1:
            said = "the names of the row belong to two members of the campaign: send a row for each"
        elif member is not None and (first := lines.setdefault(member.key, entry.line)) != entry.line:
            said = f"the row is about the same account as line {first}: keep one of the two"
        if said:
            header = reading.layout.header(next(iter(entry.names)))
            faults.append(Fault(entry.line, header, "DuplicatePerson", said))
        else:
            placed.append((entry, member))
    return placed, faults


def _refused(placed: Sequence[Placed], known: Iterable[Known], columns: Layout) -> dict[int, Fault]:
    """Return, by line, the faults of rows that would change a released member or give an address to a second member.

    A member that gets another address gives up its own, so two rows may swap their addresses. If a member's row is
    refused, the member keeps its address, and another row that wants this address is refused as well. A cancelled
    member holds no address.
    """
    refused: dict[int, Fault] = {}
    changing: set[str] = set()
    wanted: dict[str, Placed] = {}
    for entry, found in placed:
        if found is not None and found.content == content_of(entry):
            continue
        if found is not None and not found.stage.listed_again:
            said = f"the member is {found.stage} already: what its row says cannot change any more"
            refused[entry.line] = Fault(entry.line, "", "MemberReleased", said)
            continue
        if found is not None:
            changing.add(found.key)
        if entry.address:
            wanted[entry.address.lower()] = entry, found
    holders = [member for member in known if member.key not in changing]
    header = columns.header(Column.ADDRESS if Column.ADDRESS in columns.places else Column.MAIL)
    while holders:
        holder = holders.pop()
        if holder.stage is MemberStage.CANCELLED or holder.address.lower() not in wanted:
            continue
        entry, found = wanted.pop(holder.address.lower())
        said = f"member {holder.key} of the campaign has the same address: an address can belong to one of them"
        refused[entry.line] = Fault(entry.line, header, "DuplicateAddress", said)
        if found is not None:
            holders.append(found)
    return refused
