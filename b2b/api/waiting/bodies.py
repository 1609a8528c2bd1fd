"""The bodies of decisions about a waiting account."""

from typing import Annotated

from msgspec import Meta

from b2b.api.bodies import LONGEST_NAME, Body, Why
from b2b.domain.request.model import MAX_ADDRESS

MOST_WAIVED = 50
"""More rules than there are."""


class Adoption(Body, frozen=True, kw_only=True):
    """Lets the app follow an invitation that others sent."""

    adopted_by: Annotated[
        str | None,
        Meta(
            description="Who adopts it. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


Waive = Annotated[
    tuple[str, ...],
    Meta(
        description="The rules whose review findings you have seen and waive; any other finding refuses the call.",
        extra_json_schema={"maxItems": MOST_WAIVED},
    ),
]


class Resend(Body, frozen=True, kw_only=True):
    """Sends the mail of an invitation again."""

    resent_by: Annotated[
        str | None,
        Meta(
            description="Who wants it sent. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why
    waive: Waive = ()


class Correction(Body, frozen=True, kw_only=True):
    """Invites another address in place of a wrong one."""

    corrected_by: Annotated[
        str | None,
        Meta(
            description="Who corrects it. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why
    invited_user_email_address: Annotated[
        str,
        Meta(
            description="The right address. The account must have it already, as its mail.",
            extra_json_schema={"minLength": 1, "maxLength": MAX_ADDRESS},
        ),
    ]
    waive: Waive = ()
