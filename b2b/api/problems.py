"""Turn errors into answers."""

import logging
import math
from collections.abc import Sequence

from b2b.api.answers import Failure, Fault, Problem, Reply
from b2b.api.show import RETRY_AFTER, RETRY_AFTER_PERSON
from b2b.domain.characters import legible
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import B2BError, LedgerConflict, MustWait, RequestRefused, Transient, UnreadableRow

log = logging.getLogger(__name__)

UNAUTHORIZED = 401
LONGEST_MESSAGE, LONGEST_TARGET = 1000, 200
"""The most characters of an error's message and target. Both may repeat a caller's text, which may be very long."""


def reply_to(error: Exception) -> Reply:
    """Return the answer to an exception that a handler raised."""
    match error:
        case RequestRefused():
            return refused(error)
        case LedgerConflict():
            said = "The request changed while it was being processed. Read it again and retry."
            return problem(ErrorCode.REQUEST_CHANGED, said)
        case MustWait():
            return _unavailable(error.seconds or RETRY_AFTER, str(error))
        case UnreadableRow():
            return _unavailable(RETRY_AFTER_PERSON, f"A newer version of the app wrote this: {error}")
        case Transient():
            return _unavailable(error.retry_after or RETRY_AFTER, str(error))
    log.error("HTTP request answered 500", exc_info=None if isinstance(error, B2BError) else error)
    return problem(ErrorCode.INTERNAL_ERROR, "Internal error. The request can be retried safely.")


def refused(error: RequestRefused) -> Reply:
    """Return the answer to a refused request. If it has several faults, the details list all of them."""
    faults = (error, *error.others) if error.others else ()
    details = [_fault(each.code, each.message, each.target) for each in faults]
    return problem(error.code, error.message, error.target, details=details)


def problem(
    code: ErrorCode,
    message: str,
    target: str = "",
    retry_after: int | None = None,
    details: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> Reply:
    """Return an error in the form of the Microsoft REST guidelines. ``retry_after``: seconds, or None for no header."""
    told = {"x-ms-error-code": code.value, **(headers or {})}
    if code.status == UNAUTHORIZED:
        told["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        told["Retry-After"] = str(retry_after)
    first = _fault(code, message, target)
    failure = Failure(code=first.code, message=first.message, target=first.target, details=list(details))
    return Reply(code.status, Problem(error=failure), told)


def _fault(code: ErrorCode, message: str, target: str) -> Fault:
    """Return one fault, shortened. Invisible characters are replaced by their names, so that they can be seen."""
    shown = legible(target)[:LONGEST_TARGET]
    return Fault(code=code.value, message=legible(message)[:LONGEST_MESSAGE], target=shown or None)


def _unavailable(delay: float, reason: str) -> Reply:
    log.warning("HTTP request answered 503: %s", reason)
    return problem(ErrorCode.SERVICE_UNAVAILABLE, reason, retry_after=math.ceil(delay))
