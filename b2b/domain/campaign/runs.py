"""Work on many members: a run is cut into parts, each with a message of its own, for any instance to take.

A part that comes twice, or dies in the middle, is done again: what was done for a member is not done twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import msgspec

from b2b.domain.actors import BY_KEY, Actor
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.conversion.records import SCHEMA_VERSION
from b2b.domain.findings import Verdict
from b2b.domain.request.ids import REQUEST_ID

CAMPAIGN = "campaign"
PART = 50
"""Members in a part: a minute's work at the outside, and a small row."""
PLANNING = -1
"""The part that cuts a run into parts."""
MOST_RETURNS = 3
"""How often a part goes back from the poison queue: a neighbour's crash may have brought it there."""


class RunKind(StrEnum):
    """What is done for each member."""

    JUDGE = "judge"
    RELEASE = "release"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One order for many members."""

    campaign_id: str
    run_id: str
    kind: RunKind
    asked_at: datetime
    asked_by: Actor = BY_KEY
    because: str = ""
    """Why: of a release or an end."""
    wanted: str = ""
    """JSON of the filter; with ``keys``, these members alone."""
    keys: tuple[str, ...] = ()
    parts: int = 0
    members: int = 0
    plan: str = ""
    """Names the cut that holds, of all that were made. Empty: the run is not cut into parts yet."""
    round: int = 0
    """How often its messages were lost and sent again: a message of an earlier round does nothing."""
    schema_version: int = SCHEMA_VERSION
    etag: str = ""

    @property
    def planned(self) -> bool:
        """Whether the run is cut into parts."""
        return self.plan != ""


@dataclass(frozen=True)
class Part:
    """Some members of a run, and what became of them."""

    number: int
    keys: tuple[str, ...]
    done: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    run: Run
    done: int
    counts: Mapping[str, int]
    finished: bool
    """Every member was seen to."""


class PartMessage(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Our own message: this part of a run is to be worked on."""

    campaign_id: str
    run_id: str
    part: int
    round: int = 0
    returns: int = 0

    def message(self) -> bytes:
        """Return the message as it stands on the queue."""
        return msgspec.json.encode({CAMPAIGN: self})

    def returned(self) -> Self:
        """Return the message as it goes from the poison queue back to the work queue, with one return more."""
        return msgspec.structs.replace(self, returns=self.returns + 1)


def part_message(document: Mapping[str, Any]) -> PartMessage | None:
    """Return the message for a part of a run. None: the document only looks like one."""
    if set(document) != {CAMPAIGN}:
        return None
    try:
        found = msgspec.convert(document[CAMPAIGN], PartMessage)
    except ValueError:
        return None
    return found if REQUEST_ID.fullmatch(found.campaign_id) and REQUEST_ID.fullmatch(found.run_id) else None


def message_of(run: Run, part: int) -> bytes:
    """Return the message for a part of a run."""
    return PartMessage(run.campaign_id, run.run_id, part, run.round).message()


def filter_json(wanted: Filter) -> str:
    """Write a filter down."""
    return msgspec.json.encode(wanted).decode()


def takes(run: Run, member: Member, now: datetime) -> bool:
    """Tell whether a run sees to a member: the caller meant the member, and its stage lets the run do something."""
    if not _sensible(run.kind, member):
        return False
    if run.keys:
        return member.key in run.keys
    return msgspec.json.decode(run.wanted or "{}", type=Filter).takes(member, now)


def _sensible(kind: RunKind, member: Member) -> bool:
    match kind:
        case RunKind.JUDGE:
            return member.stage.judged_again
        case RunKind.RELEASE:
            return member.stage is MemberStage.JUDGED and member.verdict is Verdict.READY
        case RunKind.END:
            return member.stage in ENDABLE


ENDABLE = frozenset(
    {MemberStage.LISTED, MemberStage.JUDGED, MemberStage.REQUESTED, MemberStage.INVITING, MemberStage.NEEDS_REVIEW}
)
"""Stages in which the end of a campaign calls a member off: before the invitation, or while its outcome is open."""


def cut(run: Run, plan: str, keys: Sequence[str], size: int = PART) -> tuple[Run, tuple[Part, ...]]:
    """Cut a run into parts. ``plan`` names this cut: another process may cut the run as well, and one of them holds."""
    parts = tuple(
        Part(number, tuple(keys[start : start + size])) for number, start in enumerate(range(0, len(keys), size))
    )
    return replace(run, parts=len(parts), members=len(keys), plan=plan), parts


def progress(run: Run, parts: Iterable[Part]) -> Progress:
    """Add up what became of the parts."""
    counts: Counter[str] = Counter()
    done = [part for part in parts if part.done]
    for part in done:
        counts.update(part.counts)
    finished = run.planned and len(done) == run.parts
    return Progress(run, sum(len(part.keys) for part in done), counts, finished)
