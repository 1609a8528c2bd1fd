"""Plays a history: chooses the next activity, carries out its calls, and applies the faults.

The schedule sets the order of calls: by seed, one activity after the other, or with preemptions at given calls.
"""

from dataclasses import replace
from random import Random
from typing import Any

from tests.simulation import actions
from tests.simulation.app import POISON, WORK, rows_of
from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.outcomes import ANSWERING, QUIET, Failed, answer, carry_out, fails_late, shown
from tests.simulation.schedule import Schedule
from tests.simulation.world import AT_ONCE, Activity, Instance, Pending, Sent, World

SWEEP_EVERY = 600.0


LONGEST_REST = 48 * 3600.0
"""How long after the last step everything must have come to rest, in seconds."""


RETRYING = 9.0
"""How long the SDK retries before it reports that a service cannot be reached, in seconds."""


ALWAYS_NEW = frozenset({"sweep~", "schedule~", "comparisons~", "cursor~"})
"""Partitions that every sweep changes, even if nothing has happened."""


LATEST_LOOK = 6.5 * 3600.0
"""The longest time until the app looks at an account that is in its schedule, in seconds."""


LATEST_REPAIR = 4200.0
"""The longest time until the app sends a new message for a request whose message was lost, in seconds: the longest wait
that ends by itself (20 minutes), the half hour for which repair waits for a message, and two sweeps.
"""


CALM = 3
"""After so many sweeps in a row without a change the world counts as at rest."""


SECONDS = {"tables": 0.01, "queue": 0.01, "graph": 0.15, "host": 0.0, "identity": 0.01}
"""How long a call to each service takes, in seconds."""


LONGEST_EFFECT = 30.0
"""The longest time until a call that was sent takes effect, if it takes effect at all; in seconds."""


class Runner:
    """Plays one history."""

    def __init__(self, history: History, schedule: Schedule | None = None, *, traced: bool = False) -> None:
        self.history = history
        self.world = World(history)
        self.schedule = schedule or Schedule(history.schedule)
        self.left = list(history.steps)
        self.base = 0.0
        self.taken = 0
        self.counts = [0] * len(history.faults)
        self.hit: list[str] = []
        """The outcomes of the faults that were applied."""
        self._heard: dict[Activity, int] = {}
        """For each activity the invitations (indexes in `World.sent`) whose answer it has got but not stored."""
        self.next_sweep = SWEEP_EVERY
        self.rested = False
        self._calm = 0
        self._print: object = None
        if traced:
            self.world.trace = []
        if history.lag is not None:
            lags = Random(history.lag)  # noqa: S311
            self.world.directory.lag = lambda _subject, _kind: _lag(lags)

    def play(self) -> World:
        """Play the history until everything is at rest, or until the time for that is over."""
        world = self.world
        if self.history.known:
            self._show_what_the_tenant_shows()
        while not self._over():
            world.loop.drain()
            ready = [each for each in world.pending if self._ready(each)]
            beginnings = self._beginnings()
            if not ready and not beginnings:
                self.schedule.counting = False
                if not self._pass_time():
                    break
                continue
            chosen = self.schedule.next(ready, len(beginnings))
            if chosen is None:
                self._begin(beginnings)
            else:
                self._carry_out(chosen)
        world.loop.drain()
        return world

    def _show_what_the_tenant_shows(self) -> None:
        """Let the app invite an account before the history, to learn if the tenant shows pending invitations."""
        steps, self.left = self.left, [Step(0.0, "send", "", Ask("warm-up", "jack"))]
        faults, self.counts = self.counts, []
        lag, self.world.directory.lag = self.world.directory.lag, lambda _subject, _kind: 0.0
        while self.left or self.world.loop.now < SWEEP_EVERY or self.next_sweep <= SWEEP_EVERY or self._busy():
            self.world.loop.drain()
            ready = [each for each in self.world.pending if self._ready(each)]
            beginnings = self._beginnings()
            if ready:
                self._carry_out(ready[0])
            elif beginnings:
                self._begin(beginnings[:1])
            else:
                self._pass_time()
        self.left, self.counts, self.world.directory.lag = steps, faults, lag
        self.base, self.taken, self._calm = self.world.loop.now, 0, 0
        self.next_sweep = self.base + SWEEP_EVERY

    def _still(self) -> bool:
        """Tell whether nothing has changed during the last `CALM` sweeps."""
        return self._calm >= CALM

    def _busy(self) -> bool:
        return any(each.running for each in self.world.instances if each.alive)

    def _over(self) -> bool:
        if self.left or self._busy():
            return False
        last = self.history.steps[-1].at if self.history.steps else 0.0
        if self.world.loop.now - self.base > last + LONGEST_REST:
            return True
        scheduled = LATEST_LOOK if self.world.tables.rows("conversions", "schedule~") else 0.0
        repaired = LATEST_REPAIR if self.world.tables.rows("requests", "open~") else 0.0
        passed = self.world.loop.now - self.base > last + max(scheduled, repaired)
        self.rested = self._still() and passed and not self._comparing()
        return self.rested

    def _comparing(self) -> bool:
        """Tell whether a comparison of an account is still running. It ends with its deadline at the latest."""
        accounts = rows_of(self.world.tables, "conversions").values()
        return any(row.get("stage") == "accepted" for rows in accounts for row in rows if row["RowKey"] == "current")

    def _beginnings(self) -> list[Any]:
        """Return what could begin now: a step that is due, visible messages, the sweep."""
        world = self.world
        if self.left and self.base + self.left[0].at <= world.loop.now:
            return [self.left[0]]
        able = [each for each in world.instances if each.takes_work]
        found: list[Any] = []
        free = [each for each in able if len(each.running) < AT_ONCE]
        if free:
            found += [("deliver", message.id) for message in world.queues.visible(WORK)[:4]]
        if able and world.loop.now >= self.next_sweep:
            found.append(("sweep", ""))
        return found

    def _begin(self, beginnings: list[Any]) -> None:
        world, schedule = self.world, self.schedule
        number = int(schedule.random.random() * len(beginnings)) if schedule.seed is not None else 0
        chosen = beginnings[number]
        if isinstance(chosen, Step):
            self.left.pop(0)
            self.taken += 1
            self._calm = 0
            actions.take(world, chosen)
            schedule.counting = self.taken >= schedule.begin
            return
        kind, key = chosen
        able = [each for each in world.instances if each.takes_work]
        free = [each for each in able if len(each.running) < AT_ONCE]
        pool: list[Instance] = free if kind == "deliver" else able
        picked = (
            pool[int(schedule.random.random() * len(pool))]
            if schedule.seed is not None
            else min(pool, key=lambda each: len(each.running))
        )
        if kind == "deliver":
            world.say(f"> message {key} goes to {picked.name}")
            self._calm = 0
            world.deliver(key, picked)
        else:
            self.next_sweep = world.loop.now + self.history.every
            self._look_around()
            world.say(f"> sweep at {picked.name}")
            world.start("sweep", picked, picked.app.sweep())
        schedule.current = picked.running[-1] if picked.running else schedule.current

    def _look_around(self) -> None:
        """Before a sweep: count the sweeps in a row since which nothing has changed."""
        world = self.world
        waiting = [message.id for queue in (WORK, POISON) for message in world.queues.stored(queue)]
        now = world.tables.fingerprint(ALWAYS_NEW)
        whole = all(until <= world.loop.now for until in world.outages.values())
        self._calm = self._calm + 1 if now == self._print and not waiting and whole else 0
        self._print = now

    def _ready(self, pending: Pending) -> bool:
        instance = pending.activity.instance
        if instance.frozen or pending.not_before > self.world.loop.now:
            return False
        if pending.outcome is None:
            self._decide(pending)
            return not instance.frozen and pending.not_before <= self.world.loop.now
        return True

    def _decide(self, pending: Pending) -> None:
        """Decide the outcome of a call: the fault that names the call, if any."""
        world, service = self.world, pending.call.service
        pending.outcome = "ok"
        if world.loop.now < world.outages.get(service, 0.0):
            pending.outcome, pending.not_before = "unreachable", world.loop.now + RETRYING
        elif service in world.slow:
            pending.not_before = world.loop.now + world.slow[service]
        for number in range(len(self.counts)):
            fault = self.history.faults[number]
            if self.taken >= fault.after and fault.matches(pending.name, pending.subject):
                self.counts[number] += 1
                if self.counts[number] == fault.nth:
                    self._meet(pending, fault)

    def _meet(self, pending: Pending, fault: Fault) -> None:
        world, now = self.world, self.world.loop.now
        pending.outcome = fault.outcome
        self.hit.append(f"{pending.name}: {fault.outcome}")
        world.say(
            f"! {pending.activity.label}: {pending.name} {pending.subject}: {fault.outcome} {fault.seconds or ''}"
        )
        if fault.outcome == "freeze":
            world.freeze(pending.activity.instance, fault.seconds)
        elif fault.outcome == "hold":
            pending.not_before = now + fault.seconds
        elif fault.outcome == "late":
            pending.not_before = now + min(fault.seconds, LONGEST_EFFECT)
        elif fails_late(fault):
            pending.not_before = now + fault.seconds
        pending.slow = fault.seconds
        if fault.outcome in {"throttled", "throttled after"}:
            pending.outcome = f"{fault.outcome}:{fault.seconds or 20:g}"

    def _carry_out(self, pending: Pending) -> None:
        world = self.world
        world.pending.remove(pending)
        world.loop.move_to(world.loop.now + SECONDS[pending.call.service])
        outcome, _, detail = (pending.outcome or "ok").partition(":")
        posts, mails = len(world.directory.posts), len(world.directory.mails)
        done = carry_out(pending, outcome, detail)
        if world.trace is not None:
            told = "" if outcome in QUIET else f": {outcome}"
            what = f"{pending.name} {pending.subject}{told}{shown(done)}"
            world.say(f"  {pending.activity.label} at {pending.activity.instance.name}: {what}")
        if pending.name == "tables write" and not isinstance(done, Failed) and outcome != "kill before":
            self._note_record(pending)
        if len(world.directory.posts) > posts:
            self._note_invitation(pending, outcome, mailed=len(world.directory.mails) > mails)
        if outcome in {"kill before", "kill after"}:
            world.kill(pending.activity.instance)
            return
        if outcome == "slow":
            self._answer_later(pending, done)
            return
        answer(pending, done)

    def _answer_later(self, pending: Pending, done: Any) -> None:
        fault = next(
            each
            for each in self.history.faults
            if each.outcome == "slow" and each.matches(pending.name, pending.subject)
        )
        self.world.loop.call_later(fault.seconds, answer, pending, done)

    def _note_invitation(self, pending: Pending, outcome: str, *, mailed: bool) -> None:
        """Record an invitation that reached Graph, and the process that sent it."""
        world = self.world
        world.sent.append(
            Sent(
                at=world.loop.now,
                person=pending.subject,
                status=world.directory.posts[-1].status,
                mailed=world.directory.mails[-1].address.lower() if mailed else None,
                allowed=pending.activity.instance.app.sends,
                activity=pending.activity.label,
                instance=pending.activity.instance.name,
                began=pending.activity.began,
                for_another=outcome == "another",
                source=pending.activity,
            )
        )
        if outcome in ANSWERING:
            self._heard[pending.activity] = len(world.sent) - 1

    def _note_record(self, pending: Pending) -> None:
        """Record that the app stored Graph's answer. From then on the app knows it, whichever process dies."""
        number = self._heard.get(pending.activity)
        if number is not None and pending.subject == f"conversions/{self.world.sent[number].person}":
            self.world.sent[number] = replace(self.world.sent[number], recorded=True)
            del self._heard[pending.activity]

    def _pass_time(self) -> bool:
        """Move the clock to the next moment at which something can happen; return False if there is none."""
        world, now = self.world, self.world.loop.now
        moments = [each.not_before for each in world.pending if each.activity.instance.alive and each.not_before > now]
        moments += [each.frozen_until for each in world.instances if each.alive and each.frozen]
        if self.left:
            moments.append(self.base + self.left[0].at)
        if (timer := world.loop.next_timer()) is not None:
            moments.append(timer)
        if (message := world.queues.next_change(WORK)) is not None:
            moments.append((message - world.now()).total_seconds() + now)
        moments.append(self.next_sweep)
        later = [each for each in moments if each > now]
        if not later:
            return False
        world.loop.move_to(min(later))
        return True


def _lag(lags: Random) -> float:
    """Draw how far a read lags: half of the reads not at all, some a little, some up to the replication window."""
    chance = lags.random()
    if chance < 0.5:
        return 0.0
    return lags.random() * (20.0 if chance < 0.75 else 295.0)
