"""Write conversions, and keep the rows of their requests up to date.

A conversion's row is authoritative. It is written first, and then published: every request of its generation is updated
from it. A process that dies in between leaves outdated requests. If the only such request has a message, that message
is delivered again and updates it. In all other cases, a pointer to the account is put on a list of the sweep before the
row is written, so that the sweep publishes the row.
"""

from collections.abc import Mapping
from dataclasses import replace

from b2b.domain.conversion.records import Change, Conversion, Event, with_baseline
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import LedgerConflict, UnreadableRow
from b2b.domain.findings import held_up_by
from b2b.domain.lifecycle.snapshot import Moment, Snapshot
from b2b.domain.readings import Entry
from b2b.domain.request.record import RequestRecord, leader_ended, may_show, mirrored, move, shows_alike
from b2b.workflows.ports import Clock, Ledger

RACES = 5
"""How often a row is read and written again if other processes write it, too."""
LED_NOWHERE = frozenset({Stage.BLOCKED, Stage.FAILED})
"""Stages in which a leader ends without an invitation. Requests that joined it end as failed, and may be retried."""
HELD_UP = frozenset({Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.UNVERIFIED})
"""Stages that a request enters because of findings, which its history then names."""
CALLED_OFF = "cancelled"
"""The error code of a conversion that ended because its leader was cancelled."""


class Conversions:
    """Reads and writes conversions with their requests."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def get(self, user_id: str) -> Conversion | None:
        """Return an account's conversion, or None.

        Raises:
            UnreadableRow: a newer version of the app wrote the row.

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
        """Write a conversion, and update its requests from it.

        ``members`` are ids of requests that join its generation with this write. ``held`` is the row of the request
        whose message the caller processes. ``follow``: the sweep follows the account from now on. ``kept`` are
        snapshots to store with the row.

        Raises:
            LedgerConflict: the row has changed since it was read, and nothing was written. Read it again.

        """
        row = change.row
        if follow:  # before the write: a conversion that the sweep cannot find would never be followed
            await self._ledger.followed.follow(row.user_id, self._clock(), synced=row.synced)
        if held is not None and held.request_id == row.request_id and not row.joined:
            # No pointer is needed: only this message's request shows the row, and after a crash the message returns.
            written = await self._ledger.save(change, *members, kept=kept)
            await self.publish(written, held)
            return written
        # The pointer comes first: without it, the sweep would not find a row that was written but not published.
        pointer = await self._ledger.untold.add(row.user_id, self._clock())
        written = await self._ledger.save(change, *members, kept=kept)
        return await self._told(written, pointer, held)

    async def save_quietly(
        self, change: Change[Conversion], before: Conversion, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write a change that no request shows. First publish what ``before`` has not published yet.

        Raises:
            LedgerConflict: the row has changed since it was read, and nothing was written. Read it again.

        """
        told = before.published == before.sequence or await self.publish(before)
        row = replace(change.row, published=before.sequence + len(change.events) if told else before.published)
        return await self._ledger.save(Change(row, change.events), kept=kept)

    async def record(
        self, change: Change[Conversion], before: Conversion, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write a change. Update the requests only if they show it.

        Raises:
            LedgerConflict: the row has changed since it was read, and nothing was written. Read it again.

        """
        if shows_alike(before, change.row):
            return await self.save_quietly(change, before, kept)
        return await self.save(change, kept=kept)

    async def _told(self, written: Conversion, pointer: Entry, held: RequestRecord | None) -> Conversion:
        """Publish the conversion, record that in its row, and then remove the pointer.

        In this order, the process may die after any step.
        """
        if not await self.publish(written, held):
            return written
        try:
            written = await self._ledger.save(Change(replace(written, published=written.sequence)))
        except LedgerConflict:
            return written  # the row has changed in the meantime: the sweep checks whether that was published, too
        await self._ledger.untold.remove(pointer)
        return written

    async def claim(
        self, change: Change[Conversion], before: Conversion | None, snapshot: Snapshot | None = None
    ) -> Conversion:
        """Write a claim, and the snapshot from before the invitation if there is one.

        The rows of requests are not updated before the outcome. Callers see a claim because the app also reads the
        conversion.

        Raises:
            LedgerConflict: another process has written the row; nothing was written, and nothing may be sent.

        """
        kept: dict[Moment, Snapshot] = {}
        if snapshot is not None:
            change, kept = with_baseline(change), {Moment.BEFORE: snapshot}
        change, members = await self._with_members(change, before)
        # First the index entry, then the row: the sweep would never follow a claim without an entry.
        await self._ledger.followed.follow(change.row.user_id, self._clock(), synced=change.row.synced)
        return await self._ledger.save(change, *members, kept=kept)

    async def conclude(
        self, change: Change[Conversion], before: Conversion | None, held: RequestRecord, *, follow: bool = False
    ) -> Conversion:
        """Write a generation that begins without a claim: ended, in review, or with an invitation that exists already.

        ``follow``: whether the sweep follows the account from now on.

        Raises:
            LedgerConflict: another process has written the row; nothing was written. Read it again.

        """
        change, members = await self._with_members(change, before)
        return await self.save(change, *members, held=held, follow=follow)

    async def _with_members(
        self, change: Change[Conversion], before: Conversion | None
    ) -> tuple[Change[Conversion], list[str]]:
        """Return the change and the ids of its requests, including those that the new generation takes over.

        It takes over all requests of a review. It also takes over requests that could not be updated to the end of the
        previous generation, because later writes are published to the new generation only.
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
        """Let a request join a conversion. From now on it only shows the conversion's stage.

        Raises:
            LedgerConflict: another process has written the conversion in the meantime; read it again.

        """
        joined = Event("joined", self._clock(), conversion.stage, record.request_id)
        row = replace(conversion, joined=conversion.joined + 1)
        # After a crash before the request's row is written, its message joins again. A count in `joined` that is one
        # too high does no harm.
        await self.show(record, await self._ledger.save(Change(row, (joined,)), record.request_id))

    async def publish(self, conversion: Conversion, held: RequestRecord | None = None) -> bool:
        """Update every request of a conversion's generation. Repeating it changes nothing.

        Return False if this failed for a request, because a newer version of the app wrote its row, or because other
        processes keep writing it.
        """
        return not await self._behind(conversion, held)

    async def _behind(self, conversion: Conversion, held: RequestRecord | None = None) -> list[str]:
        """Update every request of a conversion's generation. Return the ids of those for which this failed."""
        leader = conversion.request_id
        leading = held if held is not None and held.request_id == leader else None
        behind = [] if await self._bring_up(leader, conversion, leading) else [leader]
        if conversion.joined:
            others = [each for each in await self._ledger.members(conversion) if each != leader]
            behind += [each for each in others if not await self._bring_up(each, conversion, member=True)]
        return behind

    async def published(self, conversion: Conversion) -> Conversion:
        """Publish a conversion to its requests. If all were updated, record that in the conversion's row.

        Raises:
            LedgerConflict: the conversion has changed in the meantime, so there is more to publish.

        """
        if not await self.publish(conversion):
            return conversion
        return await self._ledger.save(Change(replace(conversion, published=conversion.sequence)))

    async def show(self, record: RequestRecord, conversion: Conversion) -> None:
        """Update one request from the conversion that it joins. If another process has written it, read it again."""
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
        """Update a request from its conversion, unless it shows a newer state. Return False if that must be repeated.

        ``member``: the ledger lists the request under this generation. ``joins``: the request joins it now.
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
        """Write the request's new state. Return False if the lists do not show it yet, and this must be repeated."""
        change = self._shown(record, conversion)
        if change is None:
            await self._ledger.requests.show(record)
            return True
        return self._ledger.requests.shows(await self._ledger.requests.write(change))

    def _shown(self, record: RequestRecord, conversion: Conversion) -> Change[RequestRecord] | None:
        """Return the change that a request takes over; None if it already shows the state, or has ended."""
        now, leads = self._clock(), record.request_id == conversion.request_id
        if record.stage is Stage.NEEDS_REVIEW and 0 < record.generation < conversion.generation:
            record = replace(record, stage=Stage.REQUESTED)  # its review is over, and it is processed again
        if not leads and _led_nowhere(conversion):
            return leader_ended(record, conversion, now) if record.at_work else None
        if not may_show(record, conversion):
            return None
        # Without the verdict: the conversion's own event has that, and its findings are counted there.
        said = held_up_by(conversion.findings) if conversion.stage in HELD_UP else ""
        change = move(record, conversion.stage, now, said, **mirrored(conversion))
        if not change.events and change.row == record:
            return None
        return Change(replace(change.row, shown=conversion.sequence), change.events)


def _led_nowhere(conversion: Conversion) -> bool:
    """Tell whether a generation ended without an invitation, so that the requests that joined do not share its end.

    Cancelling a request cancels only that request, not those that joined it.
    """
    called_off = conversion.stage is Stage.CANCELLED and conversion.error_code == CALLED_OFF
    return called_off or conversion.stage in LED_NOWHERE


def _takes_over(record: RequestRecord, conversion: Conversion, *, member: bool, joins: bool) -> bool:
    """Tell whether a request takes over the state of this generation. The list of members alone does not decide this.

    A request that a person reopened has left its generation, and follows it only if it joins again. A request that
    waited in a review follows the generation that began after it.
    """
    if record.user_id not in {"", conversion.user_id}:
        return False
    if record.generation:
        return record.generation == conversion.generation or (member and record.generation < conversion.generation)
    return joins or conversion.generation > record.left_generation
