"""The routes about an account whose invitation is out."""

from typing import Final

from b2b.api.answers import Accepted, ConversionStatus
from b2b.api.callers import Role
from b2b.api.route import TAKEN_IN, Body, Route
from b2b.api.waiting import bodies, handlers
from b2b.api.waiting.answers import WayBackReport
from b2b.domain.error_codes import ErrorCode as E

_DECIDES = frozenset({Role.DECIDE})
_SEES = frozenset({Role.READ, Role.DECIDE, Role.MANAGE})
_MAILS = (
    E.PERSON_REQUIRED,
    E.OWN_REQUEST,
    E.CONVERSION_NOT_FOUND,
    E.NOT_INVITED,
    E.NOT_READY,
    E.FINDINGS_CHANGED,
    E.SENT_JUST_NOW,
    E.GRAPH_REFUSED,
    E.APP_PAUSED,
    E.CAMPAIGN_PAUSED,
    E.MODE_IS_ASSESS,
    E.REQUEST_CHANGED,
)
"""What may keep another mail back."""

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="adopt_request",
        method="POST",
        path="requests/{requestId}/adopt",
        handler=handlers.adopt,
        roles=_DECIDES,
        summary="Adopt an invitation",
        text="Lets the app follow an account that others invited. Nothing is sent.",
        body=Body(bodies.Adoption, "Who adopts it, and why."),
        answers={202: Accepted},
        headers=TAKEN_IN,
        own_errors=(E.PERSON_REQUIRED, E.REQUEST_NOT_FOUND, E.REQUEST_CHANGED, E.NOT_ADOPTABLE, E.MODE_IS_ASSESS),
    ),
    Route(
        name="resend_invitation",
        method="POST",
        path="conversions/{userId}/resend",
        handler=handlers.resend,
        roles=_DECIDES,
        summary="Send the mail again",
        text="Sends the invitation again, once, to an account that waits for its person. The rules are asked again.",
        body=Body(bodies.Resend, "Who wants it sent, and why."),
        answers={200: ConversionStatus},
        own_errors=_MAILS,
    ),
    Route(
        name="correct_address",
        method="POST",
        path="conversions/{userId}/correct",
        handler=handlers.correct,
        roles=_DECIDES,
        summary="Correct the address",
        text="Invites another address in place of a wrong one, once. The account must have it already.",
        body=Body(bodies.Correction, "Who corrects it, why, and the right address."),
        answers={200: ConversionStatus},
        own_errors=(*_MAILS, E.ADDRESS_UNCHANGED),
    ),
    Route(
        name="read_way_back",
        method="GET",
        path="conversions/{userId}/way-back",
        handler=handlers.way_back,
        roles=_SEES,
        summary="Get the ways back",
        text="Tells what undoing a conversion would take now. It does nothing.",
        answers={200: WayBackReport},
        own_errors=(E.CONVERSION_NOT_FOUND,),
        in_connector=False,
    ),
)
