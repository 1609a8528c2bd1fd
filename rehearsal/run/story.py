"""What a rehearsal plays: the tenant it needs, what happens there, and the checks at its end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rehearsal.rig import HostedRig
from rehearsal.run.checks import Check
from rehearsal.run.progress import Progress


@dataclass(frozen=True, slots=True)
class Ended:
    """How a story ended."""

    table: tuple[str, ...]
    checks: tuple[Check, ...]
    well: str
    """The last line of the output if every check passed."""


class Story(Protocol):
    """A story that a rehearsal can play."""

    @property
    def title(self) -> str:
        """The first line of the output."""

    @property
    def measure(self) -> str:
        """What the result is compared with, as printed in front of differences."""

    @property
    def seed(self) -> Mapping[str, Any]:
        """The seed of the tenant."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The app's settings, in addition to those of every rehearsal."""

    @property
    def log_file(self) -> Path | None:
        """The file for the host's log; None: it is not kept."""

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Play the story and check the result.

        Raises:
            NotHealthyError: the app is not healthy at the start.
            RefusedError: the app refuses a call that the story needs.
            HostError: the host exits by itself.

        """

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Yield how to continue by hand."""
