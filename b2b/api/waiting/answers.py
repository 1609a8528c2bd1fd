"""The structs of the answers about an invited account."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from b2b.api.answers import Answer
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.way_back import Grade, Standing


class WayShown(Answer, frozen=True, kw_only=True):
    """A way to undo a conversion, or to limit its effect."""

    title: Annotated[str, Meta(description="The name of the way.")]
    do: Annotated[str, Meta(description="What an administrator has to do. The app does not do it.")]
    costs: Annotated[str, Meta(description="What is lost, and what stays as it is.")]
    grade: Annotated[Grade, Meta(description="How certain the effect is.")]
    source: Annotated[str, Meta(description="The source of this information.")]


class WayBackReport(Answer, frozen=True, kw_only=True):
    """The ways to undo an account's conversion in its current state."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="The stage of the conversion.")]
    standing: Annotated[Standing, Meta(description="The state of the account in the directory.")]
    read_at: Annotated[datetime, Meta(description="When the app read the account.")]
    earlier_addresses: Annotated[
        list[str],
        Meta(description="Addresses that were corrected. Until the redemption, the links sent to them may still work."),
    ]
    ways: Annotated[list[WayShown], Meta(description="What an administrator can do, least drastic first.")]
