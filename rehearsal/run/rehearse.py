"""Run a rehearsal from start to end and return its exit code."""

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import httpx
from azure.core.exceptions import AzureError

from rehearsal.host.process import HostError
from rehearsal.rig import APP, HostedRig
from rehearsal.run.campaign import RefusedError
from rehearsal.run.checks import came_compiled
from rehearsal.run.following import NotHealthyError
from rehearsal.run.interrupts import Interrupts
from rehearsal.run.packaged import Packaged, PackageUnusableError, unpacked
from rehearsal.run.progress import Progress
from rehearsal.run.report import checked, differences
from rehearsal.run.sample_story import SampleStory
from rehearsal.run.stack import Ports, friendly_ports, opened
from rehearsal.run.story import Story
from rehearsal.sample import Profile, Sample, load
from rehearsal.storage import StorageError
from rehearsal.tenant.beliefs import unusual

LOG_FILE = APP / ".rehearsal" / "host.log"
"""The file with the host's log of the last run."""
AS_SAID, DIFFERENT, INTERRUPTED = 0, 1, 130
BROKEN = (
    AzureError, HostError, NotHealthyError, OSError, PackageUnusableError, RefusedError, StorageError, TimeoutError,
    httpx.HTTPError,
)  # fmt: skip
"""The errors that a host, storage or the tenant causes if it does not start or ends too early."""
_WATCH_SECONDS = 0.5


def rehearse(
    profile: Profile,
    *,
    sample: Sample | None = None,
    positions: Mapping[str, str] | None = None,
    keep: bool = False,
    out: TextIO = sys.stdout,
    log_file: Path = LOG_FILE,
    package: Path | None = None,
) -> int:
    """Play the sample under one profile. Return 0 if everything ended as the sample says, otherwise 1.

    `positions` are positions of the tenant's switches. The sample's expectations hold for the defaults.
    """
    story = SampleStory(sample or load(), profile, log_file)
    return perform(story, positions=positions, keep=keep, out=out, package=package)


def perform(
    story: Story,
    *,
    positions: Mapping[str, str] | None = None,
    keep: bool = False,
    out: TextIO = sys.stdout,
    package: Path | None = None,
) -> int:
    """Play a story. Return 0 if every check passed, 130 if interrupted before the checks, otherwise 1.

    With `keep` everything stays up afterwards until an interruption, on the usual ports if they are free. An
    interruption stops everything that was started. With `package` the app in that zip runs, in an interpreter that has
    only the Functions runtime library.
    """
    with Interrupts() as interrupts:
        run = _Run(story, out, interrupts)
        run.progress.say(story.title)
        tell_positions(run.progress, positions or {})
        try:
            with unpacked(package) if package else nullcontext() as packaged:
                ports = friendly_ports() if keep else Ports()
                with opened(story.seed, story.settings, ports, interrupts, packaged, positions=positions) as rig:
                    run.perform(rig, packaged, keep=keep)
        except KeyboardInterrupt:
            run.progress.say("interrupted while starting")
        except BROKEN as error:
            run.broke(error)
        run.progress.say("everything is stopped")
        return run.code


def tell_positions(progress: Progress, positions: Mapping[str, str]) -> None:
    """Print the switch positions that the sample does not assume, because they can explain differences."""
    differing = unusual(positions)
    for name, position in differing.items():
        progress.say(f"the tenant as it was seen: {name} is {position}")
    if positions and not differing:
        progress.say(f"the tenant as it was seen: all {len(positions)} positions are the usual ones")


@dataclass(slots=True)
class _Run:
    story: Story
    out: TextIO
    interrupts: Interrupts
    code: int = INTERRUPTED
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(self.out)

    def perform(self, rig: HostedRig, packaged: Packaged | None, *, keep: bool) -> None:
        """Play the story and check it. Errors are reported here and not raised, so that the rig stops without a
        traceback.
        """
        try:
            with self.interrupts.allowed():
                self._judge(rig, packaged)
                if keep:
                    self._stay(rig)
        except KeyboardInterrupt:
            self.progress.say("interrupted: stopping everything")
            # In a terminal Ctrl+C also ends the storage, and the host would retry its calls there to the last.
            rig.host.kill()
        except BROKEN as error:
            self.broke(error if rig.host.running() else "the Functions host ended by itself")
            if self.story.log_file:
                self.print(f"The host's log: {self.story.log_file}")
        finally:
            self._save_log(rig)

    def broke(self, error: object) -> None:
        """Report what broke the run. If it was interrupted, report that, because Ctrl+C also ends the processes it
        uses.
        """
        if self.interrupts.pending:
            self.progress.say("interrupted while starting")
            return
        self.code = DIFFERENT
        self.progress.say(f"the app refused: {error}" if isinstance(error, RefusedError) else f"the run broke: {error}")

    def print(self, *lines: str) -> None:
        """Print lines without the elapsed time."""
        for line in lines:
            print(line, file=self.out, flush=True)

    def _judge(self, rig: HostedRig, packaged: Packaged | None) -> None:
        ended = self.story.perform(rig, self.progress)
        checks = [*ended.checks, *([came_compiled(packaged)] if packaged else ())]
        problems = [*self.progress.late, *(problem for check in checks for problem in check.problems)]
        self.print("", *ended.table, "", *checked(checks), "")
        if problems:
            self.print(*differences(problems, self.story.measure, self.story.log_file))
        self.code = DIFFERENT if problems else AS_SAID
        self.progress.say(f"differences from {self.story.measure}: {len(problems)}" if problems else ended.well)

    def _stay(self, rig: HostedRig) -> None:
        self.print("", *self.story.instructions(rig))
        while True:
            rig.must_live()
            time.sleep(_WATCH_SECONDS)

    def _save_log(self, rig: HostedRig) -> None:
        if self.story.log_file:
            self.story.log_file.parent.mkdir(parents=True, exist_ok=True)
            self.story.log_file.write_text(rig.host.log(), encoding="utf-8")
