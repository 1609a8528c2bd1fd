"""The error codes of the HTTP contract, one row each; docs/reference/errors.md is generated from them."""

from dataclasses import dataclass
from typing import Final

_RECORDED = "row `rejected`"


@dataclass(frozen=True)
class ErrorCode:
    """What a caller meets: the code, its HTTP status, when it is given, and what the same does to a queue message."""

    code: str
    status: int
    when: str
    by_queue: str = ""


ERROR_CODES: Final[tuple[ErrorCode, ...]] = (
    ErrorCode("EmptyBody", 400, "the body is empty; a chunked body arrives empty", _RECORDED),
    ErrorCode("NotJson", 400, "the body is not JSON", _RECORDED),
    ErrorCode("UnknownField", 400, "a field is not known; `target` is its path", _RECORDED),
    ErrorCode("MissingField", 400, "a required field is missing", _RECORDED),
    ErrorCode("WrongType", 400, "a value has another type than expected, as JSON calls them", _RECORDED),
    ErrorCode(
        "InvalidValue",
        400,
        "a value is out of range; none or several of `id`, `userPrincipalName`, `mail`; a field is given twice",
        _RECORDED,
    ),
    ErrorCode("RedirectHostNotAllowed", 400, "the host of the redirect address is not allowed in settings", _RECORDED),
    ErrorCode("CallbackNotAvailable", 400, "`callbackUrl`: nothing delivers callbacks yet", _RECORDED),
    ErrorCode("RequestTooLarge", 413, "the body has more than 48 KiB", _RECORDED),
    ErrorCode(
        "RequestIdInUse",
        409,
        "the same `requestId` came with another body",
        "an event in the first request's history",
    ),
    ErrorCode("UnknownParameter", 400, "the route does not know a query parameter, such as `?dryRun=true`"),
    ErrorCode("RequestNotFound", 404, "there is no request with this id"),
    ErrorCode("NotRetryable", 409, "a retry of a request that is neither failed nor blocked"),
    ErrorCode("NotReleasable", 409, "a release of a request that was not assessed, or found no account to invite"),
    ErrorCode("NotCancellable", 409, "a cancellation of a request that has ended, or whose invitation may be out"),
    ErrorCode("ModeIsAssess", 409, "a retry, an approval or a release while `B2B_MODE` is `assess`"),
    ErrorCode("NotAwaitingApproval", 409, "an approval or a refusal of a request that does not wait for a person"),
    ErrorCode(
        "DecisionSuperseded",
        409,
        "an approval or a refusal of a request that joined another one, or after which a later one for the same "
        "account was judged: decide about that one",
    ),
    ErrorCode("RequestChanged", 409, "the request changed while a decision about it was being processed"),
    ErrorCode(
        "ServiceUnavailable",
        503,
        "a service does not do its part (429, 503, a missing permission), with `Retry-After`: for an assessment, or "
        "when storage is down. A conversion is taken in (202) and waits; `waiting` says for what",
        "the request waits; after `B2B_GIVE_UP_SECONDS` of trouble without a break the request ends `failed`",
    ),
    ErrorCode(
        "InternalError",
        500,
        "a bug of the app",
        "retried, then poison, from where the sweep sends it back at most three times",
    ),
)
STATUS: Final = {row.code: row.status for row in ERROR_CODES}
