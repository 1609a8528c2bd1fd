"""The interface of the ledger for campaigns. As in all ports, every call may raise `Transient`."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from b2b.domain.campaign.incoming import Known
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import Campaign, ListImport
from b2b.domain.campaign.runs import Part, Run
from b2b.domain.conversion.records import Change
from b2b.workflows.rows import Rows


class Campaigns(Protocol):
    """The table of campaigns. Each campaign is one partition."""

    @property
    def rows(self) -> Rows[Campaign]:
        """The campaigns' own rows."""

    async def create(self, change: Change[Campaign]) -> Campaign:
        """Write a new campaign, and add it to the list of campaigns.

        Raises:
            LedgerConflict: a campaign with this id exists already.

        """

    async def some(self, after: str, limit: int) -> tuple[list[Campaign], str]:
        """Return up to ``limit`` campaigns with ids after ``after``, and the last id if more follow (else empty)."""

    async def imports(self, campaign_id: str) -> list[ListImport]:
        """Return every list that was sent to a campaign, the latest first."""

    async def list_import(self, campaign_id: str, import_id: str) -> ListImport | None:
        """Return the record of a list, or None if the list was never sent."""

    async def save_import(self, row: ListImport) -> None:
        """Write the record of a list. The last writer wins, because every call with a list writes the same record."""

    async def known(self, campaign_id: str) -> list[Known]:
        """Return, for every member, the columns that a new list is compared with."""

    async def member(self, campaign_id: str, key: str) -> Member | None:
        """Return a member, or None."""

    async def members(self, campaign_id: str, keys: Iterable[str]) -> dict[str, Member]:
        """Return the members that exist among these keys, by key."""

    def scan(self, campaign_id: str, stage: MemberStage | None = None) -> AsyncIterator[Member]:
        """Yield all members, or those of one stage, in the order of their keys. The members are for reading only.

        Rows that a newer version of the app wrote are skipped.
        """

    async def page(
        self, campaign_id: str, stage: MemberStage | None, after: str, limit: int
    ) -> tuple[list[Member], str]:
        """Return up to ``limit`` members with keys after ``after``, and the last key if more follow (else empty).

        The members are for reading only.
        """

    async def write(self, change: Change[Member], before: Member | None, person: str = "") -> Member:
        """Write the row of a member, and the events of the change.

        ``before``: the member as it was read, so that it leaves the list of its former stage; None for a new member.
        ``person``: the object id of the account, if no other member of the campaign was matched to it; else empty.

        Raises:
            LedgerConflict: another process wrote the member meanwhile, or another member was matched to the account.

        """

    async def person(self, campaign_id: str, user_id: str) -> str:
        """Return the key of the member that an account was first matched to; empty if there is none yet."""

    async def store(self, members: Sequence[tuple[Member, Member | None]]) -> bool:
        """Write the members of a list. Return False if another process wrote one of these members meanwhile."""


class CampaignRuns(Protocol):
    """Runs over the members of campaigns, and their parts."""

    async def save(self, run: Run, *parts: Part) -> Run:
        """Write the parts of a run, and then the run's row: a new row, or the next version of the row that was read.

        Raises:
            LedgerConflict: another process wrote the run meanwhile; read it again.

        """

    async def get(self, campaign_id: str, run_id: str) -> Run | None:
        """Return a run, or None."""

    async def parts(self, run: Run) -> list[Part]:
        """Return the parts of a run in order. If several processes cut the run, its row names the cut to return."""

    async def part(self, run: Run, number: int) -> Part | None:
        """Return a part of a run, or None."""

    async def finish(self, run: Run, part: Part) -> None:
        """Write the result of a part. The last writer wins, because a part that is done twice has the same result."""
