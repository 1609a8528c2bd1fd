"""Draw random histories of campaigns (lists, judging, releases, decisions, pauses, ends) and of other requests."""

from random import Random

from tests.simulation.generate import FAULTY_CALLS, drawn, fault, meddling
from tests.simulation.generate import history as of_requests
from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.people import BY_NAME

SHARE = 5
"""Every fifth seed gives a history of campaigns."""
NAMES = ("spring", "autumn")
OF_CAMPAIGNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "tables write",
        "campaigns/*",
        ("unreachable", "error after", "reset after", "repeat", "kill before", "kill after", "hold", "late", "freeze"),
    ),
    ("tables read", "campaigns/*", ("unreachable", "kill before", "hold", "freeze")),
    ("tables list", "campaigns/*", ("busy", "kill before", "hold")),
    ("tables write", "requests/*", ("unreachable", "reset after", "kill before", "kill after", "hold", "freeze")),
    ("queue send", "*", ("unreachable", "error after", "reset after", "kill before", "kill after", "repeat", "hold")),
    ("graph invite", "*", ("unreachable", "busy", "throttled", "reset before", "reset after", "kill before")),
)
"""Calls that only campaigns make; faults are drawn from these and from the calls of all histories."""
GAPS = (0.0, 0.05, 0.3, 1.0, 3.0, 12.0, 60.0, 400.0, 1500.0)


def history(seed: int) -> History:
    """Return the history of a seed. Every fifth seed gives one with campaigns."""
    return of_campaigns(seed) if seed % SHARE == SHARE - 1 else of_requests(seed)


def of_campaigns(seed: int) -> History:
    """Return a history with campaigns for a seed."""
    return drawn(Random(f"campaigns {seed}"), _steps, _fault)  # noqa: S311


def _steps(draw: Random, people: tuple[str, ...]) -> tuple[Step, ...]:
    steps, asks = list[Step](), list[Ask]()
    for name in NAMES if draw.random() < 0.25 else NAMES[:1]:
        steps += _campaign(draw, name, people)
    for number in range(draw.choice((0, 0, 1, 1, 2))):
        ask = Ask(f"r{number + 1}", draw.choice(people), by=draw.choice(("id", "id", "userPrincipalName", "mail")))
        asks.append(ask)
        steps.append(Step(_moment(draw), draw.choice(("send", "post")), "", ask))
    for _ in range(draw.choice((0, 0, 1, 1, 2))):
        steps += meddling(draw, people, asks or [Ask("r1", people[0])])
    for person in people:
        if draw.random() < 0.5:
            steps.append(Step(draw.choice((1500.0, 4000.0, 8000.0)), "redeem", person))
    return tuple(sorted(steps, key=lambda step: step.at))


def _moment(draw: Random) -> float:
    return draw.choice((0.0, 1.0, 5.0, 15.0, 60.0, 500.0, 2000.0)) * (0.5 + draw.random())


def _campaign(draw: Random, name: str, people: tuple[str, ...]) -> list[Step]:
    """Return the steps of one campaign, and other actions of its owner."""
    rows = _rows(draw, people)
    steps, at = [Step(0.0, "list in", name, rows)], 0.0

    def then(action: str, value: object = None) -> None:
        nonlocal at
        at += draw.choice(GAPS)
        steps.append(Step(at, action, name, value))

    if draw.random() < 0.3:
        then("list in", rows if draw.random() < 0.6 else _rows(draw, people))
    for _ in range(draw.choice((1, 1, 1, 2))):
        then("judge list")
    if draw.random() < 0.35:
        then("decide list", draw.choice(("approve", "approve", "refuse")))
    for _ in range(draw.choice((1, 1, 2, 2))):
        then("release list", draw.choice((None, None, None, people[:1])))
    for _ in range(draw.choice((0, 0, 1, 2))):
        then(*draw.choice((("decide list", "approve"), ("decide list", "refuse"), ("judge list",), ("release list",))))
    steps += _meanwhile(draw, name, people, at)
    if draw.random() < 0.3:
        steps.append(Step(draw.uniform(0.5, at + 30), "pause list", name))
        if draw.random() < 0.8:
            steps.append(Step(steps[-1].at + draw.choice((5.0, 60.0, 1500.0)), "resume list", name))
    if draw.random() < 0.25:
        steps.append(Step(draw.uniform(0.5, at + 60), "end list", name))
    return steps


def _meanwhile(draw: Random, name: str, people: tuple[str, ...], last: float) -> list[Step]:
    """Return what happens between judging and release, or to the campaign's messages."""
    when, who = draw.uniform(0.5, last + 10), draw.choice(people)
    kinds: dict[str, list[Step]] = {
        "nothing": [],
        "change": [Step(when, "change", who, {"mail": f"{who}.new@fabrikam.com"})],
        "role": [Step(when, "give role", who, "Helpdesk Administrator")],
        "disable": [Step(when, "disable", who), Step(when + draw.choice(GAPS), "enable", who)],
        "poison": [Step(when, "poison", name)],
        "lose": [Step(when, "lose", name)],
        "crash": [Step(when, "crash")],
        "list": [Step(when, "list in", name, _rows(draw, people))],
        "twice": [Step(when, "release list", name), Step(when, "release list", name)],
        "assess": [Step(when, "set", "B2B_MODE", "assess"), Step(when + 900, "set", "B2B_MODE", "convert")],
    }
    return kinds[draw.choice(list(kinds))]


def _rows(draw: Random, people: tuple[str, ...]) -> tuple[Ask, ...]:
    """Return one or two rows for each person. The reference names the person and how the row names the account."""
    rows = list[Ask]()
    for person in people:
        ways = ["id", "userPrincipalName", "mail"]
        draw.shuffle(ways)
        for by in ways[: draw.choice((1, 1, 1, 2))]:
            address = BY_NAME[person].mail if draw.random() < 0.2 else None
            rows.append(
                Ask(f"{person}-{by}", person, by=by, mail=draw.choice((None, None, True, False)), address=address)
            )
    draw.shuffle(rows)
    return tuple(rows)


def _fault(draw: Random) -> Fault:
    if draw.random() < 0.5:
        return fault(draw, draw.choice(OF_CAMPAIGNS))
    return fault(draw, FAULTY_CALLS[0] if draw.random() < 0.3 else draw.choice(FAULTY_CALLS[1:]))
