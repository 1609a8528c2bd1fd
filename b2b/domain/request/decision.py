"""Who decides about a request, and why: as it is kept."""

from dataclasses import dataclass

from b2b.domain.actors import Actor


@dataclass(frozen=True)
class Decision:
    """Who decides, and why."""

    actor: Actor
    reason: str = ""

    @property
    def by(self) -> str:
        """Who decides, in words."""
        return str(self.actor)

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}".removesuffix(": ")
