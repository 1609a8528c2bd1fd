"""Defects of campaigns, found by search or by a reader."""

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.story import Story, send


def _rows(*people: str, by: str = "id", **more: object) -> tuple[Ask, ...]:
    return tuple(Ask(f"{person}-{by}", person, by=by, **more) for person in people)  # type: ignore[arg-type]


def _list(at: float, *people: str, name: str = "spring", by: str = "id") -> Step:
    return Step(at, "list in", name, _rows(*people, by=by))


def _judge(at: float, name: str = "spring") -> Step:
    return Step(at, "judge list", name)


def _release(at: float, name: str = "spring") -> Step:
    return Step(at, "release list", name)


def _step(at: float, action: str, value: object = None) -> Step:
    return Step(at, f"{action} list", "spring", value)


_TWICE = (*_rows("ben"), *_rows("ben", by="mail"))
OF_CAMPAIGNS: tuple[Story, ...] = (
    Story(
        "the same list twice",
        "a list with two rows for one account is sent again after it was judged: one of the two members turns into the "
        "other",
        History(
            (Step(0, "list in", "spring", _TWICE), _judge(5), Step(60, "list in", "spring", _TWICE)), people=("ben",)
        ),
        "kept",
    ),
    Story(
        "planned twice",
        "a process stands still while it cuts a run into parts, another one cuts it and works on it meanwhile, and the "
        "first finds fewer members: the run forgets what was done",
        History(
            (_list(0, "anna", "ben"), _judge(5), _release(20)),
            (Fault("tables list", "campaigns/spring", "freeze", after=3, seconds=700.0),),
            people=("anna", "ben"),
        ),
        "released_told",
    ),
    Story(
        "listed anew while it is released",
        "a process dies between the request of a member and the member's own row; a list that comes in then says that "
        "it changed the member, and the invitation goes by the row of before",
        History(
            (
                _list(0, "anna"),
                _judge(5),
                _release(20),
                Step(60, "list in", "spring", _rows("anna", mail=False)),
            ),
            (Fault("tables write", "requests/member-*", "kill after"),),
        ),
        "asked_as_listed",
    ),
    Story(
        "never planned",
        "the host gives up four times on the message by which a run is to be cut into parts: the run never ends",
        History(
            (_list(0, "anna"), _judge(5), *(Step(at, "poison", "spring") for at in (5.02, 600.06, 1200.06, 1800.06))),
            known=False,
        ),
        "run_ends",
    ),
    Story(
        "judged after the end",
        "a part of a judging comes again after the campaign has ended, and judges a member that had failed",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _judge(60), _step(120, "end")),
            (
                Fault("graph invite", "anna", "refused"),
                Fault("tables read", "campaigns/spring", "kill before", nth=6, after=4),
            ),
        ),
        "ended_for_good",
    ),
    Story(
        "held in front",
        "the request of a paused campaign leads an account's invitation, and a request that came without a campaign, "
        "and joined it, waits as long as the campaign does",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(24, "pause"), send(26, "r1")),
            (Fault("graph invite", "anna", "throttled", seconds=30.0),),
        ),
        "at_rest",
    ),
    Story(
        "ended while it is released",
        "a campaign ends while a release is being worked on: the request that comes of it waits for ever",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(25, "end")),
            (Fault("tables write", "requests/member-*", "hold", after=3, seconds=20.0),),
        ),
        "at_rest",
    ),
    Story(
        "ended while a list comes in",
        "a campaign ends while a list of it is being stored, after its end has looked for members: they stay listed",
        History(
            (_list(0, "anna", "ben"), _step(2, "end")),
            (Fault("tables write", "campaigns/spring", "hold", nth=3, seconds=20.0),),
            people=("anna", "ben"),
        ),
        "ended_for_good",
    ),
    Story(
        "ended in doubt",
        "a campaign ends while the outcome of an invitation is unknown; it comes out that none was sent, and the "
        "request waits for ever",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(60, "end")),
            (Fault("graph invite", "anna", "reset before"),),
        ),
        "at_rest",
    ),
    Story(
        "ended in front",
        "a campaign ends whose member leads an account into a review, and with it ends the request that joined and "
        "came without a campaign",
        History(
            (
                _list(0, "anna"),
                _judge(5),
                _release(20),
                send(24, "r1"),
                Step(26, "disable", "anna"),
                _step(1000, "end"),
            ),
            (Fault("graph invite", "anna", "throttled", seconds=300.0),),
        ),
        "truth",
    ),
    Story(
        "ended beside a doubt",
        "a campaign ends while its member waits for a person because the outcome of its invitation is unknown: it is "
        "cancelled, though the person has the invitation, and with it the request that joined that review",
        History(
            (_list(0, "anna"), _judge(5), _release(20), send(100_000, "r1"), _step(101_000, "end")),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "truth",
    ),
)
