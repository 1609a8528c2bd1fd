"""Small worlds that are searched exhaustively: all schedules with up to two preemptions, or with one of each.

In each world two activities meet. Without a preemption the first activity ends before the second begins. A preemption
lets the other activity go on before one call; a kill ends a process after the effect of one call.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.schedule import Schedule
from tests.simulation.search import Played, play
from tests.simulation.story import HELD, SHARED_ADDRESS


@dataclass(frozen=True)
class SmallWorld:
    """A history whose last steps begin the two activities that meet; the steps before them prepare the world."""

    name: str
    history: History
    prepared: int
    """How many steps prepare. Calls are counted from the next step on."""


def _send(at: float, request: str, person: str = "anna") -> Step:
    return Step(at, "send", "", Ask(request, person))


_PAUSED, _GOES_ON = Step(0, "set", "B2B_PAUSED", "true"), Step(20, "set", "B2B_PAUSED", "false")
WORLDS: tuple[SmallWorld, ...] = (
    SmallWorld("two deliveries of one message", History((_send(0, "r1"), _send(0, "r1"))), 0),
    SmallWorld("two requests for one account", History((_send(0, "r1"), _send(0, "r2"))), 0),
    SmallWorld(
        "two accounts, one address",
        History(
            (_send(0, "r1", "dora"), _send(0, "r2", "emil")),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
        0,
    ),
    SmallWorld(
        "two accounts, one address, one of them refused before",
        History(
            (_send(0, "r0", "dora"), _send(400, "r1", "dora"), _send(400, "r2", "emil")),
            (Fault("graph invite", "dora", "refused"),),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
        1,
    ),
    SmallWorld(
        "a delivery beside follow",
        History(
            (_send(0, "r1"), Step(1000, "part", "follow"), _send(1000, "r2")),
            (Fault("graph invite", "anna", "kill after"),),
        ),
        1,
    ),
    SmallWorld(
        "a delivery beside repair",
        History(
            (_PAUSED, _send(1, "r1"), Step(10, "lose", "r1"), _GOES_ON, Step(4000, "part", "repair"), _send(4000, "r1"))
        ),
        4,
    ),
    SmallWorld(
        "two sweeps at once, and a redemption",
        History(
            (_send(0, "r1"), Step(1000, "redeem", "anna"), Step(1100, "sweep"), Step(1100, "sweep")),
            lists=True,
        ),
        2,
    ),
    SmallWorld(
        "a sweep beside a request for an account that was deleted",
        History(
            (_send(0, "r1"), Step(1000, "delete", "anna"), Step(1100, "sweep"), _send(1100, "r2")),
            lists=True,
        ),
        2,
    ),
    SmallWorld(
        "a sweep beside a refusal of what another request joined",
        History(
            (
                _send(0, "r1", "gina"),
                _send(300, "r2", "gina"),
                Step(400, "approve", "r1"),
                Step(1000, "redeem", "gina"),
                Step(1100, "sweep"),
                Step(1100, "sweep"),
            ),
            people=("gina",),
            budget=1,
        ),
        4,
    ),
    SmallWorld(
        "two sweeps where a leader's row cannot be read, and it comes back",
        History(
            (
                _send(0, "r1"),
                _send(60, "r2"),
                Step(100, "foreign row", "r1"),
                Step(2000, "sweep"),
                Step(2000, "own row", "r1"),
                Step(2000, "sweep"),
            ),
            (Fault("graph invite", "anna", "throttled", seconds=300.0),),
            settings=(("B2B_GIVE_UP_SECONDS", "600"),),
        ),
        3,
    ),
    SmallWorld(
        "a delivery beside drain",
        History((_send(0, "r1"), Step(0, "poison", "r1"), Step(100, "part", "drain"), _send(100, "r1"))),
        2,
    ),
    SmallWorld(
        "a delivery beside a retry",
        History(
            (_send(0, "r1"), Step(400, "retry", "r1"), _send(400, "r2")), (Fault("graph invite", "anna", "refused"),)
        ),
        1,
    ),
    SmallWorld(
        "a delivery beside an approval",
        History((_send(0, "r1", "gina"), Step(400, "approve", "r1"), _send(400, "r2", "gina")), people=("gina",)),
        1,
    ),
    SmallWorld("a delivery beside a cancellation", History((_send(0, "r1"), Step(0.04, "cancel", "r1"))), 0),
    SmallWorld(
        "a leader and its joiner are called off at once",
        History(
            (_send(0, "r1"), _send(5, "r2"), Step(10, "cancel", "r1"), Step(10, "cancel", "r2"), _send(400, "r3")),
            (Fault("graph invite", "anna", "unreachable"),),
        ),
        2,
    ),
    SmallWorld(
        "an approval beside a refusal",
        History((_send(0, "r1", "gina"), Step(400, "approve", "r1"), Step(400, "refuse", "r1")), people=("gina",)),
        1,
    ),
    SmallWorld(
        "a refusal beside an approval",
        History((_send(0, "r1", "gina"), Step(400, "refuse", "r1"), Step(400, "approve", "r1")), people=("gina",)),
        1,
    ),
)


@dataclass(frozen=True)
class Searched:
    """One schedule of a small world, and its result."""

    preempt: tuple[int, ...]
    kill: int
    played: Played


def with_fact(world: SmallWorld, *, known: bool) -> SmallWorld:
    """Return the world in which the app already knows, or does not know, how the tenant shows invitations."""
    return replace(world, history=replace(world.history, known=known))


def every_schedule(world: SmallWorld, preemptions: int = 2, *, kills: bool = True) -> Iterator[Searched]:
    """Play all schedules with up to `preemptions` preemptions.

    With `kills`, also play those with one kill and at most one preemption.
    """
    yield from _preempted(world, (), preemptions)
    if kills:
        for first in (0, *range(1, _length(world) + 1)):
            preempt = (first,) if first else ()
            for kill in _changing(world, preempt):
                yield _played(world, preempt, kill)


def _preempted(world: SmallWorld, preempt: tuple[int, ...], left: int) -> Iterator[Searched]:
    schedule = _schedule(world, preempt)
    played = play(world.history, schedule)
    yield Searched(preempt, 0, played)
    if left:
        for number in range((preempt[-1] if preempt else 0) + 1, schedule.count + 1):
            yield from _preempted(world, (*preempt, number), left - 1)


def _schedule(world: SmallWorld, preempt: tuple[int, ...], kill: int = 0) -> Schedule:
    return Schedule(preempt=frozenset(preempt), kill=kill, begin=world.prepared + 1)


def _length(world: SmallWorld) -> int:
    schedule = _schedule(world, ())
    play(world.history, schedule)
    return schedule.count


def _changing(world: SmallWorld, preempt: tuple[int, ...]) -> list[int]:
    schedule = _schedule(world, preempt)
    play(world.history, schedule)
    return schedule.changing


def _played(world: SmallWorld, preempt: tuple[int, ...], kill: int) -> Searched:
    return Searched(preempt, kill, play(world.history, _schedule(world, preempt, kill)))
