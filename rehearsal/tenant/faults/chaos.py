"""Random faults in a bounded share of the calls. With one seed the same calls fail, in whatever order they arrive."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rehearsal.tenant.faults.script import KINDS, Aim, Fault, kind_of
from rehearsal.tenant.faults.seeded import fraction, pick
from rehearsal.tenant.protocol.messages import Request

DEFAULT_KINDS = tuple(name for name in KINDS if name != "slow")
"""All kinds but `slow`, which costs time and tests nothing else."""


class Chaos:
    """Random faults; off while `share` is 0."""

    def __init__(self) -> None:
        self.seed: int = 0
        self.share = 0.0
        self.kinds: Sequence[str] = DEFAULT_KINDS
        self.aim = Aim()
        self._start_over()

    def set(self, given: Mapping[str, Any]) -> None:
        """Replace the settings (`seed`, `share`, `kinds`, and an aim as in the script) and start counting again."""
        unknown = given.keys() - {"seed", "share", "kinds", "method", "path", "where"}
        if unknown:
            raise ValueError(f"chaos has no {', '.join(sorted(unknown))}")
        share = float(given.get("share", 0.0))
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share is between 0 and 1, got {share}")
        kinds = tuple(kind_of(name).name for name in given.get("kinds") or DEFAULT_KINDS)
        self.aim = Aim(given.get("method"), given.get("path", ""), given.get("where", "any"))
        self.seed, self.share, self.kinds = int(given.get("seed", self.seed)), share, kinds
        self._start_over()

    def reseed(self, seed: int) -> None:
        """Take another seed and start counting again."""
        self.seed = seed
        self._start_over()

    def as_json(self) -> dict[str, Any]:
        """Return the settings, the number of calls looked at, and how often each kind of fault occurred."""
        thrown = dict(sorted(self._thrown.items()))
        settings = {"seed": self.seed, "share": self.share, "kinds": list(self.kinds), **asdict(self.aim)}
        return {**settings, "calls": self._calls.total(), "thrown": thrown}

    def due(self, request: Request) -> Fault | None:
        """Return the fault for this call, or None.

        It depends on what is called and how often before, not on the order.
        """
        if not self.share or not self.aim.hits(request):
            return None
        what = (request.method, request.address)
        self._calls[what] += 1
        chance = (self.seed, *what, self._calls[what])
        bound = max(1.0, self.share * self._calls.total())
        if fraction("chaos", *chance) >= self.share or self._thrown.total() + 1 > bound:
            return None
        fitting = [KINDS[name] for name in self.kinds if KINDS[name].fits(request)]
        if not fitting:
            return None
        kind = pick(fitting, "kind", *chance)
        self._thrown[kind.name] += 1
        return Fault(kind, pick(kind.whens, "when", *chance), kind.seconds, by="chaos")

    def _start_over(self) -> None:
        self._calls: Counter[tuple[str, str]] = Counter()
        self._thrown: Counter[str] = Counter()
