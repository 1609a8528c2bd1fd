"""Answer questions that change nothing: what state a request is in, and what the rules say about an account."""

from contextlib import suppress

from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import RequestRefused, Transient, UnreadableRow
from b2b.domain.invitation import Defaults, sign_in_address
from b2b.domain.request import ConversionRequest
from b2b.domain.request.ids import REQUEST_ID
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.standing import Standing, beside, standing
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.intake.intake import stored_request
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Identity, Ledger


class Enquiries:
    """Answers questions about requests."""

    def __init__(self, ledger: Ledger, assessor: Assessor, pacer: Pacer, identity: Identity) -> None:
        self._ledger, self._assessor, self._pacer, self._identity = ledger, assessor, pacer, identity

    @property
    def defaults(self) -> Defaults:
        """The values from the settings for what a request leaves out."""
        return self._assessor.defaults

    async def find(self, request_id: str) -> Standing:
        """Return the current state of a request, with the request that leads its conversion.

        Raises:
            RequestRefused: there is no request with this id.
            UnreadableRow: a newer version of the app wrote the request's row.

        """
        known = REQUEST_ID.fullmatch(request_id) is not None
        record = await self._ledger.requests.get(request_id) if known else None
        if record is None:
            shown = request_id if known else "as given"
            raise RequestRefused("RequestNotFound", f"There is no request {shown}.", "requestId")
        conversion = await self._ledger.conversions.get(record.user_id) if record.user_id else None
        found = standing(record, conversion)
        if found.leader is None or not found.record.at_work:
            return found
        return beside(found, await self._readable(found.leader))

    async def _readable(self, request_id: str) -> RequestRecord | None:
        with suppress(UnreadableRow):
            return await self._ledger.requests.get(request_id)
        return None

    async def sign_in(self, record: RequestRecord) -> str | None:
        """Return the address at which the person redeems without the secret link.

        None if the request is not invited, or if the tenant's id cannot be read.
        """
        if record.stage is not Stage.INVITED:
            return None
        try:
            tenant_id = (await self._identity.claims()).tenant_id
        except Transient:
            return None
        return sign_in_address(stored_request(record), tenant_id, self._assessor.defaults)

    async def judge(self, request: ConversionRequest) -> Assessment:
        """Ask the rules about a request, and change neither the directory nor the ledger.

        No row is written, so that the same body with the same request id can be submitted afterwards.

        Raises:
            MustWait: Graph asked the app to wait. Try again after that time.
            Transient: Graph did not answer. If it asked for a wait, the other instances wait as well.

        """
        await self._pacer.admit()
        try:
            return await self._assessor.assess(request, await self._assessor.look_up(request))
        except Transient as error:
            await self._pacer.heed(error)
            raise
