"""How storage in memory refuses a request, and the exceptions in which the two SDKs report that, or an outage."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import RequestTooLargeError, TableErrorCode, TableTransactionError
from azure.storage.queue import StorageErrorCode

T = TypeVar("T")


class Refusal(Exception):
    """Storage answers with an error; ``index`` is that of the operation in a transaction."""

    def __init__(self, status: int, code: str, text: str, index: int = 0) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text, self.index = status, code, text, index


class Answer:
    """As much of the HTTP answer as an SDK's exception shows."""

    def __init__(self, status: int, code: str) -> None:
        self.status_code, self.reason = status, HTTPStatus(status).phrase
        self.headers: dict[str, str] = {"x-ms-error-code": code}

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002  the exception asks with and without it
        """Return the body: none, since all that the SDK takes from it is in the exception already."""
        return ""


AsError = Callable[[Refusal], Exception]

_DECODED: Mapping[str, type[HttpResponseError]] = {
    "EntityAlreadyExists": ResourceExistsError,
    "ResourceNotFound": ResourceNotFoundError,
    "TableNotFound": ResourceNotFoundError,
    "UpdateConditionNotSatisfied": ResourceModifiedError,
}
_MAPPED: Mapping[int, type[HttpResponseError]] = {404: ResourceNotFoundError, 409: ResourceExistsError}
_TOO_LARGE = 413
_OUTAGES: Mapping[str, tuple[int, str, str]] = {
    "busy": (503, "ServerBusy", "The server is busy."),
    "error": (500, "InternalError", "The server encountered an internal error. Please retry the request."),
}
_UNSENT: Mapping[str, Callable[[], Exception]] = {
    "unreachable": lambda: ServiceRequestError("Cannot connect to host"),
    "reset": lambda: ServiceResponseError("Server disconnected"),
}


def table_error(refusal: Refusal) -> Exception:
    """Every table operation but the two below: the class follows the code, which is an enumeration's where known."""
    error = _made(_DECODED.get(refusal.code, HttpResponseError), refusal, refusal.text)
    return _with_code(error, _member(TableErrorCode, refusal.code))


def create_error(refusal: Refusal) -> Exception:
    """`create_entity` re-raises what the layer beneath it raised: the class follows the status, and no code is set."""
    kind = _MAPPED.get(refusal.status, HttpResponseError)
    return _made(kind, refusal, f"Operation returned an invalid status '{HTTPStatus(refusal.status).phrase}'")


def transaction_error(refusal: Refusal) -> Exception:
    """`submit_transaction`: one class for all, which reads the index from the text; the code is a plain string."""
    kind = RequestTooLargeError if refusal.status == _TOO_LARGE else TableTransactionError
    return _with_code(_made(kind, refusal, f"{refusal.index}:{refusal.text}"), refusal.code)


def queue_error(refusal: Refusal) -> Exception:
    """Every queue operation; where the class follows from the status alone, the code stays a plain string."""
    kind = _MAPPED.get(refusal.status)
    error = _made(kind or HttpResponseError, refusal, refusal.text)
    return _with_code(error, refusal.code if kind else _member(StorageErrorCode, refusal.code))


def carried_out(effect: Callable[[], T], as_error: AsError) -> Callable[[], T]:
    """Return the effect, with its refusals raised as the SDK raises them."""

    def carry_out() -> T:
        try:
            return effect()
        except Refusal as refusal:
            raise as_error(refusal) from None

    return carry_out


def failures(as_error: AsError) -> Callable[[str], BaseException]:
    """Return what makes the exceptions for a gate's kinds of trouble."""

    def failure(kind: str) -> BaseException:
        return _UNSENT[kind]() if kind in _UNSENT else as_error(Refusal(*_OUTAGES[kind]))

    return failure


def _made(kind: type[HttpResponseError], refusal: Refusal, text: str) -> HttpResponseError:
    answer: Any = Answer(refusal.status, refusal.code)
    return kind(message=text, response=answer)


def _with_code(error: HttpResponseError, code: str) -> HttpResponseError:
    detailed: Any = error
    detailed.error_code, detailed.additional_info = code, {}
    error.message = f"{error.message}\nErrorCode:{getattr(code, 'value', code)}"
    error.args = (error.message,)
    return error


def _member(codes: type[TableErrorCode] | type[StorageErrorCode], code: str) -> str:
    try:
        return codes(code)
    except ValueError:
        return code
