"""What callers are told about a waiting account."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from b2b.api.answers import Answer
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.way_back import Grade, Standing


class WayShown(Answer, frozen=True, kw_only=True):
    """One thing that an administrator can do."""

    title: Annotated[str, Meta(description="What it is.")]
    do: Annotated[str, Meta(description="How it is done. The app does none of it by itself.")]
    costs: Annotated[str, Meta(description="What it costs, and what stays as it is.")]
    grade: Annotated[Grade, Meta(description="How sure that is: documented, recorded of a live tenant, or inferred.")]
    source: Annotated[str, Meta(description="Where that comes from.")]


class WayBackReport(Answer, frozen=True, kw_only=True):
    """What undoing a conversion would take now."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="Where its conversion stands.")]
    standing: Annotated[Standing, Meta(description="Where the account stands, as it was read just now.")]
    read_at: Annotated[datetime, Meta(description="When it was read.")]
    earlier_addresses: Annotated[
        list[str], Meta(description="Addresses that were corrected: until the redemption their links may be alive.")
    ]
    ways: Annotated[list[WayShown], Meta(description="What an administrator can do, the mildest first.")]
