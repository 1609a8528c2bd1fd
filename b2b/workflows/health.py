"""Check the health of the app: storage, identity, Graph, its roles, and the sweep."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass

from b2b.domain.eligibility.permissions import compare
from b2b.domain.errors import B2BError, MustWait, Transient
from b2b.domain.readings import Claims
from b2b.domain.sweep import Part, Reported, counted, told
from b2b.settings import Mode, Settings
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Directory, Identity, Ledger, Queue

log = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
"""Longest duration of one check, in seconds."""
LATE = "a new grant can take up to 24 hours to appear"
"""The platform caches a managed identity's token for up to 24 hours (MicrosoftDocs/azure-docs#85676)."""
State = tuple[str, str]
"""`ok` or `failed`, and details in one line, which may be empty."""


@dataclass(frozen=True)
class Check:
    """One check of the health report: name, status, detail."""

    name: str
    status: str
    detail: str

    @property
    def ok(self) -> bool:
        """Whether the check found no fault."""
        return self.status == "ok"


class Health:
    """Runs the health checks."""

    def __init__(
        self,
        directory: Directory,
        ledger: Ledger,
        queue: Queue,
        identity: Identity,
        pacer: Pacer,
        settings: Settings,
    ) -> None:
        self._directory, self._ledger, self._queue = directory, ledger, queue
        self._identity, self._pacer, self._settings = identity, pacer, settings

    async def report(self) -> list[Check]:
        """Run all checks at the same time, and return their results with the app's mode and profile."""
        held: list[Claims] = []
        kept: list[Reported] = []
        checks = {
            "queues": self._queue.check(),
            "tables": self._ledger.check(),
            "identity": self._claims(held),
            "graph": self._graph(),
            "inviting": self._inviting(),
            "sweep": self._sweep(kept),
        }
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        states["graphRoles"] = self._roles(held[0].roles) if held else ("failed", "not known without a token")
        states["waiting"] = "ok", _waiting(kept)
        return [
            Check("mode", "ok", self._settings.mode),
            Check("profile", "ok", self._settings.profile),
            *(Check(name, status, detail) for name, (status, detail) in states.items()),
        ]

    async def _graph(self) -> str:
        """Call Graph, unless Graph asked the app to wait. Throttling is not a fault of the app."""
        try:
            await self._pacer.admit()
        except MustWait as wait:
            return f"not called: {wait}"
        except Transient:
            log.info("the pace cannot be read; Graph is called anyway")
        await self._directory.check()
        return ""

    async def _inviting(self) -> str:
        """Return why the app sends no invitations now; empty if it may. A pause is not a fault."""
        paused = ["B2B_PAUSED is on: nothing is sent"] if self._settings.paused else []
        return "; ".join([*paused, *await self._pacer.standing()])

    async def _sweep(self, kept: list[Reported]) -> str:
        """Return the last report of each part of the sweep. Remaining work is not a fault."""
        kept.append(await self._ledger.reported())
        runs = {run.report.part: run for run in kept[0].runs}
        return "; ".join(told(runs[part]) for part in Part if part in runs) or "it has not run yet"

    async def _claims(self, held: list[Claims]) -> None:
        held.append(await self._identity.claims())

    def _roles(self, roles: frozenset[str]) -> State:
        """Name the app roles that are missing, and those without use. Only a missing role is a fault."""
        settings = self._settings
        converts = settings.mode is Mode.CONVERT
        found = compare(
            roles,
            settings.profile,
            settings.rule_overrides,
            converts=converts,
            compares=converts and settings.compare_access,
            audits=converts and settings.compare_access and settings.read_audit_log,
        )
        said = [
            "no app role is granted" if not roles else "",
            f"missing: {', '.join(found.missing)} ({LATE})" if found.missing else "",
            f"more than needed: {', '.join(found.surplus)}" if found.surplus else "",
        ]
        return "failed" if found.missing else "ok", "; ".join(filter(None, said))


def _waiting(kept: list[Reported]) -> str:
    """Return how many requests wait for each reason, from the sweep's last census. A count now would need a scan."""
    if not kept:
        return "not known"
    return counted(kept[0].census) if kept[0].census else "not counted yet"


async def _state(check: Awaitable[object]) -> State:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            detail = await check
    except B2BError as error:
        return "failed", str(error)
    except TimeoutError:
        return "failed", f"no answer within {CHECK_SECONDS:.0f} s"
    except Exception as error:
        log.exception("a check broke")
        return "failed", f"broke with {type(error).__name__}"
    return "ok", detail if isinstance(detail, str) else ""
