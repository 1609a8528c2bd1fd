"""The table of routes. Triggers, OpenAPI, the connector, the docs and the tests of access are made from it."""

from typing import Final

from b2b.api import bodies, decisions, document, requests
from b2b.api.answers import Accepted, Assessed, HealthReport, OperationStatus, RequestStatus
from b2b.api.callers import ANY, Role
from b2b.api.route import Body, Route
from b2b.domain.error_codes import ErrorCode as E
from b2b.domain.request import ConversionRequest

_TAKEN_IN = {
    "Location": "Where to ask for the request.",
    "Operation-Location": "Where to ask for it as a long-running operation.",
    "Retry-After": "Seconds after which to ask.",
}
_AT_WORK = {"Location": "Where to ask again.", "Retry-After": "Seconds after which to ask again."}
_DECIDES = frozenset({Role.DECIDE})
_LOOKS_AFTER = frozenset({Role.REQUEST, Role.MANAGE})
_NOT_DECIDED = (E.PERSON_REQUIRED, E.REQUEST_NOT_FOUND, E.REQUEST_CHANGED)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="submit_request",
        method="POST",
        path="requests",
        handler=requests.submit,
        roles=frozenset({Role.REQUEST}),
        summary="Convert an account",
        text="Takes a request in. Repeating it with the same request id is safe.",
        body=Body(ConversionRequest, "The account to convert, in the fields of Graph's invitation."),
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(E.REDIRECT_HOST_NOT_ALLOWED, E.CALLBACK_NOT_AVAILABLE, E.REQUEST_ID_IN_USE),
    ),
    Route(
        name="request_status",
        method="GET",
        path="requests/{requestId}",
        handler=requests.status,
        roles=ANY,
        summary="Get a request",
        text="Answers 202 while the service is at work, and 200 once it waits for a person or has ended.",
        answers={200: RequestStatus, 202: RequestStatus},
        headers=_AT_WORK,
        own_errors=(E.REQUEST_NOT_FOUND,),
    ),
    Route(
        name="retry_request",
        method="POST",
        path="requests/{requestId}/retry",
        handler=decisions.retry,
        roles=_LOOKS_AFTER,
        summary="Retry a request",
        text="Begins a failed or blocked request again, from the body that it came with.",
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(E.REQUEST_NOT_FOUND, E.NOT_RETRYABLE, E.MODE_IS_ASSESS, E.REQUEST_CHANGED),
    ),
    Route(
        name="approve_request",
        method="POST",
        path="requests/{requestId}/approve",
        handler=decisions.approve,
        roles=_DECIDES,
        summary="Approve a request",
        text="Lets a request that needs review go on. The rules are asked again; only what was shown is waived.",
        body=Body(bodies.Approval, "Who approves, and why."),
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(
            *_NOT_DECIDED,
            E.NOT_AWAITING_APPROVAL,
            E.DECISION_SUPERSEDED,
            E.MODE_IS_ASSESS,
            E.OWN_REQUEST,
        ),
    ),
    Route(
        name="refuse_request",
        method="POST",
        path="requests/{requestId}/refuse",
        handler=decisions.refuse,
        roles=_DECIDES,
        summary="Refuse a request",
        text="Ends a request that needs review.",
        body=Body(bodies.Refusal, "Who refuses, and why."),
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(*_NOT_DECIDED, E.NOT_AWAITING_APPROVAL, E.DECISION_SUPERSEDED),
    ),
    Route(
        name="release_request",
        method="POST",
        path="requests/{requestId}/release",
        handler=decisions.release,
        roles=_DECIDES,
        summary="Release a dry run",
        text="Lets a dry run become real, for exactly the account and the address that were judged.",
        body=Body(bodies.Release, "Who releases it, and why; may be left out.", required=False),
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(*_NOT_DECIDED, E.NOT_RELEASABLE, E.MODE_IS_ASSESS),
    ),
    Route(
        name="cancel_request",
        method="POST",
        path="requests/{requestId}/cancel",
        handler=decisions.cancel,
        roles=_LOOKS_AFTER,
        summary="Cancel a request",
        text="Ends a request that was not invited yet. A request that joined it takes over.",
        answers={202: Accepted},
        headers=_TAKEN_IN,
        own_errors=(E.REQUEST_NOT_FOUND, E.NOT_CANCELLABLE, E.REQUEST_CHANGED),
    ),
    Route(
        name="operation_status",
        method="GET",
        path="operations/{requestId}",
        handler=requests.operation,
        roles=ANY,
        summary="Get a request as an operation",
        text="Answers 200 always; the status is Running until the person has redeemed.",
        answers={200: OperationStatus},
        own_errors=(E.REQUEST_NOT_FOUND,),
    ),
    Route(
        name="assess",
        method="POST",
        path="assessments",
        handler=requests.assess,
        roles=frozenset({Role.REQUEST}),
        summary="Assess an account",
        text="Says whether an account may be converted, and changes nothing.",
        body=Body(ConversionRequest, "The request as it would be sent."),
        answers={200: Assessed},
        own_errors=(E.REDIRECT_HOST_NOT_ALLOWED, E.CALLBACK_NOT_AVAILABLE),
    ),
    Route(
        name="health",
        method="GET",
        path="health",
        handler=requests.health,
        roles=ANY,
        summary="Get the health of the app",
        text="Says whether everything that the app needs does its part: 200, or 503 with the lines that failed.",
        answers={200: HealthReport, 503: HealthReport},
    ),
    Route(
        name="openapi",
        method="GET",
        path="openapi.json",
        handler=document.openapi,
        roles=ANY,
        summary="Get this document",
        text="Describes the API as OpenAPI 3.1.",
        answers={200: dict},
        in_connector=False,
    ),
)
