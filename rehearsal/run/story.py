"""What a run rehearses: the tenant that it needs, what happens there, and what must be true at its end."""

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
    """What is said if every check holds."""


class Story(Protocol):
    """One story."""

    @property
    def title(self) -> str:
        """What is said first."""

    @property
    def measure(self) -> str:
        """Where differences are from."""

    @property
    def seed(self) -> Mapping[str, Any]:
        """The tenant."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The app's settings, beside those of every run."""

    @property
    def log_file(self) -> Path | None:
        """Where the host's log is kept; None: nowhere."""

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Play it.

        Raises:
            NotHealthyError: it cannot begin.
            RefusedError: the app refuses what the story needs.
            HostError: the host ends before the story does.

        """

    def instructions(self, rig: HostedRig) -> Iterator[str]:
        """Say how to go on by hand."""
