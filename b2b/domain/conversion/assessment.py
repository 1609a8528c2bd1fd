"""What was read about one account, and what the rules made of it."""

from dataclasses import dataclass
from datetime import datetime

from b2b.domain.account import Account
from b2b.domain.findings import Finding, Verdict, verdict_of
from b2b.domain.lifecycle.snapshot import Snapshot
from b2b.domain.request.subject import subject_of


@dataclass(frozen=True)
class Sighting:
    """What reading an account by its id, just now, said."""

    at: datetime
    account: Account | None
    """The account as Graph shows it. None: Graph does not know the id, or a lagging replica does not."""
    in_bin: bool = False
    """The account lies in the recycle bin."""


@dataclass(frozen=True)
class Assessment:
    """The rules' word about one request."""

    account: Account | None
    address: str | None
    tenant_id: str
    findings: tuple[Finding, ...]
    at: datetime
    snapshot: Snapshot | None = None
    """What the directory granted the account then; None: it was not read."""

    @property
    def subject(self) -> str:
        """Names the account and the address that were judged: what an approval or a release is for."""
        return subject_of(self.account.id if self.account else "", self.address or "")

    @property
    def verdict(self) -> Verdict:
        """What the findings add up to."""
        return verdict_of(self.findings)
