"""The story of the user's own list: make accounts from it, and run a campaign with it from list to redemption.

The app itself reads the list, because another parser would read some lists differently. The list is sent twice. The
first answer tells which columns the app understood. The second time the app keeps these columns and shows them with the
members, and the accounts are made from those. Nothing of the list is written to a file: storage, tenant and answers are
in memory, and the host's log is not kept.
"""

import csv
import io
import os
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
        return {PROFILE: self.profile, **{name: os.environ[name] for name in OWN_SETTINGS if name in os.environ}}

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Run the campaign.

        No member is approved or refused here, because only people who know the list can do that.
        """
        acts = Campaigning(Campaign(rig.api, CAMPAIGN), progress, rig.must_live)
        taken = self._take_in(rig, acts)
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
        acts.release("a rehearsal", seconds)
        acts.until_at_rest(seconds)
        invited = [str(member["userId"]) for member in acts.campaign.members(stage="invited")]
        redeeming = [user_id for number, user_id in enumerate(invited, start=1) if number % ONE_WAITS_IN]
        redeemed = let_redeem(rig, dict.fromkeys(redeeming, ENTRA))
        progress.say(f"people who redeemed: {len(redeemed)} of {len(invited)} who were invited")
        self._sweep(rig, progress, acts.campaign, len(redeemed))
        return Played(len(taken.members), before, redeemed)

    def _sweep(self, rig: HostedRig, progress: Progress, campaign: Campaign, redeemed: int) -> None:
        """Run the sweep until it has seen every redemption. Each run has a budget, and the next continues where it
        stopped.
        """
        before = -1
        while sweep(rig, progress):
            seen = sum(1 for _ in campaign.members(stage="completed"))
            progress.say(f"the sweep ran: {seen} of {redeemed} redemptions seen")
            if seen >= redeemed or seen == before:
                return
            before = seen
        progress.late.append("the sweep failed")

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Yield how to continue by hand."""
        yield from addresses(rig)
        yield ""
        yield from campaign_commands(rig, CAMPAIGN)
        yield ""
        yield from how_to_stop()

    def _take_in(self, rig: HostedRig, acts: Campaigning) -> ListTaken:
        """Let the app read the list, then send it again to keep the columns that name people."""
        reading = Campaign(rig.api, READING)
        reading.create("Reading", "Which columns the list has")
        try:
            columns = reading.send(self.raw, charset=self.charset).columns
        except RefusedError as error:
            hint = f" (here: {HOW_TO_TELL_CHARSET})" if "charset=" in str(error) else ""
            raise RefusedError(f"{error}{hint}") from None
        acts.campaign.create("My list", "A rehearsal")
        return acts.take_in(self.raw, [header for column, header in columns.items() if column in FIELDS], self.charset)


def people_of(names: str, columns: Mapping[str, str]) -> Iterator[Person]:
    """Read people from the app's CSV of members, in which the kept columns of the list follow the app's own."""
    rows = csv.reader(io.StringIO(names.removeprefix("\ufeff"), newline=""))
    headers = [_bare(header) for header in next(rows)]
    for row in rows:
        cells = dict(zip(headers, map(_bare, row), strict=True))  # of equal headers the last counts, a kept one
        yield Person(**{name: cells[columns[column]] for column, name in FIELDS.items() if column in columns})


def _bare(cell: str) -> str:
    """Return a cell as it is in the list, without the apostrophe that the app puts before what a spreadsheet runs."""
    rest = cell.removeprefix("'")
    return rest if rest != cell and rest.lstrip("' ").startswith(RUN_BY_SPREADSHEETS) else cell
