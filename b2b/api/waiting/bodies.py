"""The bodies of decisions about an invited account."""

from typing import Annotated

from msgspec import Meta

from b2b.api.bodies import LONGEST_NAME, Body, Why
from b2b.domain.request.model import MAX_ADDRESS

MOST_WAIVED = 50
"""The most rules that a body may waive. The app has fewer rules than that."""


class Adoption(Body, frozen=True, kw_only=True):
    """Lets the app follow an account that someone else invited."""

    adopted_by: Annotated[
        str | None,
        Meta(
            description="Who adopts the account. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why


Waive = Annotated[
    tuple[str, ...],
    Meta(
        description="The rules whose review findings you waive. Any other review, fix or block finding fails the call.",
        extra_json_schema={"maxItems": MOST_WAIVED},
    ),
]


class Resend(Body, frozen=True, kw_only=True):
    """Sends an invitation again, to the same address."""

    resent_by: Annotated[
        str | None,
        Meta(
            description="Who wants the mail sent. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why
    waive: Waive = ()


class Correction(Body, frozen=True, kw_only=True):
    """Invites another address in place of a wrong address."""

    corrected_by: Annotated[
        str | None,
        Meta(
            description="Who corrects the address. Required with a key; a person who signed in leaves it out.",
            extra_json_schema={"maxLength": LONGEST_NAME},
        ),
    ] = None
    reason: Why
    invited_user_email_address: Annotated[
        str,
        Meta(
            description="The right address. The account's `mail` must already be set to it.",
            extra_json_schema={"minLength": 1, "maxLength": MAX_ADDRESS},
        ),
    ]
    waive: Waive = ()
