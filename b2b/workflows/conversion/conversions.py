"""The rows of conversions, and the rows of the requests that belong to them, kept in step.

A conversion's row is the truth. It is written first; then every request of its generation is brought up to it. A
process that dies in between leaves rows that are behind. Where the one request concerned has a message, that comes
again and brings it up; everywhere else a pointer is written first, and the sweep publishes what it points to.
"""

from collections.abc import Mapping
from dataclasses import replace

from b2b.domain.conversion.records import Change, Conversion, Event, with_baseline
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import LedgerConflict, UnreadableRow
from b2b.domain.lifecycle.snapshot import Moment, Snapshot
from b2b.domain.readings import Entry
from b2b.domain.request.record import RequestRecord, leader_ended, may_show, mirrored, move, shows_alike
from b2b.workflows.ports import Clock, Ledger

RACES = 5
"""How often a row is read and written anew when other processes write it too."""
LED_NOWHERE = frozenset({Stage.BLOCKED, Stage.FAILED})
"""Ends of a leader without an invitation: those who joined it end as failed, and may be retried on their own."""


CALLED_OFF = "cancelled"
"""Error code of a conversion that ended because its leader was called off."""


class Conversions:
    """Reads and writes conversions with their requests."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def get(self, user_id: str) -> Conversion | None:
        """Return an account's conversion, or None.

        Raises:
            UnreadableRow: a newer version wrote it.

        """
        return await self._ledger.conversions.get(user_id) if user_id else None

    async def save(
        self,
        change: Change[Conversion],
        *members: str,
        held: RequestRecord | None = None,
        follow: bool = False,
        kept: Mapping[Moment, Snapshot] | None = None,
    ) -> Conversion:
        """Write a conversion, and bring its requests up to it.

        ``members`` join its generation with this write. ``held`` is the row of the request whose message the caller
        works on. ``follow`` puts the account into the index of those that the sweep follows, before the write. ``kept``
        are snapshots that are written with it.

        Raises:
            LedgerConflict: the row is not the one that the change was made from; nothing was written.

        """
        row = change.row
        if follow:  # before the write: a conversion that the sweep cannot find would never be followed
            await self._ledger.followed.follow(row.user_id, self._clock(), synced=row.synced)
        if held is not None and held.request_id == row.request_id and not row.joined:
            # No pointer: only the request of this very message is concerned. After a crash the message comes again.
            written = await self._ledger.save(change, *members, kept=kept)
            await self.publish(written, held)
            return written
        # The pointer is first: without it, the sweep would not find a row that was written and not published.
        pointer = await self._ledger.untold.add(row.user_id, self._clock())
        written = await self._ledger.save(change, *members, kept=kept)
        return await self._told(written, pointer, held)

    async def save_quietly(
        self, change: Change[Conversion], before: Conversion, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write what no request shows; what was there before is told first, so that nothing is left to tell.

        Raises:
            LedgerConflict: as `save`.

        """
        told = before.published == before.sequence or await self.publish(before)
        row = replace(change.row, published=before.sequence + len(change.events) if told else before.published)
        return await self._ledger.save(Change(row, change.events), kept=kept)

    async def record(
        self, change: Change[Conversion], before: Conversion, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write a change, and bring the requests up to it where they show it.

        Raises:
            LedgerConflict: as `save`.

        """
        if shows_alike(before, change.row):
            return await self.save_quietly(change, before, kept)
        return await self.save(change, kept=kept)

    async def _told(self, written: Conversion, pointer: Entry, held: RequestRecord | None) -> Conversion:
        """Publish, remember that, and remove the pointer: in this order, each step may be the last of the process."""
        if not await self.publish(written, held):
            return written
        try:
            written = await self._ledger.save(Change(replace(written, published=written.sequence)))
        except LedgerConflict:
            return written  # it moved on meanwhile: the sweep looks whether that was told, too
        await self._ledger.untold.remove(pointer)
        return written

    async def claim(
        self, change: Change[Conversion], before: Conversion | None, snapshot: Snapshot | None = None
    ) -> Conversion:
        """Write a claim, with what the directory grants the account before its invitation, where that was read.

        Requests show a claim by reading the conversion; their rows wait for the outcome.

        Raises:
            LedgerConflict: another process wrote the row; nothing was written, and nothing may be sent.

        """
        kept: dict[Moment, Snapshot] = {}
        if snapshot is not None:
            change, kept = with_baseline(change), {Moment.BEFORE: snapshot}
        change, members = await self._with_members(change, before)
        # First the pointer, then the row: a claim that no sweep can find would never be followed.
        await self._ledger.followed.follow(change.row.user_id, self._clock(), synced=change.row.synced)
        return await self._ledger.save(change, *members, kept=kept)

    async def conclude(
        self, change: Change[Conversion], before: Conversion | None, held: RequestRecord, *, follow: bool = False
    ) -> Conversion:
        """Write a generation that begins without a claim: with its end, a review, or an invitation that shows.

        ``follow``: as in `save`.

        Raises:
            LedgerConflict: another process wrote the row; nothing was written.

        """
        change, members = await self._with_members(change, before)
        return await self.save(change, *members, held=held, follow=follow)

    async def _with_members(
        self, change: Change[Conversion], before: Conversion | None
    ) -> tuple[Change[Conversion], list[str]]:
        """Return the requests of a change, with those of the generation before that go on in a new one.

        All requests of a review do. So does a request that could not be brought up to the end of its generation,
        because later writes publish to the new generation only.
        """
        going_on: list[str] = []
        if before is not None and change.row.generation > before.generation and before.published < before.sequence:
            going_on = await self._behind(before)
        if before is not None and before.stage is Stage.NEEDS_REVIEW and before.joined:
            going_on = await self._ledger.members(before)
        members = list(dict.fromkeys([change.row.request_id, *going_on]))
        if len(members) > 1:
            change = Change(replace(change.row, joined=len(members) - 1), change.events)
        return change, members

    async def join(self, conversion: Conversion, record: RequestRecord) -> None:
        """Make a request a member: it shows the conversion's stage from now on, and has nothing else to do.

        Raises:
            LedgerConflict: the conversion moved meanwhile.

        """
        joined = Event("joined", self._clock(), conversion.stage, record.request_id)
        row = replace(conversion, joined=conversion.joined + 1)
        # After a crash before the request's row, its message comes again and joins again; one too many in `joined` is
        # harmless.
        await self.show(record, await self._ledger.save(Change(row, (joined,)), record.request_id))

    async def publish(self, conversion: Conversion, held: RequestRecord | None = None) -> bool:
        """Bring every request of a conversion's generation up to it. Doing so again changes nothing.

        Return False if this failed for a request, because a newer version of the app wrote its row, or because other
        processes write it all the time.
        """
        return not await self._behind(conversion, held)

    async def _behind(self, conversion: Conversion, held: RequestRecord | None = None) -> list[str]:
        """Bring every request of a conversion's generation up to it. Return the ids of those for which this failed."""
        leader = conversion.request_id
        leading = held if held is not None and held.request_id == leader else None
        behind = [] if await self._bring_up(leader, conversion, leading) else [leader]
        if conversion.joined:
            others = [each for each in await self._ledger.members(conversion) if each != leader]
            behind += [each for each in others if not await self._bring_up(each, conversion, member=True)]
        return behind

    async def published(self, conversion: Conversion) -> Conversion:
        """Bring every request up, and remember in the conversion's row that it has happened, if it has.

        Raises:
            LedgerConflict: the conversion moved meanwhile, so there is more to publish.

        """
        if not await self.publish(conversion):
            return conversion
        return await self._ledger.save(Change(replace(conversion, published=conversion.sequence)))

    async def show(self, record: RequestRecord, conversion: Conversion) -> None:
        """Bring one request up to its conversion; its row is read anew where another process wrote it."""
        await self._bring_up(record.request_id, conversion, record, joins=True)

    async def _bring_up(
        self,
        request_id: str,
        conversion: Conversion,
        held: RequestRecord | None = None,
        *,
        member: bool = False,
        joins: bool = False,
    ) -> bool:
        """Bring a request up to its conversion, unless it shows a newer state. Return False if that must be repeated.

        ``member``: the ledger lists the request under this generation; ``joins``: it was decided just now.
        """
        for _ in range(RACES):
            try:
                record = held or await self._ledger.requests.get(request_id)
                if record is None or not _takes_over(record, conversion, member=member, joins=joins):
                    return True
                return await self._write(record, conversion)
            except UnreadableRow:
                return False
            except LedgerConflict:
                held = None
        return False

    async def _write(self, record: RequestRecord, conversion: Conversion) -> bool:
        """Write what a request takes over. Return False if the lists do not show it yet: then it must be repeated."""
        change = self._shown(record, conversion)
        if change is None:
            await self._ledger.requests.show(record)
            return True
        return self._ledger.requests.shows(await self._ledger.requests.write(change))

    def _shown(self, record: RequestRecord, conversion: Conversion) -> Change[RequestRecord] | None:
        """Return the change that a request takes over. None: the request shows it already, or has ended."""
        now, leads = self._clock(), record.request_id == conversion.request_id
        if record.stage is Stage.NEEDS_REVIEW and 0 < record.generation < conversion.generation:
            record = replace(record, stage=Stage.REQUESTED)  # its review is over, and work goes on for it
        if not leads and _led_nowhere(conversion):
            return leader_ended(record, conversion, now) if record.at_work else None
        if not may_show(record, conversion):
            return None
        change = move(record, conversion.stage, now, **mirrored(conversion))
        if not change.events and change.row == record:
            return None
        return Change(replace(change.row, shown=conversion.sequence), change.events)


def _led_nowhere(conversion: Conversion) -> bool:
    """Tell whether a generation ended without an invitation, so that its joiners do not share its end.

    Calling off a request cancels that request alone, not those that joined it.
    """
    called_off = conversion.stage is Stage.CANCELLED and conversion.error_code == CALLED_OFF
    return called_off or conversion.stage in LED_NOWHERE


def _takes_over(record: RequestRecord, conversion: Conversion, *, member: bool, joins: bool) -> bool:
    """Tell whether a request's row follows this generation; the list of members may be ahead of the row, or behind it.

    A request that a person opened again has left its generation, and is shown it only if it joins anew. One that waited
    in a review goes on with the generation that was begun over it.
    """
    if record.user_id not in {"", conversion.user_id}:
        return False
    if record.generation:
        return record.generation == conversion.generation or (member and record.generation < conversion.generation)
    return joins or conversion.generation > record.left_generation
