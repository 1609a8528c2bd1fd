"""The routes about an invited account."""

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
"""The errors of a resend and a correction."""

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="adopt_request",
        method="POST",
        path="requests/{requestId}/adopt",
        handler=handlers.adopt,
        roles=_DECIDES,
        summary="Adopt an invitation",
        text="Lets the app follow an account that someone else invited. Nothing is sent.",
        body=Body(bodies.Adoption, "Who adopts the account, and why."),
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
        text="Sends an invitation once more to an account that has not redeemed it. The rules are checked again.",
        body=Body(bodies.Resend, "Who wants the mail sent, and why."),
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
        text="Invites another address in place of a wrong one, once. The account's mail must already be that address.",
        body=Body(bodies.Correction, "Who corrects the address, why, and the right address."),
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
        text="Shows how a conversion can be undone in its current state, and what each way costs. Changes nothing.",
        answers={200: WayBackReport},
        own_errors=(E.CONVERSION_NOT_FOUND,),
        in_connector=False,
    ),
)
