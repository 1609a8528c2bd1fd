"""Reserve an address for one account. Every claim needs the reservation first.

A reservation is written, or renewed under its ETag, before each claim. So if two accounts have the same address, only
one of them is invited, even if both have read the same rows.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from b2b.domain.account import Account
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import LedgerConflict, MustWait
from b2b.domain.readings import Reservation
from b2b.domain.request.subject import address_key
from b2b.workflows.ports import Clock, Directory, Ledger

RACES = 3
HOLDING = frozenset({Stage.INVITING, Stage.INVITED, Stage.ACCEPTED, Stage.VERIFIED, Stage.UNVERIFIED, Stage.COMPLETED})
"""The stages in which a conversion holds its address. An open doubt holds the address of its attempt in every stage."""


class AddressTaken(Exception):
    """Another account's conversion holds the address."""

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.user_id = user_id


class Reservations:
    """Reserves addresses."""

    def __init__(self, ledger: Ledger, directory: Directory, limits: Limits, clock: Clock) -> None:
        self._ledger, self._directory, self._limits, self._clock = ledger, directory, limits, clock

    async def holder(self, address: str, user_id: str) -> str | None:
        """Return the other account whose conversion holds an address, or None.

        A reservation alone does not count, because its conversion may have ended, or Graph may no longer know the
        account. In these cases an invitation waits for the address and then gets it.
        """
        held = await self._ledger.reservation(address_key(address))
        if held is None or not await self._holds(held, address, user_id):
            return None
        found = await self._directory.accounts([held.user_id])
        return held.user_id if found.get(held.user_id, held) is not None else None

    async def take(self, address: str, user_id: str) -> None:
        """Reserve an address for an account, or renew its reservation.

        Raises:
            AddressTaken: another account's conversion holds the address.
            MustWait: another account is about to be invited with the address, or its holder seems to be gone.
            LedgerConflict: at every attempt, another process wrote the reservation first. Try again.

        """
        key = address_key(address)
        wanted = Reservation(key, user_id, self._clock())
        for _ in range(RACES):
            try:
                await self._ledger.reserve(wanted)
            except LedgerConflict:
                held = await self._ledger.reservation(key)
                if held is not None and held.user_id != user_id:
                    await self._check(held, address)
                wanted = Reservation(key, user_id, self._clock(), etag=held.etag if held else "")
            else:
                return
        raise LedgerConflict(f"reservation {key}")

    async def _check(self, held: Reservation, address: str) -> None:
        """Check that the reservation of another account may be replaced.

        Raises:
            AddressTaken: the other account's conversion holds the address.
            MustWait: the other account may still be invited, or has to be looked for again.

        """
        now = self._clock()
        left = held.since + self._limits.lease + timedelta(seconds=60) - now
        if await self._holds(held, address, ""):
            await self._look_for(held, now)
        elif left > timedelta():
            raise MustWait(WaitReason.ADDRESS_HELD, left.total_seconds())

    async def _holds(self, held: Reservation, address: str, user_id: str) -> bool:
        if held.user_id == user_id:
            return False
        row: Conversion | None = await self._ledger.conversions.get(held.user_id)
        if row is None:
            return False
        key = address_key(address)
        invited = row.stage in HOLDING and address_key(row.invited_user_email_address) == key
        # Until the redemption, the link that was sent to a corrected address may still work.
        linked = row.stage is Stage.INVITED and key in map(address_key, row.earlier_addresses)
        return invited or linked or any(doubt.address == key for doubt in row.open_doubts)

    async def _look_for(self, held: Reservation, now: datetime) -> None:
        """Check that the holder of an address is gone: Graph did not find it in two reads that are one window apart.

        Raises:
            AddressTaken: the holder exists, or cannot be read now.
            MustWait: the holder was not found, and has to be looked for once more.

        """
        found: Mapping[str, Account | None] = await self._directory.accounts([held.user_id])
        if held.user_id not in found or found[held.user_id] is not None:
            if held.absent_since is not None:
                await self._ledger.reserve(replace(held, absent_since=None))
            raise AddressTaken(held.user_id)
        if held.absent_since is None:
            await self._ledger.reserve(replace(held, absent_since=now))
            raise MustWait(WaitReason.ADDRESS_HOLDER_GONE, self._limits.window.total_seconds())
        left = held.absent_since + self._limits.window - now
        if left > timedelta():
            raise MustWait(WaitReason.ADDRESS_HOLDER_GONE, left.total_seconds())
