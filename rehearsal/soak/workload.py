"""Drive a soak: send requests, kill hosts, run the sweep, and let some people redeem."""

import random
import time
from dataclasses import dataclass

import httpx

from rehearsal.host.process import HostProcess, wait_until
from rehearsal.run.interrupts import Interrupts
from rehearsal.run.progress import Progress
from rehearsal.soak.plan import Plan
from rehearsal.soak.population import Population
from rehearsal.soak.stack import FleetRig
from rehearsal.soak.upstream import Upstream

WORKED, FOLLOWED = 0.85, 0.95
"""Shares of the time. After the first no message may be left; after the second the app must have seen all who redeemed.
The checks have the rest and need some 25 seconds. A claim whose host was killed is settled up to 230 seconds later:
after its lease of 90 seconds, the window of 72, and 60 between the two reads that confirm each other. A machine with a
busy core sends the last request after some 200 seconds."""
SWEEP = "sweep"
_TICK = 0.5
_TOLD_EVERY = 3.0


@dataclass(slots=True)
class Done:
    """What was done in a soak."""

    sent: int = 0
    """How many of the population's requests were sent, from the first on."""
    repeated: int = 0
    """The number of HTTP calls that had to be repeated because their host was killed."""
    seconds: float = 0.0
    """Seconds from the first request until no message was left."""
    sweeps: int = 0
    redeemed: frozenset[str] = frozenset()
    """Object ids of the people who redeemed."""
    late: tuple[str, ...] = ()
    """One sentence for each thing that was not done in time."""


class Workload:
    """The work of one soak. If something is not done in time, it notes that and continues; the checks then name what is
    missing.
    """

    def __init__(
        self, plan: Plan, population: Population, rig: FleetRig, progress: Progress, interrupts: Interrupts
    ) -> None:
        self._plan, self._population, self._rig = plan, population, rig
        self._progress, self._interrupts = progress, interrupts
        self._done, self._granted = Done(), plan.granted(0.0)
        self._upstream = Upstream(
            population.requests,
            put=rig.send,
            addresses=lambda: rig.fleet.addresses,
            key=rig.fleet.function_key,
            stored=rig.waiting,
            rate=plan.rate,
            most_stored=plan.stored,
        )

    def perform(self) -> Done:
        """Do all the work. Raises `HostError` if a host exits by itself or does not start."""
        began = time.monotonic()
        self._upstream.start()
        try:
            self._work()
        finally:
            self._upstream.stop()
        self._done.seconds = time.monotonic() - began
        self._done.sent, self._done.repeated = self._upstream.sent, self._upstream.repeated
        self._redeem()
        self._follow()
        return self._done

    def _work(self) -> None:
        """Wait until all requests are sent and no message is left. Kill hosts as long as requests are being sent."""
        kill, sweep, tell = (_Every(each) for each in (self._plan.kill_every, self._plan.sweep_every, _TOLD_EVERY))
        while not (self._upstream.done and self._rig.at_rest()):
            self._rig.fleet.must_live()
            if self._upstream.failure is not None:
                raise self._upstream.failure
            if self._left(WORKED) <= 0:
                self._late("no message left", WORKED)
                return
            if not self._upstream.done and kill.due():
                self._rig.fleet.replace(self._rig.fleet.oldest)
                kill.begin()  # on a busy machine a host may take longer to start than the interval between kills
            if sweep.due():
                self._start_sweep()
            if tell.due():
                self._tell()
            self._grant()
            with self._interrupts.allowed():
                time.sleep(_TICK)
        self._progress.say(f"all {self._upstream.sent} requests sent, no message left; kills: {self._rig.fleet.kills}")

    def _redeem(self) -> None:
        """Let some of the people redeem who must have been invited by now."""
        chance = random.Random(self._plan.seed)  # noqa: S311 - chooses people, protects nothing
        ready = sorted(self._population.ready)
        people = chance.sample(ready, int(len(ready) * self._plan.redeeming))
        self._done.redeemed = frozenset(filter(self._redeems, people))
        self._progress.say(f"people who redeemed: {len(self._done.redeemed)} of {len(people)}")

    def _redeems(self, user_id: str) -> bool:
        try:
            self._rig.tenant.control.redeem(user_id)
        except httpx.HTTPStatusError:
            return False  # nothing to redeem; the checks report that this account was not invited
        return True

    def _follow(self) -> None:
        """Kill a host during a sweep, then sweep until the app has seen all who redeemed."""
        try:
            self._kill_while_sweeping()
            while (seen := self._seen()) < len(self._done.redeemed):
                self._progress.now(f"sweep {self._done.sweeps}: {seen} of {len(self._done.redeemed)} redemptions seen")
                self._done.sweeps += 1
                with self._interrupts.allowed():
                    self._rig.fleet.oldest.run_function(SWEEP, seconds=self._left(FOLLOWED))
        except TimeoutError:
            self._late("all redemptions seen", FOLLOWED)
        else:
            self._progress.say(f"sweeps: {self._done.sweeps}; all {seen} redemptions seen")

    def _kill_while_sweeping(self) -> None:
        host = self._rig.fleet.oldest
        ended = _ended_sweeps(host)
        self._start_sweep()
        with self._interrupts.allowed():
            wait_until(
                lambda: self._seen() or _ended_sweeps(host) > ended, self._left(FOLLOWED), "the begin of a sweep"
            )
        self._rig.fleet.replace(host)

    def _start_sweep(self) -> None:
        """Start a sweep as the timer would."""
        self._rig.fleet.oldest.start_function(SWEEP)
        self._done.sweeps += 1

    def _seen(self) -> int:
        rows = self._rig.query("conversions", "RowKey eq 'current' and stage eq 'completed'")
        return len(self._done.redeemed & {row["PartitionKey"] for row in rows})

    def _grant(self) -> None:
        granted = self._plan.granted(self._upstream.sent / len(self._population.requests))
        if granted != self._granted:
            self._granted = granted
            self._rig.tenant.control.set_throttling(factor=granted)

    def _tell(self) -> None:
        sent, total = self._upstream.sent, len(self._population.requests)
        self._progress.now(
            f"sent {sent} of {total}, stored {self._rig.waiting()}, kills {self._rig.fleet.kills},"
            f" invited {len(self._rig.tenant.control.mails())} of {len(self._population.ready)}"
        )

    def _left(self, share: float) -> float:
        return self._plan.seconds * share - self._progress.elapsed

    def _late(self, what: str, share: float) -> None:
        said = f"{what}: not within {self._plan.seconds * share:.0f} s"
        self._done.late += (said,)
        self._progress.say(said)


def _ended_sweeps(host: HostProcess) -> int:
    counts = host.invocations()[SWEEP]
    return counts.succeeded + counts.failed


class _Every:
    """A timer that is due once every `seconds` seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start the interval again from now."""
        self._next = time.monotonic() + self._seconds

    def due(self) -> bool:
        """Tell whether the interval has passed; if so, start the next one."""
        if time.monotonic() < self._next:
            return False
        self.begin()
        return True
