"""A read of one account, and the rules' judgement of it."""

from dataclasses import dataclass
from datetime import datetime

from b2b.domain.account import Account
from b2b.domain.findings import Finding, Verdict, verdict_of
from b2b.domain.lifecycle.snapshot import Snapshot
from b2b.domain.request.subject import subject_of


@dataclass(frozen=True)
class Sighting:
    """The result of reading an account by its id."""

    at: datetime
    account: Account | None
    """The account; None if Graph answered 404, because the account is deleted or a replica lags."""
    in_bin: bool = False
    """Whether the account is in the recycle bin."""


@dataclass(frozen=True)
class Assessment:
    """The rules' judgement of one request."""

    account: Account | None
    address: str | None
    tenant_id: str
    findings: tuple[Finding, ...]
    at: datetime
    snapshot: Snapshot | None = None
    """What the directory granted the account then; None if the app did not read it."""

    @property
    def subject(self) -> str:
        """The account and address that were judged, as one key. Approvals and releases are valid for this pair only."""
        return subject_of(self.account.id if self.account else "", self.address or "")

    @property
    def verdict(self) -> Verdict:
        """The overall result of the findings."""
        return verdict_of(self.findings)
