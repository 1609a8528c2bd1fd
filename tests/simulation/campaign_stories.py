"""Stories of defects in campaigns that random histories or a reader found."""

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
        "a list with two rows for one account is sent again after judging: one of the two members becomes the other",
        History(
            (Step(0, "list in", "spring", _TWICE), _judge(5), Step(60, "list in", "spring", _TWICE)), people=("ben",)
        ),
        "kept",
    ),
    Story(
        "planned twice",
        "a process is stuck while it cuts a run into parts; another one cuts the run and processes it meanwhile, and "
        "the first then finds fewer members: the run forgets what was done",
        History(
            (_list(0, "anna", "ben"), _judge(5), _release(20)),
            (Fault("tables list", "campaigns/spring", "freeze", after=3, seconds=700.0),),
            people=("anna", "ben"),
        ),
        "released_told",
    ),
    Story(
        "listed anew while it is released",
        "a process dies after it wrote a member's request and before it wrote the member's row; the next list reports "
        "that it changed the member, and the invitation is sent for the former row",
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
        "the host gives up four times on the message that cuts a run into parts: the run never ends",
        History(
            (_list(0, "anna"), _judge(5), *(Step(at, "poison", "spring") for at in (5.02, 600.06, 1200.06, 1800.06))),
            known=False,
        ),
        "run_ends",
    ),
    Story(
        "judged after the end",
        "a part of a judging run is delivered again after the campaign has ended, and judges a member that had failed",
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
        "the request of a paused campaign leads an account's conversion, and a request without a campaign that joined "
        "it waits until the campaign is resumed",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(24, "pause"), send(26, "r1")),
            (Fault("graph invite", "anna", "throttled", seconds=30.0),),
        ),
        "at_rest",
    ),
    Story(
        "ended while it is released",
        "a campaign ends while a release is being processed: the request that the release creates waits for ever",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(25, "end")),
            (Fault("tables write", "requests/member-*", "hold", after=3, seconds=20.0),),
        ),
        "at_rest",
    ),
    Story(
        "ended while a list comes in",
        "a campaign ends while one of its lists is being stored: the run that ends it misses the new members, which "
        "stay listed",
        History(
            (_list(0, "anna", "ben"), _step(2, "end")),
            (Fault("tables write", "campaigns/spring", "hold", nth=3, seconds=20.0),),
            people=("anna", "ben"),
        ),
        "ended_for_good",
    ),
    Story(
        "ended in doubt",
        "a campaign ends while the outcome of an invitation is unknown; later the app finds that none was sent, and "
        "the request waits for ever",
        History(
            (_list(0, "anna"), _judge(5), _release(20), _step(60, "end")),
            (Fault("graph invite", "anna", "reset before"),),
        ),
        "at_rest",
    ),
    Story(
        "ended in front",
        "a campaign ends while a request of it waits for review: the request without a campaign that joined it ends as "
        "well",
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
        "a campaign ends while its member waits for review because the outcome of an invitation is unknown: the member "
        "is cancelled although the person has the invitation, and so is the request that joined the review",
        History(
            (_list(0, "anna"), _judge(5), _release(20), send(100_000, "r1"), _step(101_000, "end")),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "truth",
    ),
)
