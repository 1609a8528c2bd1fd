"""Write the pages about stages and waits, and the picture of the stages."""

from collections.abc import Iterable

from b2b.domain.conversion.stages import LEADS_TO, STAGES, Action, Phase, Stage
from b2b.domain.conversion.waits import WAITS, Cause
from b2b.domain.conversion.waits import Row as Wait
from reference.pages import MADE
from reference.tables import coded, table

GIVING_UP = {Cause.TROUBLE: "counts", Cause.HELD: "counts", Cause.WANTED: "does not count"}
"""Whether the time of a wait counts towards giving up, by the cause of the wait."""
PHASE_COLOURS = (
    "classDef SERVICE fill:#dbe9ff,stroke:#3b6fb6,color:#1f2328",
    "classDef PERSON fill:#fff0c9,stroke:#9a6b00,color:#1f2328",
    "classDef ENDED fill:#e6e8eb,stroke:#57606a,color:#1f2328",
)
"""Mermaid styles. They set the colour of the text, too, so that it is readable on light and dark pages."""


def stages() -> str:
    """Return the page of stages: what each means, who acts, what may follow, and what an administrator may do."""
    rows = [
        [
            coded(row.stage),
            row.meaning,
            row.phase.value,
            row.care.value,
            _listed(Stage, row.next),
            _listed(Action, row.actions),
            row.operation,
        ]
        for row in STAGES
    ]
    head = ["stage", "meaning", "phase", "looked after by", "may become", "an administrator may", "operation"]
    begins = _listed(Stage, (row.stage for row in STAGES if row.restarts))
    leads = "\n".join(f"* {coded(action)}: {coded(stage)}" for action, stage in LEADS_TO.items())
    return f"""{MADE}
# Stages

A conversion is what happens to one account, a request is what a caller asked for. A request shows the stage of the
conversion that it belongs to, and may skip a stage that passed before it was brought up to date. What has ended stays
ended until an administrator acts on it.

{table(head, rows)}
Where an action leads a request:

{leads}

A later request for the account begins a new generation of its conversion over one of these stages:
{begins}.
Over `invited` and `completed` it does so only if the directory shows that the invitation is void; else it joins.
"""


def picture() -> str:
    """Return the stages as a flowchart of what the app does by itself and what an administrator may do."""
    steps = [f"{row.stage} --> {following}" for row in STAGES for following in Stage if following in row.next]
    actions = [
        f"{row.stage} -. {action} .-> {LEADS_TO[action]}"
        for row in STAGES
        for action in Action
        if action in row.actions and LEADS_TO[action] not in row.next
    ]
    phases = [f"class {','.join(row.stage for row in STAGES if row.phase is phase)} {phase.name}" for phase in Phase]
    first = [f"body([a body]) --> {stage}" for stage in Stage if not any(stage in row.next for row in STAGES)]
    lines = [*first, *(f"{row.stage}({row.stage})" for row in STAGES), *steps, *actions, *PHASE_COLOURS, *phases]
    return "\n".join(["```mermaid", "flowchart TD", *(f"  {line}" for line in lines), "```"]) + "\n"


def waits() -> str:
    """Return the page of waits: the text of each reason, whether its time counts towards giving up, and the delay."""
    rows = [[coded(row.reason), row.text, row.cause.value, GIVING_UP[row.cause], _delay(row)] for row in WAITS]
    return f"""{MADE}
# Waits

`waiting` in `GET /api/requests/{{requestId}}`, and the column of that name in the ledger, say why a request or a
conversion cannot go on: `reason`, `since`, and `until`, when the app looks again (`null`: with the sweep). `text` is
in the answer only.

{table(["reason", "text", "cause", "time towards giving up", "looks again after"], rows)}
Where the remaining time is known (a `Retry-After` of Graph, the end of a lease), the app waits that long instead. A
request's wait is stretched by up to a quarter, so that not all come back at once. A wait that does not count also lets
earlier trouble be forgotten. `B2B_GIVE_UP_SECONDS` ([settings](settings.md)) is the limit.
"""


def _listed(order: Iterable[Stage | Action], found: Iterable[Stage | Action]) -> str:
    """List the found values in the order of their enum, because a set has no order."""
    wanted = set(found)
    return ", ".join(coded(each) for each in order if each in wanted) or "-"


def _delay(row: Wait) -> str:
    return f"{row.first:g} s" if row.first == row.most else f"{row.first:g} s, doubling to {row.most:g} s"
