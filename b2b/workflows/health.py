"""Tell whether storage, identity and Graph do their part."""

import asyncio
from collections.abc import Awaitable

from b2b.domain.answers import Reply
from b2b.domain.errors import B2BError
from b2b.settings import Settings
from b2b.workflows.ports import Directory, Identity, Ledger, Queue

CHECK_SECONDS = 10.0
"""Longest wait for one dependency."""


class Health:
    """Asks every dependency for something small."""

    def __init__(
        self, directory: Directory, ledger: Ledger, queue: Queue, identity: Identity, settings: Settings
    ) -> None:
        """Use the adapters; nothing is asked yet."""
        self._directory, self._ledger, self._queue = directory, ledger, queue
        self._identity, self._settings = identity, settings

    async def report(self) -> Reply:
        """Tell mode and profile, and whether storage, identity and Graph do their part."""
        checks = {
            "queues": self._queue.check(),
            "tables": self._ledger.check(),
            "identity": self._identity.claims(),
            "graph": self._directory.check(),
        }
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        entries = [
            {"name": "mode", "status": "ok", "detail": self._settings.mode},
            {"name": "profile", "status": "ok", "detail": self._settings.profile},
            *({"name": name, "status": status, "detail": detail} for name, (status, detail) in states.items()),
        ]
        healthy = all(entry["status"] == "ok" for entry in entries)
        return Reply(200 if healthy else 503, {"status": "healthy" if healthy else "unhealthy", "checks": entries})


async def _state(check: Awaitable[object]) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except B2BError as error:
        return "failed", str(error)
    except TimeoutError:
        return "failed", f"no answer within {CHECK_SECONDS:.0f} s"
    return "ok", ""
