"""The story of a large campaign: its tenant, its acts, what must be true at its end."""

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
    """A campaign of one size."""

    plan: Plan
    measure = "what must be true"
    log_file = None

    @property
    def title(self) -> str:
        """What is said first."""
        return f"seed {self.plan.seed}: starting Azurite, a tenant of {self.plan.members} accounts and the host"

    @property
    def seed(self) -> Mapping[str, Any]:
        """The accounts."""
        return Population(self.plan.members, self.plan.seed).tenant()

    @property
    def settings(self) -> Mapping[str, str]:
        """Those of every run: the pace is the app's own."""
        return {}

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Carry it out with the tenant's limits on, and judge."""
        rig.tenant.control.set_throttling(factor=self.plan.throttling)
        played = Acts(self.plan, rig, progress).perform()
        evidence = gathered(rig, self.plan, played)
        return Ended(
            table=tuple(figures(evidence)),
            checks=tuple(examine(evidence) for examine in CHECKS),
            well=f"all {len(CHECKS)} conditions hold (seed {self.plan.seed})",
        )

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Where everything listens."""
        return addresses(rig)
