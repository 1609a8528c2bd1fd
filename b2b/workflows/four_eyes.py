"""The four-eyes rule: a person may not approve a request that the same person submitted."""

from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.member import Member
from b2b.domain.errors import RequestRefused
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord
from b2b.workflows.ports import Ledger


class FourEyes:
    """Refuses an approval by the person who submitted the request, unless a setting allows it."""

    def __init__(self, ledger: Ledger, *, self_approval: bool) -> None:
        """``self_approval``: whether a person may approve their own requests."""
        self._ledger, self._self_approval = ledger, self_approval

    async def check(self, record: RequestRecord, decision: Decision) -> None:
        """Check that the person who decides neither submitted the request nor sent the campaign's list with it.

        Raises:
            RequestRefused: the person did one of the two.

        """
        if self._is_own(record.asked_by, decision):
            raise RequestRefused("OwnRequest", "You submitted this request yourself. Another person has to approve it.")
        member = await self._ledger.campaigns.member(record.campaign_id, record.member) if record.campaign_id else None
        if member is not None:
            self.check_member(member, decision)

    def check_member(self, member: Member, decision: Decision) -> None:
        """Check that the person who decides did not send the list with this member.

        Raises:
            RequestRefused: the person sent the list.

        """
        if self._is_own(member.listed_by, decision):
            raise RequestRefused(
                "OwnRequest", "You sent the list of this member yourself. Another person has to approve it."
            )

    def _is_own(self, asked_by: Actor, decision: Decision) -> bool:
        own = decision.actor.kind is ActorKind.PERSON and decision.actor.id == asked_by.id
        return own and not self._self_approval
