"""Parts of the decision table: situations, the steps that must follow, and values that several rows share."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from b2b.domain.conversion.situation import (
    Situation,
    Step,
)
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from tests.unit.protocol import (
    DAY,
    HOUR,
    LIMITS,
    NOW,
    PENDING,
    SECOND,
    conversion,
    doubt,
    finding,
    judged,
    record,
)


class Point(Enum):
    """The part of the protocol that a row tests."""

    DRY_RUN = "a dry run invites nobody until it is released"
    ONE_END = "what has ended is not changed"
    CLAIM = "a claim covers exactly what was judged, and only its holder calls Graph"
    DOUBT = "a doubt forbids the next try until it is settled"
    DIRECTORY = "the directory is believed over the ledger"
    JOINER = "a conversion has one leader"
    WAIT = "a wait is recorded in the row"


@dataclass(frozen=True)
class Row:
    """A situation, and the step that must follow from it."""

    point: Point
    said: str
    step: Step
    given: dict[str, Any] = field(default_factory=dict)


READY = judged()
BLOCKED = judged(finding("exchange-mailbox", "block"))
REVIEW = judged(finding())
NOBODY = judged(finding("account-not-found", "block"), account=None, address=None)
ALREADY = judged(finding("invitation-pending", "block"), account=PENDING)
OTHER = record(request_id="r-2")
"""A request other than the one that leads the conversion."""
IN_DOUBT = conversion(doubts=(doubt(2 * HOUR),))
SILENT = conversion(doubts=(doubt(2 * HOUR, silent=True),))
GIVEN_UP = conversion(doubts=(doubt(DAY - 30 * SECOND, silent=True),))
INVITED = conversion(Stage.INVITED, invited_at=NOW - DAY)
IN_REVIEW = conversion(Stage.NEEDS_REVIEW)
ENDS_WITHOUT_INVITATION = (Stage.BLOCKED, Stage.FAILED, Stage.CANCELLED)


def given(**known: Any) -> Situation:
    """Return a situation in which only the arguments differ from a new request about which nothing is known."""
    plain: dict[str, Any] = {
        "request": record(),
        "conversion": None,
        "sighting": None,
        "assessment": None,
        "silent": False,
        "held": None,
        "shows": Shows.UNKNOWN,
        "again": False,
        "limits": LIMITS,
        "now": NOW,
    }
    return Situation(**{**plain, **known})


def row(point: Point, said: str, step: Step, **known: Any) -> Row:
    return Row(point, said, step, known)
