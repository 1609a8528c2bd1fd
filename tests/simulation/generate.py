"""Draws random histories. A seed determines a history; once drawn, a history is plain data."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.simulation.directory_state import SWITCHES
from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.people import BY_NAME, PARTNERS, PROJECT

DRAWN = (
    "pending-state",
    "address-match",
    "address-case",
    "invite-redeemed-account",
    "old-redeem-link",
    "corrected-invitation",
    "disabled-account",
    "deleted-holder",
    "mailbox-account",
    "page-shape",
    "unknown-account",
    "filter-case",
    "proxy-address-case",
    "eligibility-licence",
    "issuer-assigned-id",
    "audit-redeemer",
    "relations-for-applications",
)
"""The switches that may be set for a whole history. Two others are not drawn here: `held-address` comes with the two
accounts that share an address, and `selected-properties` changes during a history, because no account could be invited
in a tenant that always leaves properties out.
"""

OTHERWISE = (
    ("groups", ()),
    ("groups", (PROJECT,)),
    ("groups", (PARTNERS, PROJECT)),
    ("appRoles", ("portal/reader",)),
    ("manager", ()),
    ("sponsors", ("00000000-0000-4000-8000-000000000001",)),
    ("ownedObjects", ()),
    ("registeredDevices", ("laptop", "phone")),
)
"""The relations that an account may get during a history."""
STRANGERS = (
    ("mail", "eve@elsewhere.com"),
    ("mail", "eve@fabrikam.com"),
    ("google.com", "eve@elsewhere.com"),
    ("ExternalAzureAD", "eve@elsewhere.com"),
    ("https://sts.elsewhere.com", "eve@elsewhere.com"),
)
"""The issuer and the address of persons who may redeem an invitation that was sent to someone else."""
WAITS = (1.0, 5.0, 20.0, 61.0, 120.0, 400.0)
FAULTY_CALLS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "graph invite",
        "*",
        (
            "unreachable",
            "busy",
            "throttled",
            "error before",
            "error after",
            "throttled after",
            "reset before",
            "reset after",
            "kill before",
            "kill after",
            "hold",
            "slow",
            "late",
            "freeze",
            "another",
            "refused",
            "denied",
        ),
    ),
    (
        "graph read",
        "*",
        (
            "unreachable",
            "busy",
            "throttled",
            "error before",
            "reset before",
            "kill before",
            "kill after",
            "hold",
            "freeze",
        ),
    ),
    (
        "tables write",
        "*",
        (
            "unreachable",
            "busy",
            "error before",
            "error after",
            "reset before",
            "reset after",
            "repeat",
            "kill before",
            "kill after",
            "hold",
            "late",
            "freeze",
        ),
    ),
    ("graph page", "*", ("unreachable", "busy", "throttled", "error before", "kill before", "hold")),
    ("tables write", "requests/*", ("unreachable", "reset after", "kill before", "kill after", "hold")),
    ("tables write", "conversions/*", ("unreachable", "reset after", "kill before", "kill after", "hold", "freeze")),
    ("tables read", "*", ("unreachable", "busy", "kill before", "hold")),
    ("tables list", "*", ("busy", "kill before")),
    ("queue send", "*", ("unreachable", "error after", "reset after", "kill before", "kill after", "repeat", "hold")),
    ("queue receive", "*", ("busy", "kill after")),
    ("host settle", "*", ("kill before",)),
)
"""Kinds of call with the faults that they may have. Invitations are drawn as often as all other kinds together."""


def history(seed: int) -> History:
    """Return the history that a seed determines."""
    return drawn(Random(seed), _steps, _any_fault)  # noqa: S311


def drawn(
    draw: Random, steps_of: Callable[[Random, tuple[str, ...]], tuple[Step, ...]], fault_of: Callable[[Random], Fault]
) -> History:
    """Draw a tenant with its settings, then the steps and the faults."""
    people = _people(draw)
    switches = tuple((name, draw.choice(SWITCHES[name][1:])) for name in DRAWN if draw.random() < 0.15)
    steps = steps_of(draw, people)
    faults = tuple(fault_of(draw) for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4))))
    settings = [("B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com,partners.contoso.com")]
    if "dora" in people:
        settings += [
            (
                "B2B_RULE_OVERRIDES",
                '{"address-in-use": "warn", "address-not-on-account": "warn", "address-unlikely": "off"}',
            ),
        ]
        switches += (("held-address", draw.choice(("accepted", *SWITCHES["held-address"][1:]))),)
    if draw.random() < 0.1:
        settings.append(("B2B_MODE", "assess"))
    if draw.random() < 0.2:
        settings.append(draw.choice((("B2B_COMPARE_ACCESS", "false"), ("B2B_COMPARE_DEADLINE_SECONDS", "3600"))))
    if draw.random() < 0.3:
        settings.append(("B2B_READ_AUDIT_LOG", "true"))
    found = History(
        steps=steps,
        faults=faults,
        people=people,
        switches=switches,
        settings=tuple(settings),
        known=draw.random() < 0.5,
        schedule=draw.randrange(10**6) if draw.random() < 0.8 else None,
        lag=draw.randrange(10**6) if draw.random() < 0.6 else None,
        skew=draw.choice((0.0, 0.0, -59.0, -20.0, 20.0, 59.0)),
        budget=draw.choice((None, None, 1, 2, 3)),
        lists=draw.random() < 0.6,
    )
    if draw.random() < 0.2:
        slow = ("B2B_INVITATIONS_PER_MINUTE", draw.choice(("1", "6")))
        return replace(found, settings=(*found.settings, slow))
    return found


def _people(draw: Random) -> tuple[str, ...]:
    if draw.random() < 0.2:
        return ("dora", "emil")
    first = draw.choice(("anna", "anna", "anna", "carl", "fred", "gina", "hugo", "iris", "kate"))
    return (first, "ben") if draw.random() < 0.5 or first in {"hugo", "iris", "kate"} else (first,)


def _steps(draw: Random, people: tuple[str, ...]) -> tuple[Step, ...]:
    steps, requests = list[Step](), list[Ask]()
    moment = 0.0
    for number in range(draw.choice((1, 1, 2, 2, 3))):
        ask = _ask(draw, f"r{number + 1}", people)
        requests.append(ask)
        steps.append(Step(moment, draw.choice(("send", "send", "send base64", "post")), "", ask))
        moment += draw.choice((0.0, 0.0, 0.1, 2.0, 100.0, 700.0))
    for _ in range(draw.choice((0, 1, 1, 2, 3, 4))):
        steps.extend(meddling(draw, people, requests))
    if draw.random() < 0.6:
        steps.append(Step(draw.choice((900.0, 1500.0, 4000.0)), "redeem", draw.choice(people)))
    steps.sort(key=lambda step: step.at)
    return tuple(steps)


def _ask(draw: Random, request: str, people: tuple[str, ...]) -> Ask:
    person = draw.choice(people)
    return Ask(
        request,
        person,
        by=draw.choice(("id", "id", "id", "userPrincipalName", "mail")),
        dry_run=True if draw.random() < 0.1 else None,
        mail=draw.choice((None, None, True, False)),
        address=draw.choice((BY_NAME[person].mail, BY_NAME[person].mail.upper())) if draw.random() < 0.1 else None,
        redirect="https://partners.contoso.com/start" if draw.random() < 0.15 else None,
        broken=draw.random() < 0.05,
    )


def meddling(draw: Random, people: tuple[str, ...], requests: list[Ask]) -> list[Step]:
    """Draw the steps of one disturbance: what somebody does, and what follows from it."""
    at = draw.choice((0.2, 1.0, 5.0, 30.0, 90.0, 200.0, 400.0, 900.0, 2000.0)) * (0.5 + draw.random())
    who, ask = draw.choice(people), draw.choice(requests)
    asked = ask.request or ""
    later = at + draw.choice((1.0, 60.0, 400.0, 1500.0))
    kinds: dict[str, list[Step]] = {
        "again": [Step(at, "send", "", ask)],
        "retry": [Step(at, "retry", asked)],
        "approve": [Step(at, "approve", asked)],
        "delete": [Step(at, "delete", who), Step(later, draw.choice(("restore", "restore", "purge")), who)],
        "disable": [Step(at, "disable", who), Step(later, "enable", who)],
        "rename": [Step(at, "rename", who, f"{who}.new@contoso.com")],
        "move name": [Step(at, "move name", people[0], people[-1])] if len(people) > 1 else [],
        "change": [Step(at, "change", who, {"mail": f"{who}.new@fabrikam.com"})],
        "left out": [
            Step(at, "switch", "selected-properties", "empty-ones-left-out"),
            Step(later, "switch", "selected-properties", "all"),
        ],
        "give role": [Step(at, "give role", who, "Helpdesk Administrator")],
        "convert back": [Step(at, "convert back", who), Step(later, "send", "", Ask("again", who))],
        "reset": [Step(at, "reset", who), Step(later, "send", "", Ask("reset", who))],
        "by hand": [Step(at, "invite by hand", who)],
        "pause": [Step(at, "set", "B2B_PAUSED", "true"), Step(later, "set", "B2B_PAUSED", "false")],
        "mode": [Step(at, "set", "B2B_MODE", "assess"), Step(later, "set", "B2B_MODE", "convert")],
        "hosts": [Step(at, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com")],
        "restart": [Step(at, "restart")],
        "crash": [Step(at, "crash")],
        "lose": [Step(at, "lose", asked)],
        "poison": [
            Step(draw.choice((0.0, at)), "poison", asked),
            Step(later + 700, draw.choice(("retry", "send")), asked, ask),
        ],
        "foreign": [Step(at, "foreign row", asked), Step(later, "own row", asked)],
        "sweep": [Step(at, "sweep")],
        "dry run released": [
            Step(at, "send", "", Ask("dry", who, dry_run=True)),
            Step(later, "release", "dry"),
            *([Step(later + 700, "approve", "dry")] if draw.random() < 0.3 else []),
        ],
        "access": [Step(at, "relate", who, draw.choice(OTHERWISE))],
        "access and back": [
            Step(at, "relate", who, ("groups", (PROJECT,))),
            Step(later, "relate", who, ("groups", (PARTNERS,))),
        ],
        "withdraw": [
            Step(at, "withdraw", "Directory.Read.All"),
            Step(later, "withdraw", "Directory.Read.All", draw.choice(("back", None))),
        ],
        "access after": [
            Step(draw.choice((2000.0, 4500.0, 20_000.0)), "relate", who, draw.choice(OTHERWISE)),
            Step(100_000.0 + later, draw.choice(("accept", "compare")), who),
        ],
        "another redeems": [
            Step(draw.choice((900.0, 1500.0, 4000.0)), "redeem as", who, draw.choice(STRANGERS)),
            *([Step(100_000.0 + later, draw.choice(("accept", "compare")), who)] if draw.random() < 0.5 else []),
        ],
        "refuse": [Step(at, "refuse", asked)],
        "cancel": [Step(at, "cancel", asked)],
        "two sweeps": [Step(at, "sweep"), Step(at, "sweep")],
        "outage": [Step(at, "outage", draw.choice(("tables", "queue", "graph")), draw.choice((60.0, 3600.0)))],
        "slow": [Step(at, "slow", "graph", 6.0), Step(later, "slow", "graph", 0.15)],
        "expire": [Step(at, "expire")],
        "long pause": [Step(at, "set", "B2B_PAUSED", "true"), Step(at + 93_600, "set", "B2B_PAUSED", "false")],
        "correct": [Step(at, "send", "", Ask("r1", who))],
        "adopted": [
            Step(0.0, "invite by hand", who),
            Step(0.1, "send", "", Ask("adopting", who)),
            *([Step(later, draw.choice(("convert back", "redeem", "delete")), who)] if draw.random() < 0.4 else []),
            Step(later + 400, "adopt", "adopting"),
        ],
        "resend": [Step(later + 700, "resend", who)],
        "resend twice": [Step(later + 700, "resend", who), Step(later + draw.choice((700.0, 760.0)), "resend", who)],
        "resend again": [Step(later + 700, "resend", who), Step(later + 5000, "resend", who)],
        "redeemed as it is resent": [Step(later + 900, "resend", who), Step(later + 900, "redeem", who)],
        "another address": _another_address(draw, who, at, later + 700),
    }
    return kinds[draw.choice(list(kinds))]


def _another_address(draw: Random, who: str, at: float, later: float) -> list[Step]:
    """Set the right address as mail, and then correct the invitation. An action at the same time is drawn, too."""
    right = f"{who}.new@fabrikam.com"
    meets = draw.choice(("", "redeem", "resend", "convert back", "correct"))
    steps = [Step(at, "change", who, {"mail": right}), Step(later, "correct", who, right)]
    return [*steps, Step(later, meets, who, right if meets == "correct" else None)] if meets else steps


def _any_fault(draw: Random) -> Fault:
    return fault(draw, FAULTY_CALLS[0] if draw.random() < 0.4 else draw.choice(FAULTY_CALLS[1:]))


def fault(draw: Random, kind: tuple[str, str, tuple[str, ...]]) -> Fault:
    """Draw the outcome of a fault in this kind of call, the number of the call, and the fault's duration."""
    call, subject, outcomes = kind
    outcome = draw.choice(outcomes)
    lasting = {
        "hold": draw.choice(WAITS[:4]),
        "slow": draw.choice((5.0, 40.0, 200.0)),
        "late": draw.choice((2.0, 10.0, 30.0)),
        "freeze": draw.choice((5.0, 30.0, 300.0, 3600.0)),
        "throttled": draw.choice((5.0, 30.0, 300.0)),
        "throttled after": draw.choice((5.0, 30.0, 300.0)),
    }
    nth = draw.choice((1, 1, 1, 2, 2, 3)) if call == "graph invite" else 1 + min(int(draw.expovariate(0.25)), 20)
    return Fault(call, subject, outcome, nth, 0, lasting.get(outcome, 0.0))
