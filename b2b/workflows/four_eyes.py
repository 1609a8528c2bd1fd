"""A person does not wave through what the same person asked for."""

from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.member import Member
from b2b.domain.errors import RequestRefused
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord
from b2b.workflows.ports import Ledger


class FourEyes:
    """Refuses a person's own approval, unless a setting allows it."""

    def __init__(self, ledger: Ledger, *, self_approval: bool) -> None:
        """``self_approval``: a person may approve a request of their own."""
        self._ledger, self._self_approval = ledger, self_approval

    async def check(self, record: RequestRecord, decision: Decision) -> None:
        """Refuse an approval by the person who asked for the request, or put it on the list of a campaign.

        Raises:
            RequestRefused: it is the person's own.

        """
        if self._is_own(record.asked_by, decision):
            raise RequestRefused("OwnRequest", "You submitted this request yourself. Another person has to approve it.")
        member = await self._ledger.campaigns.member(record.campaign_id, record.member) if record.campaign_id else None
        if member is not None:
            self.check_member(member, decision)

    def check_member(self, member: Member, decision: Decision) -> None:
        """Refuse an approval by the person who sent the list.

        Raises:
            RequestRefused: the person who decides sent the list.

        """
        if self._is_own(member.listed_by, decision):
            raise RequestRefused(
                "OwnRequest", "You sent the list of this member yourself. Another person has to approve it."
            )

    def _is_own(self, asked_by: Actor, decision: Decision) -> bool:
        own = decision.actor.kind is ActorKind.PERSON and decision.actor.id == asked_by.id
        return own and not self._self_approval
