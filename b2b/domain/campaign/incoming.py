"""What a list means to a campaign that has members already: who is new, changed, unchanged, or stands there twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from b2b.domain.campaign.columns import Column, Layout
from b2b.domain.campaign.member import Member, MemberStage, content_of, key_from, key_of, listed, relisted
from b2b.domain.campaign.reading import Entry, Fault, Reading
from b2b.domain.campaign.records import ImportState, ListImport


class Outcome(StrEnum):
    """What became of a row of the list."""

    TAKEN = "taken"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Known:
    """As much of a member as a new list is compared with."""

    key: str
    names: frozenset[str]
    address: str
    content: str
    import_id: str
    stage: MemberStage
    replaced: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the list that is about a known member, or becomes a new one."""

    entry: Entry
    key: str
    outcome: Outcome
    stored: bool
    """Its member stands in the ledger as this list says it."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for a list."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> int:
        """How many rows are not taken; a row may have several faults."""
        return len({fault.line for fault in self.faults})

    def count(self, outcome: Outcome) -> int:
        """Return how many rows come to this."""
        return sum(row.outcome is outcome for row in self.rows)


def plan(reading: Reading, members: Iterable[Known], imported: ListImport) -> Plan:
    """Compare a list with the members of a campaign.

    What an earlier send of this very list stored before it was cut off counts as it did then: the answer is the same
    as if nothing had happened.
    """
    known = tuple(members)
    by_name = _by_name(known)
    keys = {member.key for member in known}
    by_address = {member.address.lower(): member for member in known if member.address}
    unfinished = imported.import_id if imported.state is ImportState.RUNNING else ""
    rows: list[Row] = []
    faults = list(reading.faults)
    lines: dict[str, int] = {}
    for entry in reading.entries:
        found = _placed(entry, by_name, by_address, reading.layout)
        if isinstance(found, Fault):
            faults.append(found)
            continue
        if found is not None and (first := lines.setdefault(found.key, entry.line)) != entry.line:
            said = f"the row is about the same account as line {first}: keep one of the two"
            header = reading.layout.header(next(iter(entry.names)))
            faults.append(Fault(entry.line, header, "DuplicatePerson", said))
        elif found is None:
            key = key_of(entry, keys)
            keys.add(key)
            rows.append(Row(entry, key, Outcome.TAKEN, stored=False))
        elif found.content == content_of(entry):
            rows.append(Row(entry, found.key, _before(found, unfinished), stored=True))
        elif found.stage.listed_again:
            rows.append(Row(entry, found.key, Outcome.CHANGED, stored=False))
        else:
            said = f"the member is {found.stage} already: what its row says cannot change any more"
            faults.append(Fault(entry.line, "", "MemberReleased", said))
    return Plan(tuple(rows), tuple(sorted(faults, key=lambda fault: fault.line)))


def _by_name(known: Iterable[Known]) -> dict[str, Known]:
    """Return the member of each name. Two members that are one account each keep the name of their row of the list."""
    found: dict[str, Known] = {}
    for member in known:
        for name in member.names:
            if name not in found or member.key == key_from(name):
                found[name] = member
    return found


def _before(found: Known, unfinished: str) -> Outcome:
    """Say what became of a row that is stored already, by this list or by an earlier one."""
    if not unfinished or found.import_id != unfinished:
        return Outcome.UNCHANGED
    return Outcome.CHANGED if found.replaced else Outcome.TAKEN


def member_of(row: Row, before: Member | None, imported: ListImport, now: datetime) -> Member:
    """Return the member as its row of the list describes it."""
    if before is None:
        return listed(imported.campaign_id, row.key, row.entry, imported.import_id, now)
    return relisted(before, row.entry, imported.import_id, now)


def _placed(
    entry: Entry, by_name: Mapping[str, Known], by_address: Mapping[str, Known], columns: Layout
) -> Known | Fault | None:
    """Return the member that a row of the list is about. None: a new one."""
    found = {member.key: member for name in entry.keys if (member := by_name.get(name)) is not None}
    if len(found) > 1:
        header = columns.header(next(iter(entry.names)))
        said = "the names of the row belong to two members of the campaign: send a row for each"
        return Fault(entry.line, header, "DuplicatePerson", said)
    member = next(iter(found.values()), None)
    holder = by_address.get(entry.address.lower()) if entry.address else None
    if holder is not None and (member is None or holder.key != member.key):
        header = columns.header(Column.ADDRESS if Column.ADDRESS in columns.places else Column.MAIL)
        said = f"member {holder.key} of the campaign has the same address: an address can belong to one of them"
        return Fault(entry.line, header, "DuplicateAddress", said)
    return member
