"""The errors of Microsoft Graph, with their codes and texts.

Errors of the directory have `Request_*` codes. The invitation service behind Graph uses `BadRequest`, `Forbidden` and
`InternalServerError` (recorded in MicrosoftDocs/azure-docs#71825 and microsoftgraph/microsoft-graph-docs#22397).
"""

from collections.abc import Mapping
from http import HTTPStatus

ADVANCED_HELP = (
    "is not supported because the required parameters might be missing. Try adding $count=true query parameter and "
    "ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information"
)


class GraphError(Exception):
    """An error answer of Graph.

    `violation` marks an error that only an incorrect client can cause (an unknown option, a filter that Graph does not
    support, a malformed body). The tenant records it, so that a test can assert that there were none. `detail` is the
    text of that record (default: the message); `told` is as in an `Answer`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        violation: str | None = None,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        told: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.violation = violation
        self.detail = detail or message
        self.headers = dict(headers or {})
        self.told = dict(told or {})


def bad_request(message: str, *, code: str = "BadRequest", violation: str | None = None) -> GraphError:
    """400. The invitation service and Graph's gateway use the code `BadRequest`."""
    return GraphError(HTTPStatus.BAD_REQUEST, code, message, violation=violation)


def forbidden(message: str) -> GraphError:
    """403 of the invitation service."""
    return GraphError(HTTPStatus.FORBIDDEN, "Forbidden", message)


def denied() -> GraphError:
    """403 of the directory: the token has none of the permissions that suffice (json-batching article)."""
    message = "Insufficient privileges to complete the operation."
    return GraphError(HTTPStatus.FORBIDDEN, "Authorization_RequestDenied", message)


def unauthorized(message: str) -> GraphError:
    """401 for a missing, foreign or expired token. The header has no `claims`, so the SDK (kiota) does not retry."""
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return GraphError(
        HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge}
    )


def throttled(
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    told: Mapping[str, float] | None = None,
    early: str | None = None,
) -> GraphError:
    """429 (throttling article); the wording differs between services.

    `early` describes the call of a client that came back before its wait ended; None if it did not.
    """
    return GraphError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "TooManyRequests",
        message,
        violation="early-retry" if early else None,
        detail=early,
        headers=headers,
        told=told,
    )


def concurrency_violation() -> GraphError:
    """409 that asks the client to retry (nais/azurerator#448)."""
    message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    return GraphError(HTTPStatus.CONFLICT, "Directory_ConcurrencyViolation", message)


def resource_not_found(identifier: str) -> GraphError:
    """404. It is the same for an absent, a deleted and a not yet replicated object (microsoft-graph-docs#6059)."""
    message = (
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present."
    )
    return GraphError(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", message)


def unknown_segment(segment: str) -> GraphError:
    """400 for a path that Graph or this tenant does not have."""
    return bad_request(f"Resource not found for the segment '{segment}'.", violation="unknown-route")


def method_not_allowed() -> GraphError:
    """405 for a path that exists only for another method."""
    message = "Specified HTTP method is not allowed for the request target."
    return GraphError(HTTPStatus.METHOD_NOT_ALLOWED, "Request_BadRequest", message, violation="unknown-route")


def unknown_property(name: str, type_name: str) -> GraphError:
    """400 for a name in $select, $filter, $orderby or a body that the type does not have."""
    message = f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
    return bad_request(message, code="Request_BadRequest", violation="unknown-property")


def unsupported_query(message: str) -> GraphError:
    """400 for a well-formed query that the directory does not support."""
    return bad_request(message, code="Request_UnsupportedQuery", violation="unsupported-query")


def unsupported_filter(name: str, type_name: str) -> GraphError:
    """400 for a property that cannot be filtered this way; also the answer to `eq ''` (advanced queries article)."""
    resource = type_name[0].upper() + type_name[1:]
    return unsupported_query(
        f"Unsupported or invalid query filter clause specified for property '{name}' of resource '{resource}'."
    )


def needs_advanced(operator: str) -> GraphError:
    """400 for an operator that works only with `ConsistencyLevel: eventual` and `$count=true`."""
    return unsupported_query(f"Operator '{operator}' {ADVANCED_HELP}")


def invalid_filter(detail: str) -> GraphError:
    """400 for a filter that does not parse."""
    return bad_request(f"Invalid filter clause: {detail}", violation="unsupported-query")


def unknown_option(name: str) -> GraphError:
    """400 for a query option that this path does not take."""
    return bad_request(f"The query option '{name}' is not supported for this request.", violation="unknown-option")


def malformed(message: str) -> GraphError:
    """400 for a body that the operation does not accept."""
    return bad_request(message, violation="malformed-request")


def expired_page_token() -> GraphError:
    """400 for a page token that is too old, unknown, or sent without the header of its first page."""
    message = "The specified page token value has expired and can no longer be included in your request."
    return bad_request(message, code="Directory_ExpiredPageToken")
