"""Find out who redeemed, from the account and, if a setting allows it, from the audit log."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from b2b.domain.account import Account
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.redeemer import Matches, Redeemer, Sources, redeemer, strange_domains
from b2b.domain.conversion.situation import SKEW
from b2b.domain.eligibility import facts
from b2b.domain.readings import Logged
from b2b.workflows.ports import Clock, Directory

LIFETIME = timedelta(minutes=1)
"""How long one read of the audit log serves all accounts. Graph limits these reads to two per second."""
NO_RECORD = "the audit log has no record of the redemption"
NO_NAME = "the redemption's record in the audit log has no name"
NOT_GRANTED = f"the permission {facts.REDEMPTIONS.permission} is missing"


@dataclass(frozen=True)
class _Log:
    since: datetime
    read_at: datetime
    records: Mapping[str, Logged]
    trouble: str = ""
    """Why the log could not be read; empty if it was read."""


class Redeemers:
    """Finds out who redeemed, and reads the audit log and home tenants if the account does not show it."""

    def __init__(self, directory: Directory, clock: Clock, *, reads_log: bool) -> None:
        self._directory, self._clock, self._reads_log = directory, clock, reads_log
        self._lock = asyncio.Lock()
        self._kept: _Log | None = None

    async def of(self, row: Conversion, account: Account) -> Redeemer:
        """Return who redeemed an account's invitation.

        Raises:
            Transient: Graph did not answer. Try again later.

        """
        address = row.invited_user_email_address
        found = redeemer(account, address, Sources())
        logged = Sources()
        if self._reads_log and row.baseline and found.matches is Matches.CANNOT_TELL:
            logged = await self._logged(row)
        homes = await self._homes(strange_domains(account, address, logged.logged))
        return redeemer(account, address, Sources(logged.logged, logged.log, homes))

    async def _logged(self, row: Conversion) -> Sources:
        """Return the name of the person who redeemed from the audit log, or why there is none."""
        redeemed_at = row.accepted_at or self._clock()
        log = await self._read_since(redeemed_at.replace(hour=0, minute=0, second=0, microsecond=0))
        record = log.records.get(row.user_id)
        if record is None or record.at < redeemed_at - SKEW:
            return Sources(log=log.trouble or NO_RECORD)
        return Sources(record.name, NO_NAME)

    async def _read_since(self, since: datetime) -> _Log:
        async with self._lock:
            now, kept = self._clock(), self._kept
            if kept is None or since < kept.since or not timedelta(0) <= now - kept.read_at < LIFETIME:
                known = await self._directory.read({facts.REDEMPTIONS: f"{since:%Y-%m-%dT%H:%M:%SZ}"})
                why = known.unreadable.get(facts.REDEMPTIONS)
                trouble = f"the audit log cannot be read: {why.because or NOT_GRANTED}" if why else ""
                self._kept = kept = _Log(since, now, known[facts.REDEMPTIONS], trouble)
            return kept

    async def _homes(self, domains: Iterable[str]) -> Mapping[str, str | None]:
        """Return the tenants of the domains that can be looked up; None if a domain belongs to no tenant."""
        wanted = tuple(domains)
        known = await asyncio.gather(*(self._directory.read({facts.HOME_TENANT: domain}) for domain in wanted))
        return {
            domain: one[facts.HOME_TENANT]
            for domain, one in zip(wanted, known, strict=True)
            if facts.HOME_TENANT not in one.unreadable
        }
