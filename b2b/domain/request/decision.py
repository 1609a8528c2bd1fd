"""Who decides about a request, and why: as it is kept, and as it is read from the body of a decision."""

from dataclasses import dataclass

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import document
from b2b.domain.request.fields import Shape, convert

LONGEST_NAME, LONGEST_REASON = 200, 1000


@dataclass(frozen=True)
class Decision:
    """Who decides, and why."""

    by: str
    reason: str = ""

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}".removesuffix(": ")


class Approved(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The body of an approval."""

    approved_by: str
    reason: str


class Refused(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The body of a refusal."""

    refused_by: str
    reason: str


def approval(raw: bytes) -> Decision:
    """Read the body of an approval.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    body = convert(document(raw), Approved, Shape.of(Approved))
    return _decision("approvedBy", body.approved_by, body.reason)


def refusal(raw: bytes) -> Decision:
    """Read the body of a refusal.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    body = convert(document(raw), Refused, Shape.of(Refused))
    return _decision("refusedBy", body.refused_by, body.reason)


def _decision(target: str, by: str, reason: str) -> Decision:
    for name, text, longest in ((target, by, LONGEST_NAME), ("reason", reason, LONGEST_REASON)):
        if not 0 < len(text.strip()) <= len(text) <= longest:
            raise MalformedRequest("InvalidValue", f"{name}: expected 1 to {longest} characters", name)
    return Decision(by, reason)
