"""A person's decision about a request: who decides, and why."""

from dataclasses import dataclass

from b2b.domain.actors import Actor


@dataclass(frozen=True)
class Decision:
    """Who decides, and why."""

    actor: Actor
    reason: str = ""

    @property
    def by(self) -> str:
        """The name of the person who decides; without a name, the kind and id of the actor."""
        return str(self.actor)

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}".removesuffix(": ")
