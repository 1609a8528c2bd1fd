"""A request as it stands: its own row, and what the conversion that it belongs to says now."""

from dataclasses import dataclass, replace

from b2b.domain.conversion.records import Conversion
from b2b.domain.request.record import RequestRecord, belongs, may_show, mirrored


@dataclass(frozen=True)
class Standing:
    """What callers are shown of a request."""

    record: RequestRecord
    leader: str | None = None
    """The request that leads the conversion which this one joined: what that one asked for was sent."""


def standing(record: RequestRecord, conversion: Conversion | None) -> Standing:
    """Return what a request and the conversion of its account say together."""
    shown = as_it_stands(record, conversion)
    return Standing(shown, joined(shown, conversion))


def beside(found: Standing, leader: RequestRecord | None) -> Standing:
    """Return a request that joined as it waits: with its leader, whose message does the work for both."""
    if leader is None or not leader.at_work:
        return found
    return replace(found, record=replace(found.record, waiting=leader.waiting))


def as_it_stands(record: RequestRecord, conversion: Conversion | None) -> RequestRecord:
    """Return the request with what its conversion says now: the conversion's own row is the truth."""
    if conversion is None or not belongs(record, conversion) or not may_show(record, conversion):
        return record
    shown = replace(record, stage=conversion.stage, **mirrored(conversion))
    return replace(shown, waiting=record.waiting if shown.at_work else conversion.waiting)


def joined(record: RequestRecord, conversion: Conversion | None) -> str | None:
    """Return the request that leads the conversion which this one joined.

    None if the request leads itself, belongs to no conversion, or a later conversion of the account has begun.
    """
    if conversion is None or not record.generation or record.generation != conversion.generation:
        return None
    return conversion.request_id if conversion.request_id != record.request_id else None
