"""Runs over many members. A run is cut into parts, each with a message of its own that any instance can process.

If a part is delivered twice, or its process dies, it is processed again, but nothing is done twice for a member.
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
"""Members per part: at most a minute's work, and a small row."""
PLANNING = -1
"""The number of the part that cuts the run into the other parts."""
MOST_RETURNS = 3
"""How often a part is sent back from the poison queue. It may be there only because other work crashed the process."""


class RunKind(StrEnum):
    """What is done for each member."""

    JUDGE = "judge"
    RELEASE = "release"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class Run:
    """Work on many members that one call has ordered."""

    campaign_id: str
    run_id: str
    kind: RunKind
    asked_at: datetime
    asked_by: Actor = BY_KEY
    because: str = ""
    """The reason that the caller gave for a release or an end."""
    wanted: str = ""
    """JSON of the filter. If there are ``keys``, they select the members instead."""
    keys: tuple[str, ...] = ()
    parts: int = 0
    members: int = 0
    plan: str = ""
    """The id of the cut into parts that is used, because several processes may cut the run. Empty until the run is
    cut."""
    round: int = 0
    """How often the messages of the run were lost and sent again. A message of an earlier round does nothing."""
    schema_version: int = SCHEMA_VERSION
    etag: str = ""

    @property
    def planned(self) -> bool:
        """Whether the run is cut into parts."""
        return self.plan != ""


@dataclass(frozen=True)
class Part:
    """Some members of a run, and how many of them had which outcome."""

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
    """Whether every member was handled."""


class PartMessage(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The app's own message, which asks to process a part of a run."""

    campaign_id: str
    run_id: str
    part: int
    round: int = 0
    returns: int = 0

    def message(self) -> bytes:
        """Return the message as it is sent to the queue."""
        return msgspec.json.encode({CAMPAIGN: self})

    def returned(self) -> Self:
        """Return the message to send back from the poison queue to the work queue, with one more return counted."""
        return msgspec.structs.replace(self, returns=self.returns + 1)


def part_message(document: Mapping[str, Any]) -> PartMessage | None:
    """Return the message that a document from the queue holds; None if it is not the message of a part."""
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
    """Return a filter as JSON."""
    return msgspec.json.encode(wanted).decode()


def takes(run: Run, member: Member, now: datetime) -> bool:
    """Tell whether a run handles a member: the caller selected it, and in its stage the run has something to do."""
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
"""Stages in which the end of a campaign cancels a member: before the invitation, or while its outcome is unknown."""


def cut(run: Run, plan: str, keys: Sequence[str], size: int = PART) -> tuple[Run, tuple[Part, ...]]:
    """Cut a run into parts. ``plan`` is the id of this cut. If other processes cut the run, too, one cut is used."""
    parts = tuple(
        Part(number, tuple(keys[start : start + size])) for number, start in enumerate(range(0, len(keys), size))
    )
    return replace(run, parts=len(parts), members=len(keys), plan=plan), parts


def progress(run: Run, parts: Iterable[Part]) -> Progress:
    """Return the progress of a run: the sum over its parts."""
    counts: Counter[str] = Counter()
    done = [part for part in parts if part.done]
    for part in done:
        counts.update(part.counts)
    finished = run.planned and len(done) == run.parts
    return Progress(run, sum(len(part.keys) for part in done), counts, finished)
