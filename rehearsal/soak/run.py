"""Run a soak from start to end and return its exit code."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import httpx
from azure.core.exceptions import AzureError

from rehearsal.host.process import HostError
from rehearsal.rig import APP
from rehearsal.run.interrupts import Interrupts
from rehearsal.run.progress import Progress
from rehearsal.soak.checks import CHECKS
from rehearsal.soak.evidence import gathered
from rehearsal.soak.figures import checked, figures
from rehearsal.soak.plan import Plan
from rehearsal.soak.population import Population
from rehearsal.soak.stack import FleetRig, opened
from rehearsal.soak.workload import Done, Workload
from rehearsal.storage import StorageError

LOGS = APP / ".rehearsal" / "soak"
"""The directory with the logs of the last soak's hosts."""
PASSED, FAILED, INTERRUPTED = 0, 1, 130
BROKEN = (AzureError, HostError, OSError, StorageError, TimeoutError, httpx.HTTPError)
"""The errors that a host, storage or the tenant causes if it does not start or ends too early."""


def soak(plan: Plan, *, out: TextIO = sys.stdout, logs: Path = LOGS) -> int:
    """Run a soak. Return 0 if every check passed, 130 if interrupted before the checks, else 1.

    An interruption stops everything that was started.
    """
    with Interrupts() as interrupts:
        run = _Run(plan, out, logs, interrupts)
        run.progress.say(f"seed {plan.seed}: starting Azurite, a tenant of {plan.requests} accounts and two hosts")
        try:
            with opened(plan, run.population, logs, interrupts) as rig:
                run.perform(rig)
        except KeyboardInterrupt:
            run.progress.say("interrupted while starting")
        except BROKEN as error:
            run.broke(error)
        run.progress.say("everything is stopped")
        return run.code


@dataclass(slots=True)
class _Run:
    plan: Plan
    out: TextIO
    logs: Path
    interrupts: Interrupts
    code: int = INTERRUPTED
    population: Population = field(init=False)
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.population = Population(self.plan.requests, self.plan.seed)
        self.progress = Progress(self.out)

    def perform(self, rig: FleetRig) -> None:
        """Do the work and check it.

        Errors are reported here and not raised, so that the rig stops without a traceback.
        """
        try:
            done = Workload(self.plan, self.population, rig, self.progress, self.interrupts).perform()
            with self.interrupts.allowed():
                self._judge(rig, done)
        except KeyboardInterrupt:
            self.progress.say("interrupted: stopping everything")
            rig.fleet.kill_all()
        except BROKEN as error:
            self.broke(error)

    def broke(self, error: object) -> None:
        """Report what broke the soak. If it was interrupted, report that, because Ctrl+C also ends the processes it
        uses.
        """
        if self.interrupts.pending:
            self.progress.say("interrupted")
            return
        self.code = FAILED
        self.progress.say(f"the soak broke: {error}")

    def _judge(self, rig: FleetRig, done: Done) -> None:
        if done.late:
            rig.fleet.kill_all()  # so that nothing changes while it is checked
        self.progress.say("reading ledger, directory, outbox and logs")
        evidence = gathered(rig, self.plan, self.population, done)
        checks = {examine.__name__.replace("_", " "): examine(evidence) for examine in CHECKS}
        failed = [name for name, check in checks.items() if check.problems]
        self._print("", *figures(evidence, self.plan), "", *checked(checks), "")
        if failed:
            self._print(f"The hosts' logs: {self.logs}")
        self.code = FAILED if failed else PASSED
        verdict = f"FAILED: {', '.join(failed)}" if failed else f"all {len(checks)} conditions hold"
        self.progress.say(f"{verdict} (seed {self.plan.seed})")

    def _print(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self.out, flush=True)
