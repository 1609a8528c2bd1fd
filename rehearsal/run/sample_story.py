"""The story of the sample: each of its requests must end as the sample says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.rig import HostedRig
from rehearsal.run.by_hand import instructions
from rehearsal.run.checks import CHECKS
from rehearsal.run.evidence import gathered
from rehearsal.run.membership import MEMBERSHIP
from rehearsal.run.play import Play
from rehearsal.run.progress import Progress
from rehearsal.run.report import outcome
from rehearsal.run.safety import SAFETY
from rehearsal.run.stack import PROFILE, with_newcomer
from rehearsal.run.story import Ended
from rehearsal.sample import Profile, Sample


@dataclass(frozen=True, slots=True)
class SampleStory:
    """The story of the sample under one profile."""

    sample: Sample
    profile: Profile
    log_file: Path | None
    measure = "the sample"

    @property
    def title(self) -> str:
        """The first line of the output."""
        return f"profile {self.profile}: starting Azurite, the sample tenant and the Functions host"

    @property
    def seed(self) -> Mapping[str, Any]:
        """The sample's tenant, with one more person for the calls that are made by hand."""
        return with_newcomer(self.sample)

    @property
    def settings(self) -> Mapping[str, str]:
        """The sample's settings and the profile.

        The comparison after a redemption is on, because this story moves the clock ahead.
        """
        return {**self.sample.settings, PROFILE: self.profile, "B2B_COMPARE_ACCESS": "true"}

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Play the sample and check it."""
        played = Play(rig, self.sample, self.profile, progress).perform()
        progress.say("reading campaign, ledger, directory, outbox and log")
        evidence = gathered(rig, self.sample, self.profile, played)
        asked = len(self.sample.accounts) + len(self.sample.malformed)
        return Ended(
            table=tuple(outcome(evidence)),
            checks=tuple(examine(evidence) for examine in (*MEMBERSHIP, *CHECKS, *SAFETY)),
            well=f"all {asked} rows and requests ended as the sample says (profile {self.profile})",
        )

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Yield how to continue by hand."""
        return instructions(rig, self.sample, self.profile)
