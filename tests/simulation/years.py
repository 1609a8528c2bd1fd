"""Histories of up to a year: people redeem late or never, and accounts change before and after.

The sweep runs every twelve hours here instead of every ten minutes, because no deadline of days depends on that.
"""

from random import Random

from tests.simulation.generate import OTHERWISE, STRANGERS
from tests.simulation.history import Ask, Fault, History, Step

DAY = 86_400.0
LOST = ("reset after", "error after", "kill after", "reset before", "refused", "unreachable")
"""The faults of a mail that an administrator asked for."""
TWICE_A_DAY = DAY / 2
WAITS = (0.2, 1.0, 6.0, 9.0, 30.0, 120.0, 300.0)
"""The average times until a person redeems, in days."""


def history(seed: int) -> History:
    """Return the history of a year that a seed determines."""
    draw = Random(seed)  # noqa: S311
    people = ("anna", "ben")
    steps = [
        step
        for number, who in enumerate(people)
        for step in (Step(60.0 * number, "send", "", Ask(f"r{number}", who)), *_life(draw, who))
    ]
    settings: tuple[tuple[str, str], ...] = ()
    if draw.random() < 0.3:
        settings = (("B2B_COMPARE_DEADLINE_SECONDS", draw.choice(("600", "43200"))),)
    if draw.random() < 0.5:
        settings = (*settings, ("B2B_READ_AUDIT_LOG", "true"))
    return History(
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        faults=tuple(
            Fault("graph invite", draw.choice(people), draw.choice(LOST), nth) for nth in (2, 3) if draw.random() < 0.3
        ),
        people=people,
        switches=(("pending-state", "unset"),) if draw.random() < 0.2 else (),
        settings=settings,
        known=draw.random() < 0.8,
        schedule=draw.randrange(10**6) if draw.random() < 0.5 else None,
        lag=draw.randrange(10**6) if draw.random() < 0.6 else None,
        skew=draw.choice((0.0, 0.0, -59.0, 59.0)),
        lists=draw.random() < 0.5,
        every=TWICE_A_DAY,
    )


def _life(draw: Random, who: str) -> list[Step]:
    """Draw what happens to one account."""
    redeems = DAY * draw.choice(WAITS) * (0.5 + draw.random())
    steps = [
        Step(redeems * draw.random(), "relate", who, draw.choice(OTHERWISE)) for _ in range(draw.choice((0, 0, 1, 2)))
    ]
    if draw.random() < 0.8:
        own = draw.random() < 0.8
        steps.append(Step(redeems, "redeem", who) if own else Step(redeems, "redeem as", who, draw.choice(STRANGERS)))
    soon = redeems + draw.choice((10.0, 400.0, 0.4 * DAY, 3 * DAY))
    later = soon + DAY * draw.choice((0.3, 2.0, 6.0))
    ways: dict[str, list[Step]] = {
        "nothing": [],
        "changes": [Step(soon, "relate", who, draw.choice(OTHERWISE))],
        "renamed": [Step(soon, "rename", who, f"{who}.new@contoso.com")],
        "deleted": [Step(soon, "delete", who), Step(later, draw.choice(("restore", "purge")), who)],
        "reset": [Step(soon, "reset", who), Step(later, "redeem", who)],
        "internal": [Step(soon, "convert back", who)],
        "withdrawn": [
            Step(redeems * draw.random(), "withdraw", "Directory.Read.All"),
            Step(later, "withdraw", "Directory.Read.All", "back"),
        ],
        "disabled": [Step(redeems / 2, "disable", who), Step(soon, "enable", who), Step(later, "redeem", who)],
    }
    steps += ways[draw.choice(list(ways))]
    steps += _mails(draw, who, redeems)
    decision = Step(later + 2 * DAY, draw.choice(("accept", "compare")), who)
    return [*steps, decision] if draw.random() < 0.5 else steps


def _mails(draw: Random, who: str, redeems: float) -> list[Step]:
    """Draw what an administrator sends while the account is invited: nothing, resends, or a correction."""
    at, right = redeems * draw.random(), f"{who}.new@fabrikam.com"
    ways: dict[str, list[Step]] = {
        "nothing": [],
        "once": [Step(at, "resend", who)],
        "twice at once": [Step(at, "resend", who), Step(at, "resend", who)],
        "each week": [Step(at + week * 7 * DAY, "resend", who) for week in range(3)],
        "as the person redeems": [Step(redeems, "resend", who)],
        "another address": [Step(at, "change", who, {"mail": right}), Step(at + 600, "correct", who, right)],
        "another address as the person redeems": [
            Step(at, "change", who, {"mail": right}),
            Step(redeems, "correct", who, right),
        ],
    }
    return ways[draw.choice(list(ways))]
