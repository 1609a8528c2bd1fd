"""Combine a request's own row with the current state of the conversion that it belongs to."""

from dataclasses import dataclass, replace

from b2b.domain.conversion.records import Conversion
from b2b.domain.request.record import RequestRecord, belongs, may_show, mirrored


@dataclass(frozen=True)
class Standing:
    """The state of a request, as callers see it."""

    record: RequestRecord
    leader: str | None = None
    """The id of the request that leads the conversion, if this request joined another. The leader's invitation counts.

    None if the request joined no other.
    """


def standing(record: RequestRecord, conversion: Conversion | None) -> Standing:
    """Return the state of a request, from its row and the conversion of its account."""
    shown = as_it_stands(record, conversion)
    return Standing(shown, joined(shown, conversion))


def beside(found: Standing, leader: RequestRecord | None) -> Standing:
    """Return the state of a joined request with its leader's wait, because the leader's message works for both."""
    if leader is None or not leader.at_work:
        return found
    return replace(found, record=replace(found.record, waiting=leader.waiting))


def as_it_stands(record: RequestRecord, conversion: Conversion | None) -> RequestRecord:
    """Return the request updated from its conversion, whose row is authoritative."""
    if conversion is None or not belongs(record, conversion) or not may_show(record, conversion):
        return record
    shown = replace(record, stage=conversion.stage, **mirrored(conversion))
    return replace(shown, waiting=record.waiting if shown.at_work else conversion.waiting)


def joined(record: RequestRecord, conversion: Conversion | None) -> str | None:
    """Return the id of the request that leads the conversion which the given request joined.

    None if the given request is the leader, belongs to no conversion, or belongs to an earlier generation.
    """
    if conversion is None or not record.generation or record.generation != conversion.generation:
        return None
    return conversion.request_id if conversion.request_id != record.request_id else None
