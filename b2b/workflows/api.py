"""The HTTP use cases: submit, look up, begin again, approve, assess."""

import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial

from b2b.domain import answers
from b2b.domain.answers import Reply
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import LedgerConflict, MustWait, RequestRefused, Transient, UnreadableRow
from b2b.domain.invitation import sign_in_address
from b2b.domain.request import decision as bodies
from b2b.domain.request import parse
from b2b.domain.request.decision import Decision
from b2b.domain.request.ids import REQUEST_ID
from b2b.domain.request.record import RequestRecord
from b2b.settings import Mode, Settings
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.decisions import Decisions
from b2b.workflows.intake.intake import Intake, stored_request
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Identity, Ledger

log = logging.getLogger(__name__)


class Api:
    """Answers HTTP requests; every error has a code and a JSON body."""

    def __init__(
        self,
        intake: Intake,
        decisions: Decisions,
        assessor: Assessor,
        pacer: Pacer,
        ledger: Ledger,
        identity: Identity,
        settings: Settings,
    ) -> None:
        self._intake, self._decisions, self._assessor, self._pacer = intake, decisions, assessor, pacer
        self._ledger, self._identity, self._settings = ledger, identity, settings

    async def submit(self, raw: bytes, base_url: str) -> Reply:
        """Take a request in: 202, or why not."""

        async def work() -> Reply:
            record = await self._intake.submit(raw)
            return answers.accepted(record, base_url, self._settings.mode)

        return await self._answered(work)

    async def status(self, request_id: str, base_url: str) -> Reply:
        """Tell where a request stands."""

        async def work() -> Reply:
            record, conversion = await self._find(request_id)
            leader = answers.joined(record, conversion)
            return answers.request_status(record, leader, base_url, await self._sign_in(record))

        return await self._answered(work)

    async def operation(self, request_id: str, base_url: str) -> Reply:
        """Tell the same in the form of a status monitor."""

        async def work() -> Reply:
            record, conversion = await self._find(request_id)
            return answers.operation_status(record, answers.joined(record, conversion), base_url)

        return await self._answered(work)

    async def retry(self, request_id: str, base_url: str) -> Reply:
        """Begin a failed or blocked request again, from the body that it came with."""
        return await self._decided(request_id, base_url, self._decisions.retry)

    async def approve(self, request_id: str, raw: bytes, base_url: str) -> Reply:
        """Let a request that needs review go on: the rules are asked again, and only what was shown is waived."""
        return await self._decided(request_id, base_url, self._decisions.approve, partial(bodies.approval, raw))

    async def release(self, request_id: str, base_url: str) -> Reply:
        """Let a dry run become real, for exactly what was judged."""
        return await self._decided(request_id, base_url, self._decisions.release)

    async def refuse(self, request_id: str, raw: bytes, base_url: str) -> Reply:
        """End a request that waits for a person."""
        read = partial(bodies.refusal, raw)
        return await self._decided(request_id, base_url, self._decisions.refuse, read, always=True)

    async def cancel(self, request_id: str, base_url: str) -> Reply:
        """End a request that was not invited yet."""
        return await self._decided(request_id, base_url, self._decisions.cancel, always=True)

    async def assess(self, raw: bytes) -> Reply:
        """Judge a request and change nothing: neither the directory nor the ledger.

        It leaves no row on purpose: the same body, with the same request id, may be submitted afterwards.
        """

        async def work() -> Reply:
            request, _ = parse(raw, self._intake.policy)
            await self._pacer.admit()
            result = await self._assessor.assess(request, await self._assessor.look_up(request))
            body = {
                "userId": result.account.id.lower() if result.account else None,
                "verdict": result.verdict,
                "findings": answers.findings(result.findings),
            }
            return Reply(200, body)

        return await self._answered(work)

    async def _decided(
        self,
        request_id: str,
        base_url: str,
        decide: Callable[[RequestRecord, Decision], Awaitable[RequestRecord]],
        read: Callable[[], Decision] = lambda: Decision("key"),
        *,
        always: bool = False,
    ) -> Reply:
        """Carry out a decision; while the mode is `assess`, only those that let nothing go on (``always``)."""

        async def work() -> Reply:
            decision = read()
            record, _ = await self._find(request_id)
            if self._settings.mode is Mode.ASSESS and not always:
                raise RequestRefused("ModeIsAssess", "B2B_MODE is assess: the request would end as a dry run.")
            return answers.accepted(await decide(record, decision), base_url, self._settings.mode)

        return await self._answered(work)

    async def _find(self, request_id: str) -> tuple[RequestRecord, Conversion | None]:
        """Return a request as it stands, and the row of the account whose conversion it belongs to.

        Raises:
            RequestRefused: there is none.
            Transient: storage did not answer.

        """
        known = REQUEST_ID.fullmatch(request_id) is not None
        record = await self._ledger.requests.get(request_id) if known else None
        if record is None:
            shown = request_id if known else "as given"
            raise RequestRefused("RequestNotFound", f"There is no request {shown}.", "requestId")
        conversion = await self._ledger.conversions.get(record.user_id) if record.user_id else None
        return answers.as_it_stands(record, conversion), conversion

    async def _sign_in(self, record: RequestRecord) -> str | None:
        """Return where the person redeems without the secret link; None where nobody can tell the tenant."""
        if record.stage is not Stage.INVITED:
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
        except LedgerConflict:
            said = "The request changed while it was being processed. Read it again and retry."
            return answers.problem(409, "RequestChanged", said)
        except (MustWait, UnreadableRow, Transient) as error:
            return await self._later(error)
        except Exception:
            log.exception("HTTP request answered 500")
            return answers.problem(500, "InternalError", "Internal error. The request can be retried safely.")

    async def _later(self, error: MustWait | UnreadableRow | Transient) -> Reply:
        """Ask the caller to come back: the service does not do its part now."""
        if isinstance(error, MustWait):
            return _unavailable(error.seconds or answers.RETRY_AFTER, str(error))
        if isinstance(error, UnreadableRow):
            return _unavailable(answers.RETRY_AFTER_PERSON, f"A newer version of the app wrote this: {error}")
        await self._pacer.heed(error)
        return _unavailable(error.retry_after or answers.RETRY_AFTER, str(error))


def _unavailable(delay: float, reason: str) -> Reply:
    log.warning("HTTP request answered 503: %s", reason)
    return answers.problem(503, "ServiceUnavailable", reason, retry_after=math.ceil(delay))
