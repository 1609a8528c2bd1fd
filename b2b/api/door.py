"""What a handler gets: the call that it is to answer, and the workflows that it may call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from b2b.api.callers import KEY_HOLDER, Caller
from b2b.settings import Settings
from b2b.workflows.campaigns.desk import CampaignDesk
from b2b.workflows.campaigns.lists import Lists
from b2b.workflows.campaigns.runs import Runs
from b2b.workflows.conversion.another_mail import AnotherMail
from b2b.workflows.decisions import Decisions
from b2b.workflows.enquiries import Enquiries
from b2b.workflows.health import Health
from b2b.workflows.intake.intake import Intake
from b2b.workflows.lifecycle.accounts import Accounts
from b2b.workflows.lifecycle.evidence import Dossier
from b2b.workflows.lifecycle.way_back import WaysBack
from b2b.workflows.listings import Listings


@dataclass(frozen=True)
class Call:
    """One HTTP request. Names of headers are in lower case; a parameter given twice is joined by the host."""

    base_url: str
    method: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    caller: Caller = KEY_HOLDER

    @property
    def request_id(self) -> str:
        """The request that the path names."""
        return self.path["requestId"]

    @property
    def campaign_id(self) -> str:
        """The campaign that the path names."""
        return self.path["campaignId"]


@dataclass(frozen=True)
class Workflows:
    """What handlers call."""

    intake: Intake
    decisions: Decisions
    enquiries: Enquiries
    listings: Listings
    campaigns: CampaignDesk
    lists: Lists
    runs: Runs
    accounts: Accounts
    dossier: Dossier
    mails: AnotherMail
    ways_back: WaysBack
    health: Health
    settings: Settings
    describe: Callable[[str], dict[str, Any]]
    """Describes the API as it is reached at an address."""
