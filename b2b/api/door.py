"""The arguments of a handler: the HTTP call to answer, and the workflows."""

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
    """One HTTP call. Header names are in lower case. The host joins the values of a repeated query parameter."""

    base_url: str
    method: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    caller: Caller = KEY_HOLDER

    @property
    def request_id(self) -> str:
        """The request id in the path."""
        return self.path["requestId"]

    @property
    def campaign_id(self) -> str:
        """The campaign id in the path."""
        return self.path["campaignId"]


@dataclass(frozen=True)
class Workflows:
    """The workflows that handlers call, and the settings."""

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
    """Returns the OpenAPI document for a base address."""
