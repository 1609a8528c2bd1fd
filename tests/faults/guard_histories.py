"""Histories in memory that end badly if one guard of the protocol is missing. Each runs within milliseconds.

The stories in `tests.simulation.stories` show defects that did happen. The histories here never failed: each leads to
the moment in which its guard is needed.
"""

from dataclasses import dataclass

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.story import HELD, SHARED_ADDRESS


@dataclass(frozen=True)
class Narrow:
    """A history, and what must be true of its end in addition to the oracles."""

    name: str
    history: History
    invited_within: float | None = None
    """Most seconds from the first step to the last invitation, so that the history needs no repair. None: no limit."""
    most_calls: int | None = None
    """Most outgoing calls, so that copies of a message do not multiply. None: no limit."""
    stage: str | None = None
    """The stage of request `r1` at the end. None: any."""


IMPATIENT = (("B2B_GIVE_UP_SECONDS", "400"),)
"""A short limit after which requests are given up, so that a history need not last for a day."""
UNSEEN = (("pending-state", "unset"),)


def _send(at: float, request: str = "r1", person: str = "anna", **more: object) -> Step:
    return Step(at, "send", "", Ask(request, person, **more))  # type: ignore[arg-type]


def _every(call: str, subject: str, outcome: str, numbers: range) -> tuple[Fault, ...]:
    return tuple(Fault(call, subject, outcome, nth=number) for number in numbers)


def _poisoned(times: int) -> tuple[Step, ...]:
    """Pause the app while the host moves the message of request `r1` to the poison queue, `times` times."""
    return (
        Step(0, "set", "B2B_PAUSED", "true"),
        _send(1),
        *(Step(10 + 600.0 * number, "poison", "r1") for number in range(times)),
        Step(600.0 * times + 2000, "set", "B2B_PAUSED", "false"),
    )


NARROW: tuple[Narrow, ...] = (
    Narrow(
        "an answer is lost, and replicas lag for almost the whole window",
        History((Step(0, "lag", "anna", 290.0), _send(0)), (Fault("graph invite", "anna", "reset after"),)),
    ),
    Narrow(
        "a second request comes while the call of the first is under way",
        History(
            (_send(0), _send(2, "r2"), Step(2000, "redeem", "anna")),
            (Fault("graph invite", "anna", "slow", seconds=20),),
        ),
    ),
    Narrow(
        "others have taken a claim over when its process hears that it was written",
        History((_send(0), _send(5)), (Fault("tables write", "conversions/anna", "slow", seconds=900),)),
    ),
    Narrow(
        "the account cannot be read for long while an invitation may be out",
        History(
            (_send(0),),
            (
                Fault("graph invite", "anna", "reset after"),
                *_every("graph read", "*", "unreachable", range(5, 30)),
            ),
            settings=IMPATIENT,
            known=False,
        ),
    ),
    Narrow(
        "another account's reservation is written, and its claim is not there yet",
        History(
            (_send(0, "r1", "dora"), _send(1, "r2", "emil")),
            (Fault("tables write", "conversions/dora", "hold", seconds=5),),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
    ),
    Narrow(
        "an address belongs to an account whose invitation may be out and waits for a person",
        History(
            (_send(0, "r1", "dora"), _send(20_000, "r2", "emil")),
            (Fault("graph invite", "dora", "reset after"),),
            people=("dora", "emil"),
            settings=(*SHARED_ADDRESS, *IMPATIENT),
            switches=(*HELD, *UNSEEN),
            known=False,
        ),
    ),
    Narrow(
        "the holder of an address is not found once",
        History(
            (
                _send(0, "r1", "dora"),
                Step(1990, "delete", "dora"),
                _send(2000, "r2", "emil"),
                Step(2100, "restore", "dora"),
            ),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
    ),
    Narrow(
        "repair meets the entry of a request whose row is not there yet",
        History(
            (_send(0), Step(1, "part", "repair"), Step(5, "lose", "r1")),
            (
                Fault("tables write", "requests/r1", "hold", seconds=3),
                Fault("tables write", "requests/r1", "kill after"),
            ),
        ),
    ),
    Narrow(
        "follow meets the entry of an account whose claim is not there yet",
        History(
            (_send(0), Step(1, "part", "follow"), Step(3000, "redeem", "anna")),
            (Fault("tables write", "conversions/anna", "hold", seconds=3),),
        ),
    ),
    Narrow(
        "a process dies once a retried request is written",
        History(
            (_send(0), Step(5000, "retry", "r1")),
            (
                Fault("graph invite", "anna", "refused"),
                Fault("tables write", "requests/r1", "kill after", after=2),
            ),
        ),
    ),
    Narrow(
        "the mode turns to assess while a claim waits",
        History((_send(0), Step(5, "set", "B2B_MODE", "assess")), (Fault("graph invite", "anna", "unreachable"),)),
    ),
    Narrow(
        "a process dies once the claim is written, and the account is invited by hand",
        History(
            (_send(0), Step(100, "invite by hand", "anna"), Step(3000, "redeem", "anna")),
            (Fault("tables write", "conversions/anna", "kill after"),),
        ),
    ),
    Narrow(
        "a process dies once a request is written, and its message vanishes",
        History((_send(0), Step(5, "lose", "r1")), (Fault("tables write", "requests/r1", "kill after"),)),
    ),
    Narrow(
        "an account lies in the recycle bin while its invitation waits, and is restored",
        History((_send(0), Step(1000, "delete", "anna"), Step(3000, "restore", "anna"), Step(6000, "redeem", "anna"))),
    ),
    Narrow(
        "messages are put twice on the queue while the app is paused",
        History(
            (Step(0, "set", "B2B_PAUSED", "true"), _send(1), Step(20_000, "set", "B2B_PAUSED", "false")),
            _every("queue send", "*", "repeat", range(1, 8)),
        ),
        most_calls=1200,
    ),
    Narrow(
        "a process dies between the row and the first message that it names",
        History(
            (_send(0),),
            (Fault("graph invite", "anna", "unreachable"), Fault("queue send", "*", "kill before")),
            known=False,
        ),
        invited_within=1200,
    ),
    Narrow(
        "a process dies between the row and the second message that it names",
        History(
            (_send(0),),
            (
                *_every("graph invite", "anna", "unreachable", range(1, 3)),
                Fault("queue send", "*", "kill before", nth=2),
            ),
            known=False,
        ),
        invited_within=1200,
    ),
    Narrow(
        "the row that names a message is written late",
        History(
            (_send(0),),
            (
                Fault("graph read", "*", "unreachable"),
                Fault("tables write", "requests/r1", "hold", nth=2, seconds=60),
            ),
            known=False,
        ),
        invited_within=600,
    ),
    Narrow(
        "tries without a mail were given up in doubt, and Graph refuses the next request's",
        History(
            (_send(0, "r0", mail=False), _send(5000, mail=False)),
            (*_every("graph invite", "anna", "reset before", range(1, 3)), Fault("graph invite", "anna", "refused", 3)),
            settings=IMPATIENT,
            switches=UNSEEN,
            known=False,
        ),
        stage="needsReview",
    ),
    Narrow("the host gives up on a message for ever", History(_poisoned(6)), stage="failed"),
    Narrow(
        "the host gives up on a message for ever, and each sweep dies once it has put it back",
        History(
            _poisoned(8),
            tuple(Fault("queue send", "*", "kill after", after=3 + number) for number in range(8)),
        ),
        stage="failed",
    ),
    Narrow(
        "the request that leads is cancelled while another one has joined",
        History(
            (_send(0), _send(2, "r2"), Step(8, "cancel", "r1")),
            (Fault("graph invite", "anna", "unreachable"),),
            known=False,
        ),
        invited_within=600,
    ),
    Narrow(
        "a process stands still between the list of the sweep and the row, and a sweep runs meanwhile",
        History(
            (_send(0), Step(1000, "redeem", "anna"), Step(3000, "reset", "anna"), _send(6200, "r2")),
            (Fault("tables write", "conversions/anna", "freeze", after=4, seconds=500),),
        ),
    ),
)
