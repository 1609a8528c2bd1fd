"""The errors that this product raises on purpose, as one tree. The text beside an error says when to retry.

* B2BError
  x RequestRefused            never unchanged: the caller must change the request
    + MalformedRequest        it holds something that the app cannot read or does not allow
    + RequestIdInUse          its `requestId` belongs to another request
  x SettingsError             never: an administrator must change a setting
  x Transient                 after ``retry_after`` seconds: nothing was done
    + Unsent                  when the host redelivers the message
    + AccessDenied            slowly: a permission is missing, and a grant takes up to a day to reach a token
  x OutcomeUnknown            only after reading the account again: the invitation may have been sent
  x InvitationRefused         never unchanged: Graph refused this invitation
  x LedgerConflict            at once, from a new read: another process wrote the row first
  x MustWait                  after the wait: its reason is a row of `domain.conversion.waits`
  x UnreadableRow             not by this version: a newer version wrote the row
  x IllegalTransition         never: it is a bug, because the stage may not follow the one before

No error text carries personal data: only object ids, request ids, and domain names from settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from b2b.domain.conversion.waits import WaitReason
from b2b.domain.error_codes import code_of

GRAPH = "Graph"
"""The name of Microsoft Graph in `Transient.service`."""


class B2BError(Exception):
    """Base of every error that this product raises on purpose."""


class RequestRefused(B2BError):
    """The app cannot accept the caller's request. Retry: not unchanged.

    ``target`` is the path of the field at fault; empty for the body as a whole.
    """

    def __init__(self, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.code = code_of(code)
        self.message = message
        self.target = target
        self.others: tuple[Self, ...] = ()

    def with_others(self, others: Iterable[Self]) -> Self:
        """Add further errors in the same request, and return this error."""
        self.others = tuple(others)
        return self


class MalformedRequest(RequestRefused):
    """The body is not a valid request: not JSON, a wrong type, an unknown field, or a value that is not allowed."""


class RequestIdInUse(RequestRefused):
    """The ``requestId`` was used before with another body. Retry: with another ``requestId``."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "RequestIdInUse",
            f"requestId '{request_id}' belongs to a request with another body; use a new requestId",
            "requestId",
        )


class SettingsError(B2BError):
    """The setting named ``setting`` is missing or wrong. Retry: no."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"setting {setting}: {message}")
        self.setting = setting


class Transient(B2BError):
    """A service failed, and nothing was changed. Retry: yes.

    ``service`` is its name. ``retry_after`` is in seconds; None if the service did not ask for a wait.
    """

    def __init__(self, service: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service
        self.retry_after = retry_after


class Unsent(Transient):
    """A request's row may name a message that was not sent. Retry: let the host redeliver the message being handled.

    Only that redelivery sends the missing message. A new copy of the message being handled would do nothing.
    """


class AccessDenied(Transient):
    """The application lacks a permission that it needs.

    Retry: yes, but slowly. A new app role reaches a managed identity only with its next token, up to 24 hours later.
    """


class OutcomeUnknown(B2BError):
    """The invitation may have been sent. Retry: only after reading the account, past the replication window."""

    def __init__(self, reason: str, retry_after: float | None = None, *, throttled: bool = False) -> None:
        """``throttled``: Graph answered 429. ``retry_after``: seconds; None if Graph did not ask for a wait."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.throttled = throttled


@dataclass(frozen=True)
class Refusal:
    """Why Graph refused an invitation: status, error code, a text without personal data, and the rule that covers it.

    ``rule`` is None if no rule covers Graph's reason.
    """

    status: int
    code: str
    text: str
    rule: str | None = None
    request_id: str = ""
    """Graph's id of the call."""


class InvitationRefused(B2BError):
    """Graph refused the invitation. Retry: not until the reason is gone."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"Graph refused the invitation: {refusal.status} {refusal.code}")
        self.refusal = refusal


class LedgerConflict(B2BError):
    """Another delivery wrote the row first. Retry: at once, from a new read."""


class MustWait(B2BError):
    """The request cannot continue now. Retry: after ``seconds``; if they are None, after the delay of the reason.

    ``detail`` is for the log and for ``lastError``. Callers read the text of the reason.
    """

    def __init__(self, reason: WaitReason, seconds: float | None = None, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason, self.seconds, self.detail = reason, seconds, detail


class UnreadableRow(B2BError):
    """A row has a value that this version does not know, because a newer version wrote it. Retry: not by this version.

    ``written_at``: when the row was written, by storage's clock; None if that is not known.
    """

    def __init__(self, message: str, written_at: datetime | None = None) -> None:
        super().__init__(message)
        self.written_at = written_at


class IllegalTransition(B2BError):
    """A change of stage that the table of stages does not allow. Retry: no, it is a bug."""
