"""What the workflows of campaigns ask of the ledger. Every call may raise `Transient`, as all ports do."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from b2b.domain.campaign.incoming import Known
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import Campaign, ListImport
from b2b.domain.campaign.runs import Part, Run
from b2b.domain.conversion.records import Change
from b2b.workflows.rows import Rows


class Campaigns(Protocol):
    """The table of campaigns: each is a partition."""

    @property
    def rows(self) -> Rows[Campaign]:
        """The campaigns' own rows."""

    async def create(self, change: Change[Campaign]) -> Campaign:
        """Write a new campaign, and put it on the list of campaigns.

        Raises:
            LedgerConflict: there is one with this id.

        """

    async def some(self, after: str, limit: int) -> tuple[list[Campaign], str]:
        """Return up to ``limit`` campaigns by id, and the last id if there are more (else an empty text)."""

    async def imports(self, campaign_id: str) -> list[ListImport]:
        """Return every list that was sent to a campaign, the latest first."""

    async def list_import(self, campaign_id: str, import_id: str) -> ListImport | None:
        """Return what became of a list, or None."""

    async def save_import(self, row: ListImport) -> None:
        """Write how far a list has come. The last writer wins: all who send the same list write the same."""

    async def known(self, campaign_id: str) -> list[Known]:
        """Return what a new list is compared with, of every member."""

    async def member(self, campaign_id: str, key: str) -> Member | None:
        """Return a member, or None."""

    async def members(self, campaign_id: str, keys: Iterable[str]) -> dict[str, Member]:
        """Return the members that exist among these keys, by key."""

    def scan(self, campaign_id: str, stage: MemberStage | None = None) -> AsyncIterator[Member]:
        """Give all members, or those of a stage, in the order of their keys, to be looked at.

        Rows that a newer version wrote are passed over.
        """

    async def page(
        self, campaign_id: str, stage: MemberStage | None, after: str, limit: int
    ) -> tuple[list[Member], str]:
        """Return up to ``limit`` members behind a key, to be looked at, and the last key if there are more."""

    async def write(self, change: Change[Member], before: Member | None, person: str = "") -> Member:
        """Write the row of a member, and the events of the change.

        ``before``: the member as it was read, so that its line leaves the list of the stage it had. None: it is new.
        ``person``: object id of the account that this member is the first of its campaign to stand for.

        Raises:
            LedgerConflict: another process wrote the member meanwhile, or another member stands for the account.

        """

    async def person(self, campaign_id: str, user_id: str) -> str:
        """Return the key of the member that an account was first found for. An empty text: no member yet."""

    async def store(self, members: Sequence[tuple[Member, Member | None]]) -> bool:
        """Write the members of a list. Return False if another process wrote one of them meanwhile."""


class CampaignRuns(Protocol):
    """Runs over the members of campaigns, and their parts."""

    async def save(self, run: Run, *parts: Part) -> Run:
        """Write a run, over the row that it was read from, or as a new one; its parts first.

        Raises:
            LedgerConflict: another process wrote the run meanwhile.

        """

    async def get(self, campaign_id: str, run_id: str) -> Run | None:
        """Return a run, or None."""

    async def parts(self, run: Run) -> list[Part]:
        """Return the parts of a run, in order: those of the cut that holds."""

    async def part(self, run: Run, number: int) -> Part | None:
        """Return a part of a run, or None."""

    async def finish(self, run: Run, part: Part) -> None:
        """Write what became of a part. The last writer wins: done twice, it comes to the same."""
