"""The HTTP use cases: submit, look up, assess, and tell how healthy the app is."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from b2b.domain import answers
from b2b.domain.answers import Reply
from b2b.domain.conversion import ACTIVE, RequestRecord
from b2b.domain.envelope import REQUEST_ID
from b2b.domain.errors import B2BError, RequestRefused, Transient
from b2b.domain.invitation import sign_in_address
from b2b.domain.request import parse
from b2b.settings import Settings
from b2b.workflows.assess import Assessor
from b2b.workflows.intake import Intake, stored_request
from b2b.workflows.ports import Directory, Identity, Ledger, NewId, Queue

log = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
"""Longest wait for one dependency of the health answer."""
SLOWEST_RETRY = 60


class Api:
    """Answers HTTP requests; every error has a code and a JSON body."""

    def __init__(
        self,
        intake: Intake,
        assessor: Assessor,
        directory: Directory,
        ledger: Ledger,
        queue: Queue,
        identity: Identity,
        settings: Settings,
        new_id: NewId,
    ) -> None:
        """Use the other workflows and the adapters; nothing is read yet."""
        self._intake, self._assessor, self._directory = intake, assessor, directory
        self._ledger, self._queue, self._identity = ledger, queue, identity
        self._settings, self._new_id = settings, new_id

    async def submit(self, raw: bytes, base_url: str) -> Reply:
        """Take a request in: 202, or why not."""

        async def work() -> Reply:
            record = await self._intake.submit(raw, self._new_id())
            return answers.accepted(record, base_url, self._settings.mode)

        return await self._answered(work)

    async def status(self, request_id: str, base_url: str) -> Reply:
        """Tell where a request stands."""

        async def work() -> Reply:
            record = await self._find(request_id)
            if record is None:
                return _unknown(request_id)
            return answers.conversion_status(record, base_url, await self._sign_in(record))

        return await self._answered(work)

    async def operation(self, request_id: str, base_url: str) -> Reply:
        """Tell the same in the form of a status monitor."""

        async def work() -> Reply:
            record = await self._find(request_id)
            return _unknown(request_id) if record is None else answers.operation_status(record, base_url)

        return await self._answered(work)

    async def assess(self, raw: bytes) -> Reply:
        """Judge a request and change nothing: neither the directory nor the ledger.

        It leaves no row on purpose: the same body, with the same request id, may be submitted afterwards.
        """

        async def work() -> Reply:
            request, _ = parse(raw, self._intake.policy)
            result = await self._assessor.assess(request, await self._assessor.look_up(request))
            body = {
                "userId": result.account.id.lower() if result.account else None,
                "verdict": result.verdict,
                "findings": answers.findings(result.findings),
            }
            return Reply(200, body)

        return await self._answered(work)

    async def health(self) -> Reply:
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

    async def _find(self, request_id: str) -> RequestRecord | None:
        if not REQUEST_ID.fullmatch(request_id):
            return None
        record = await self._ledger.requests.get(request_id)
        if record is None or not record.generation:
            return record
        return answers.as_it_stands(record, await self._ledger.conversions.get(record.user_id))

    async def _sign_in(self, record: RequestRecord) -> str | None:
        """Return where the person redeems without the secret link; None where nobody can tell the tenant."""
        if record.stage not in ACTIVE:
            return None
        try:
            tenant_id = (await self._identity.claims()).tenant_id
        except Transient:
            return None
        return sign_in_address(stored_request(record), tenant_id, self._assessor.defaults)

    async def _answered(self, work: Callable[[], Awaitable[Reply]]) -> Reply:
        try:
            return await work()
        except RequestRefused as error:
            return answers.refused(error)
        except Transient as error:
            wait = min(math.ceil(error.retry_after or answers.RETRY_AFTER), SLOWEST_RETRY)
            log.warning("HTTP request answered 503: %s", error)
            return answers.problem(503, "ServiceUnavailable", str(error), retry_after=wait)
        except Exception:
            log.exception("HTTP request answered 500")
            return answers.problem(500, "InternalError", "The request broke the service; it may be repeated.")


async def _state(check: Awaitable[object]) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except B2BError as error:
        return "failed", str(error)
    except TimeoutError:
        return "failed", f"no answer within {CHECK_SECONDS:.0f} s"
    return "ok", ""


def _unknown(request_id: str) -> Reply:
    shown = request_id if REQUEST_ID.fullmatch(request_id) else "as given"
    return answers.problem(404, "RequestNotFound", f"There is no request {shown}.", "requestId")
