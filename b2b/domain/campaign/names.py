"""The CSV file of members that callers download."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from b2b.domain.campaign import csv_out
from b2b.domain.campaign.filters import rules_of, waits_since
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.outlook import in_the_way, prospect_of, remedy_of

COLUMNS: Final[dict[str, Callable[[Member], object]]] = {
    "member": lambda member: member.key,
    "userPrincipalName": lambda member: member.user_principal_name,
    "address": lambda member: member.invited_address or member.address,
    "reference": lambda member: member.reference,
    "stage": lambda member: member.stage,
    "verdict": lambda member: member.verdict,
    "prospect": prospect_of,
    "rules": lambda member: " ".join(sorted(rules_of(member))),
    "change": lambda member: _each(remedy_of(member, finding).change.value for finding in in_the_way(member)),
    "who": lambda member: _each(remedy_of(member, finding).who.value for finding in in_the_way(member)),
    "waiting": lambda member: member.waiting.reason if member.waiting else None,
    "waitsSince": waits_since,
    "userId": lambda member: member.user_id,
    "requestId": lambda member: member.request_id,
    "invitedAt": lambda member: member.invited_at,
    "acceptedAt": lambda member: member.accepted_at,
    "decidedBy": lambda member: member.decided_by,
    "decidedBecause": lambda member: member.decided_because,
    "lastError": lambda member: member.last_error,
}
"""The header and the value of each column. The caller's own columns come after these."""


def header(kept: Sequence[str] = ()) -> str:
    """Return the line of headers. ``kept`` are the headers of the caller's own columns."""
    return csv_out.header((*COLUMNS, *map(csv_out.guarded, kept)))


def line(member: Member, kept: Sequence[str] = ()) -> str:
    """Return a member as a line of CSV."""
    return csv_out.line((*(value(member) for value in COLUMNS.values()), *_own(member, kept)))


def _own(member: Member, kept: Sequence[str]) -> Iterator[str]:
    values = dict(member.kept)
    return (values.get(each, "") for each in kept)


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
