"""Read and learn whether the tenant's accounts show an invitation. All instances share this fact through the ledger."""

from datetime import datetime, timedelta

from b2b.domain.account import Account
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.tenant_fact import Shows, TenantFact
from b2b.domain.lifecycle.followed import learned
from b2b.workflows.ports import Clock, Ledger

KEPT = timedelta(seconds=30)
"""How long an instance uses its copy of the fact before it reads the ledger again."""


class TenantFacts:
    """One instance's copy of the tenant fact."""

    def __init__(self, ledger: Ledger, configured: TenantFact, clock: Clock) -> None:
        """``configured`` is what the settings say. It counts until the app has learned the fact from accounts."""
        self._ledger, self._configured, self._clock = ledger, configured, clock
        self._fact = TenantFact()
        self._fresh_until: datetime | None = None

    async def shows(self, *, synced: bool) -> Shows:
        """Return whether accounts of a kind (synchronised or not) show an invitation, as far as the app knows."""
        learned = (await self._get()).of(synced=synced).shows
        return self._configured.of(synced=synced).shows if learned is Shows.UNKNOWN else learned

    async def unknown(self) -> frozenset[bool]:
        """Return the kinds of account that the app has not learned about yet. True stands for synchronised accounts."""
        fact = await self._get()
        return frozenset(synced for synced in (False, True) if fact.of(synced=synced).shows is Shows.UNKNOWN)

    async def learn(self, before: Conversion, after: Conversion, account: Account | None) -> None:
        """Learn from what an account showed, and from its conversion ``before`` and ``after`` this was recorded."""
        fact = await self._get()
        known = fact.of(synced=before.synced)
        now_known = learned(before, after, account, known)
        if now_known == known:
            return
        # The copy comes first, so that what this instance learns meanwhile about the other kind builds on it. If the
        # write fails, the copy is replaced after `KEPT`, and the next account teaches the fact again.
        self._fact = fact.having(now_known, synced=before.synced)
        await self._ledger.learn(self._fact)

    async def _get(self) -> TenantFact:
        now = self._clock()
        if self._fresh_until is None or now >= self._fresh_until:
            self._fact = await self._ledger.tenant_fact()
            self._fresh_until = now + KEPT
        return self._fact
