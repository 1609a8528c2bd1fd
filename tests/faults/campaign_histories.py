"""Histories of campaigns that end well only if one particular guard is in the code. They run in memory."""

from tests.faults.guard_histories import Narrow
from tests.simulation.history import Ask, Fault, History, Step


def _begun(*people: str, name: str = "spring") -> tuple[Step, ...]:
    """Return the steps of a campaign that sends a list, judges its members and releases them."""
    rows = tuple(Ask(f"{person}-id", person) for person in people or ("anna",))
    return (
        Step(0, "list in", name, rows),
        Step(5, "judge list", name),
        Step(20, "release list", name),
    )


OF_CAMPAIGNS: tuple[Narrow, ...] = (
    Narrow(
        "a campaign is paused while an invitation of it waits for a service",
        History(
            (*_begun(), Step(24, "pause list", "spring"), Step(9000, "resume list", "spring")),
            (Fault("graph invite", "anna", "throttled", seconds=30.0),),
        ),
    ),
    Narrow(
        "a process dies between a member's request and its first message",
        History(_begun(), (Fault("queue send", "*", "kill before", after=3, nth=3),), known=False),
        invited_within=1200,
    ),
    Narrow(
        "a process dies between a run's row and its parts",
        History(_begun(), (Fault("queue send", "*", "kill before", after=2, nth=2),), known=False),
    ),
    Narrow(
        "two campaigns have a member for the same account, and both are paused",
        History(
            tuple(
                sorted(
                    (
                        *_begun(),
                        *_begun(name="autumn"),
                        Step(24, "pause list", "spring"),
                        Step(24, "pause list", "autumn"),
                        Step(480, "resume list", "spring"),
                        Step(480, "resume list", "autumn"),
                    ),
                    key=lambda step: step.at,
                )
            ),
            (Fault("graph invite", "anna", "throttled", seconds=30.0),),
        ),
        most_calls=2500,
    ),
    Narrow(
        "a campaign ends while the outcome of an invitation is unknown, and the person has the invitation",
        History(
            (*_begun(), Step(24, "end list", "spring"), Step(4000, "redeem", "anna")),
            (Fault("graph invite", "anna", "reset after"),),
        ),
    ),
    Narrow(
        "a campaign ends before any member is released",
        History((*_begun()[:2], Step(60, "end list", "spring"))),
    ),
    Narrow(
        "the host gives up on the message of a part",
        History((*_begun()[:2], Step(5.09, "poison", "spring")), known=False),
    ),
    Narrow(
        "the address of an account changes between its judging and its release",
        History(
            (
                *_begun()[:2],
                Step(600, "change", "anna", {"mail": "anna.new@fabrikam.com"}),
                Step(2000, "release list", "spring"),
            ),
        ),
    ),
)
