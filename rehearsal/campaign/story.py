"""The story of a large campaign: its tenant, its acts, and the checks at its end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.campaign.acts import Acts
from rehearsal.campaign.judgement import CHECKS, figures, gathered
from rehearsal.campaign.plan import Plan
from rehearsal.rig import HostedRig
from rehearsal.run.by_hand import addresses
from rehearsal.run.progress import Progress
from rehearsal.run.story import Ended
from rehearsal.soak.population import Population


@dataclass(frozen=True, slots=True)
class LargeStory:
    """The story of a campaign whose size is in `plan`."""

    plan: Plan
    measure = "what must be true"
    log_file = None

    @property
    def title(self) -> str:
        """The first line of the output."""
        return f"seed {self.plan.seed}: starting Azurite, a tenant of {self.plan.members} accounts and the host"

    @property
    def seed(self) -> Mapping[str, Any]:
        """The tenant's content: the generated accounts."""
        return Population(self.plan.members, self.plan.seed).tenant()

    @property
    def settings(self) -> Mapping[str, str]:
        """No settings beyond those of every rehearsal, so the app keeps its default pace."""
        return {}

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Run the campaign under the tenant's limits, then check it."""
        rig.tenant.control.set_throttling(factor=self.plan.throttling)
        played = Acts(self.plan, rig, progress).perform()
        evidence = gathered(rig, self.plan, played)
        return Ended(
            table=tuple(figures(evidence)),
            checks=tuple(examine(evidence) for examine in CHECKS),
            well=f"all {len(CHECKS)} conditions hold (seed {self.plan.seed})",
        )

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Yield the addresses of the app, the tenant and storage."""
        return addresses(rig)
