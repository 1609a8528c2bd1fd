"""The story of the user's own list: make accounts from it, and run a campaign with it from list to redemption.

The app itself reads the list, because another parser would read some lists differently. The list is sent twice. The
first answer tells which columns the app understood. The second time the app keeps these columns and shows them with the
members, and the accounts are made from those. Nothing of the list is written to a file: storage, tenant and answers are
in memory, and the host's log is not kept.
"""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.rig import HostedRig
from rehearsal.run.by_hand import addresses, campaign_commands, how_to_stop
from rehearsal.run.campaign import Campaign, ListTaken, RefusedError
from rehearsal.run.campaigning import Campaigning
from rehearsal.run.following import let_redeem, sweep, until_healthy
from rehearsal.run.invented import NO_ADDRESS, Person, tenant_of
from rehearsal.run.list_checks import CHECKS, Played, gathered
from rehearsal.run.list_report import table
from rehearsal.run.play import WHILE
from rehearsal.run.progress import Progress
from rehearsal.run.stack import PROFILE
from rehearsal.run.story import Ended
from rehearsal.sample import Profile

READING, CAMPAIGN = "reading", "my-list"
"""The ids of the campaign that only reads the list, and of the one that is run."""
FIELDS: Mapping[str, str] = {
    "id": "id",
    "userPrincipalName": "user_principal_name",
    "mail": "mail",
    "invitedUserEmailAddress": "address",
}
"""The fields of the app's lists that make an account, with the attribute of `Person` for each."""
OWN_SETTINGS = ("B2B_ALLOWED_REDIRECT_HOSTS", "B2B_ALLOWED_COPY_DOMAINS", "B2B_RULE_OVERRIDES")
"""The settings that decide what a list may contain. They are taken from the caller's environment."""
ONE_WAITS_IN = 5
"""One person in this many does not redeem, so that the result shows both cases."""
ENTRA = "ExternalAzureAD"
"""The identity provider with which people redeem."""
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HOW_TO_TELL_CHARSET = "CHARSET=windows-1252, or --charset windows-1252"
HOW_TO_TELL_ADDRESS = "ADDRESS_COLUMN=HEADER, or --address-column HEADER"
ADDRESSES = frozenset({"mail", "invitedUserEmailAddress"})
MOST_IDLE = 3
SECONDS_FOR_ONE = 0.5
LEAST_SECONDS = 120.0
"""The time limit of an act is `SECONDS_FOR_ONE` for each person, but at least this."""


@dataclass(frozen=True, slots=True)
class ListStory:
    """The story of one list under one profile."""

    name: str
    raw: bytes
    profile: Profile
    charset: str = ""
    address: str = ""
    """The header of the column with the addresses; empty: the app knows it."""
    judge_only: bool = False
    """Whether the run ends once the list is judged, so that releasing can be tried by hand."""
    measure = "what must be true"
    log_file = None

    @property
    def title(self) -> str:
        """The first line of the output."""
        return f"{self.name}, profile {self.profile}: starting Azurite, a tenant and the Functions host"

    @property
    def seed(self) -> Mapping[str, Any]:
        """A tenant without people, which is replaced once the list is read."""
        return tenant_of(())

    @property
    def settings(self) -> Mapping[str, str]:
        """The profile, and those of the caller's settings that decide what a list may contain."""
        own = {name: os.environ[name] for name in OWN_SETTINGS if name in os.environ}
        return {PROFILE: self.profile, "B2B_COMPARE_ACCESS": "true", **own}

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Run the campaign.

        No member is approved or refused here, because only people who know the list can do that.
        """
        acts = Campaigning(Campaign(rig.api, CAMPAIGN), progress, rig.must_live)
        taken = self._take_in(rig, acts, progress)
        played = self._play(rig, progress, acts, taken)
        evidence = gathered(rig, acts.campaign, played)
        return Ended(
            table=tuple(table(evidence.members)),
            checks=tuple(examine(evidence) for examine in CHECKS),
            well=f"{len(taken.members)} people of {self.name} rehearsed (profile {self.profile})",
        )

    def _play(self, rig: HostedRig, progress: Progress, acts: Campaigning, taken: ListTaken) -> Played:
        seconds = max(LEAST_SECONDS, len(taken.members) * SECONDS_FOR_ONE)
        people = tuple(people_of(acts.campaign.names(), taken.columns))
        rig.tenant.control.reset(tenant_of(people))
        progress.say(f"{len(people)} accounts made from the list, with harmless values for what the list cannot tell")
        if invented := sum(not person.names_address for person in people):
            progress.note(f"rows that name no address: {invented}; their accounts got one in {NO_ADDRESS}")
        until_healthy(rig, progress)
        before = {str(user["id"]): user for user in rig.tenant.control.users()}
        acts.judge(seconds)
        if self.judge_only:
            return Played(len(taken.members), before, frozenset(), released=False)
        acts.release("a rehearsal", seconds)
        acts.until_at_rest(seconds)
        invited = [str(member["userId"]) for member in acts.campaign.members(stage="invited")]
        redeeming = [user_id for number, user_id in enumerate(invited, start=1) if number % ONE_WAITS_IN]
        redeemed = let_redeem(rig, dict.fromkeys(redeeming, ENTRA))
        progress.say(f"people who redeemed: {len(redeemed)} of {len(invited)} who were invited")
        self._sweep(rig, progress, acts.campaign, len(redeemed))
        return Played(len(taken.members), before, redeemed)

    def _sweep(self, rig: HostedRig, progress: Progress, campaign: Campaign, redeemed: int) -> None:
        """Run the sweep, a quarter of an hour later each time, until everybody who redeemed is compared and completed.

        Each run has a budget, and the next continues where it stopped. Three runs without progress end it.
        """
        before, idle = Counter[str](), 0
        while sweep(rig, progress):
            seen = Counter(str(member["stage"]) for member in campaign.members())
            completed = seen["completed"]
            progress.say(f"the sweep ran: {seen['accepted'] + completed} of {redeemed} redeemed, {completed} completed")
            idle = idle + 1 if seen == before else 0
            if completed >= redeemed or idle == MOST_IDLE:
                return
            before = seen
            rig.advance(WHILE.total_seconds())
        progress.late.append("the sweep failed")

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Yield how to continue by hand."""
        yield from addresses(rig)
        yield ""
        yield from campaign_commands(rig, CAMPAIGN)
        yield ""
        yield from how_to_stop()

    def _take_in(self, rig: HostedRig, acts: Campaigning, progress: Progress) -> ListTaken:
        """Let the app read the list, then send it again to keep the columns that name people. Say what each means."""
        reading = Campaign(rig.api, READING)
        reading.create("Reading", "Which columns the list has")
        try:
            read = reading.send(self.raw, charset=self.charset, address=self.address)
        except RefusedError as error:
            hint = f" (here: {HOW_TO_TELL_CHARSET})" if "charset=" in str(error) else ""
            raise RefusedError(f"{error}{hint}") from None
        for line in columns_told(read):
            progress.note(line)
        acts.campaign.create("My list", "A rehearsal")
        kept = [header for column, header in read.columns.items() if column in FIELDS]
        return acts.take_in(self.raw, kept, self.charset, self.address)


def columns_told(read: ListTaken) -> Iterator[str]:
    """Yield how the app understands the columns, with a warning if none of them names an address."""
    yield "columns: " + ", ".join(f"{header} is {column}" for column, header in read.columns.items())
    if read.unread:
        yield f"columns that the app does not read: {', '.join(read.unread)}"
    if read.unread and not read.columns.keys() & ADDRESSES:
        yield f"NO COLUMN NAMES THE PEOPLE'S ADDRESSES. If one of these does, start again with {HOW_TO_TELL_ADDRESS}"


def people_of(names: str, columns: Mapping[str, str]) -> Iterator[Person]:
    """Read people from the app's CSV of members, in which the kept columns of the list follow the app's own."""
    rows = csv.reader(io.StringIO(names.removeprefix("\ufeff"), newline=""))
    headers = [_bare(header) for header in next(rows)]
    for row in rows:
        cells = dict(zip(headers, map(_bare, row), strict=True))  # of equal headers the last counts, a kept one
        # A column that the call named is not among the kept ones; the app shows its value as the address.
        own = {column: cells.get(header, cells.get("address", "")) for column, header in columns.items()}
        yield Person(**{name: own[column] for column, name in FIELDS.items() if column in own})


def _bare(cell: str) -> str:
    """Return a cell as it is in the list, without the apostrophe that the app puts before a formula."""
    rest = cell.removeprefix("'")
    return rest if rest != cell and rest.lstrip("' ").startswith(RUN_BY_SPREADSHEETS) else cell
