"""The HTTP use cases: submit, look up, begin again, approve, assess."""

import logging
import math
from collections.abc import Awaitable, Callable

from b2b.domain import answers
from b2b.domain.answers import Reply
from b2b.domain.approval import approved, parse_approval, reopened
from b2b.domain.conversion import Conversion, RequestRecord, Source, Stage
from b2b.domain.envelope import REQUEST_ID
from b2b.domain.errors import LedgerConflict, RequestRefused, Transient
from b2b.domain.invitation import sign_in_address
from b2b.settings import Mode, Settings
from b2b.workflows.assess import Assessor
from b2b.workflows.intake import Intake, stored_request
from b2b.workflows.pacing import Pacer, Wait
from b2b.workflows.ports import Clock, Identity, Ledger, NewId

log = logging.getLogger(__name__)

RETRIED = frozenset({Stage.FAILED, Stage.BLOCKED})


class Api:
    """Answers HTTP requests; every error has a code and a JSON body."""

    def __init__(
        self,
        intake: Intake,
        assessor: Assessor,
        pacer: Pacer,
        ledger: Ledger,
        identity: Identity,
        settings: Settings,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        """Use the other workflows and the adapters; nothing is read yet."""
        self._intake, self._assessor, self._pacer = intake, assessor, pacer
        self._ledger, self._identity = ledger, identity
        self._settings, self._clock, self._new_id = settings, clock, new_id

    async def submit(self, raw: bytes, base_url: str) -> Reply:
        """Take a request in: 202, or why not."""

        async def work() -> Reply:
            record = await self._intake.submit(raw, self._new_id())
            return answers.accepted(record, base_url, self._settings.mode)

        return await self._answered(work)

    async def status(self, request_id: str, base_url: str) -> Reply:
        """Tell where a request stands."""

        async def work() -> Reply:
            record, conversion = await self._find(request_id)
            leader = answers.joined(record, conversion)
            return answers.conversion_status(record, leader, base_url, await self._sign_in(record))

        return await self._answered(work)

    async def operation(self, request_id: str, base_url: str) -> Reply:
        """Tell the same in the form of a status monitor."""

        async def work() -> Reply:
            record, conversion = await self._find(request_id)
            return answers.operation_status(record, answers.joined(record, conversion), base_url)

        return await self._answered(work)

    async def retry(self, request_id: str, base_url: str) -> Reply:
        """Begin a failed or blocked request again, from the body it came with."""

        async def work() -> Reply:
            record, conversion = await self._find(request_id)
            if self._settings.mode is Mode.ASSESS:
                return _assess_only()
            if record.stage not in RETRIED:
                return answers.problem(
                    409, "NotRetryable", f"The request is {record.stage}; failed or blocked ones are retried."
                )
            again = reopened(record, conversion or await self._account_of(record), "retried", self._clock())
            return answers.accepted(await self._intake.reopen(again), base_url, self._settings.mode)

        return await self._answered(work)

    async def approve(self, request_id: str, raw: bytes, base_url: str) -> Reply:
        """Let a request that needs review go on: the rules are asked again, and only what was shown is waived."""

        async def work() -> Reply:
            by, reason = parse_approval(raw)
            record, conversion = await self._find(request_id)
            if self._settings.mode is Mode.ASSESS:
                return _assess_only()
            if record.stage is not Stage.NEEDS_REVIEW:
                return answers.problem(409, "NotAwaitingApproval", f"The request is {record.stage}, not needsReview.")
            if conversion is None or conversion.generation != record.generation:
                return answers.problem(
                    409, "ApprovalSuperseded", "A later request for this account was judged since; approve that one."
                )
            again = approved(record, conversion, by, reason, self._clock())
            return answers.accepted(await self._intake.reopen(again), base_url, self._settings.mode)

        return await self._answered(work)

    async def assess(self, raw: bytes) -> Reply:
        """Judge a request and change nothing: neither the directory nor the ledger.

        It leaves no row on purpose: the same body, with the same request id, may be submitted afterwards.
        """

        async def work() -> Reply:
            request, _ = self._intake.understand(raw, Source.HTTP)
            await self._pacer.admit()
            result = await self._assessor.assess(request, await self._assessor.look_up(request))
            body = {
                "userId": result.account.id.lower() if result.account else None,
                "verdict": result.verdict,
                "findings": answers.findings(result.findings),
            }
            return Reply(200, body)

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
            raise RequestRefused("RequestNotFound", f"There is no request {shown}.", "requestId", status=404)
        if not record.generation:
            return record, None
        conversion = await self._ledger.conversions.get(record.user_id)
        return answers.as_it_stands(record, conversion), conversion

    async def _account_of(self, record: RequestRecord) -> Conversion | None:
        """Return the row of the account that a request is for, also if the request's own row does not show it yet."""
        user_id = record.user_id or (stored_request(record).invited_user.id or "").lower()
        return await self._ledger.conversions.get(user_id) if user_id else None

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
            return answers.problem(409, "RequestChanged", "The request moved meanwhile; look at it again.")
        except Wait as wait:
            return _unavailable(wait.delay, wait.reason)
        except Transient as error:
            await self._pacer.heed(error)
            return _unavailable(error.retry_after or answers.RETRY_AFTER, str(error))
        except Exception:
            log.exception("HTTP request answered 500")
            return answers.problem(500, "InternalError", "The request broke the service; it may be repeated.")


def _unavailable(delay: float, reason: str) -> Reply:
    log.warning("HTTP request answered 503: %s", reason)
    return answers.problem(503, "ServiceUnavailable", reason, retry_after=math.ceil(delay))


def _assess_only() -> Reply:
    return answers.problem(409, "ModeIsAssess", "B2B_MODE is assess: the request would end as a dry run.")
