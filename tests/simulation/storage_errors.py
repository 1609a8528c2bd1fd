"""How storage in memory refuses a request, and the exceptions with which the two SDKs report a refusal or an outage."""

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
    """An error answer of storage. `index` is the number of the refused operation in a transaction."""

    def __init__(self, status: int, code: str, text: str, index: int = 0) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text, self.index = status, code, text, index


class Answer:
    """The part of the HTTP answer that an SDK's exception shows."""

    def __init__(self, status: int, code: str) -> None:
        self.status_code, self.reason = status, HTTPStatus(status).phrase
        self.headers: dict[str, str] = {"x-ms-error-code": code}

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002  the exception asks with and without it
        """Return an empty body: everything that the SDK takes from it is in the exception already."""
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
    """Return what table operations raise, except `create_entity` and `submit_transaction`. The class depends on the
    code, which is a member of the SDK's enumeration if it knows it.
    """
    error = _made(_DECODED.get(refusal.code, HttpResponseError), refusal, refusal.text)
    return _with_code(error, _member(TableErrorCode, refusal.code))


def create_error(refusal: Refusal) -> Exception:
    """Return what `create_entity` raises: an exception of the layer below, whose class depends on the status, without a
    code.
    """
    kind = _MAPPED.get(refusal.status, HttpResponseError)
    return _made(kind, refusal, f"Operation returned an invalid status '{HTTPStatus(refusal.status).phrase}'")


def transaction_error(refusal: Refusal) -> Exception:
    """Return what `submit_transaction` raises: one class for all refusals, with the index read from the text and a
    plain string as code.
    """
    kind = RequestTooLargeError if refusal.status == _TOO_LARGE else TableTransactionError
    return _with_code(_made(kind, refusal, f"{refusal.index}:{refusal.text}"), refusal.code)


def queue_error(refusal: Refusal) -> Exception:
    """Return what queue operations raise. 404 and 409 have their own class and a plain string as code; others have a
    StorageErrorCode, if one exists.
    """
    kind = _MAPPED.get(refusal.status)
    error = _made(kind or HttpResponseError, refusal, refusal.text)
    return _with_code(error, refusal.code if kind else _member(StorageErrorCode, refusal.code))


def carried_out(effect: Callable[[], T], as_error: AsError) -> Callable[[], T]:
    """Return the effect, with refusals raised as the SDK raises them."""

    def carry_out() -> T:
        try:
            return effect()
        except Refusal as refusal:
            raise as_error(refusal) from None

    return carry_out


def failures(as_error: AsError) -> Callable[[str], BaseException]:
    """Return a function that makes the exception for each kind of trouble that a gate knows."""

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
