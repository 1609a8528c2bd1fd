"""Everything that can go wrong, as one tree. Each class says whether trying again makes sense.

* B2BError
  x RequestRefused            never as it stands: the caller must change the request
    + MalformedRequest        it says something we cannot understand or do not allow
    + RequestIdInUse          its key belongs to another request
  x SettingsError             never: an administrator must change a setting
  x Transient                 yes, after ``retry_after`` seconds; nothing was done
    + AccessDenied            yes: a permission is missing, and a grant takes up to a day to reach a token
  x OutcomeUnknown            only after the account was read again: the effect may have happened
  x InvitationRefused         never as it stands: Graph said no to this invitation
  x LedgerConflict            at once, from a fresh read: another process wrote the row first
  x MustWait                  after the wait: the reason is a row of `domain.conversion.waits`
  x UnreadableRow             not by this version: a newer one wrote the row
  x IllegalTransition         never: a bug, the stage may not follow

No text in here carries personal data: object ids, request ids and domain names of settings only.
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
    """The caller's request cannot be taken in. Retry: no, not as it stands.

    ``target`` is the path of the field.
    """

    def __init__(self, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.code = code_of(code)
        self.message = message
        self.target = target
        self.others: tuple[Self, ...] = ()

    def with_others(self, others: Iterable[Self]) -> Self:
        """Add what else is wrong with the same request."""
        self.others = tuple(others)
        return self


class MalformedRequest(RequestRefused):
    """The request is not one of ours: not JSON, a wrong type, an unknown field, a value that is not allowed."""


class RequestIdInUse(RequestRefused):
    """The same ``requestId`` came with another body. Retry: with another ``requestId``."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "RequestIdInUse",
            f"requestId '{request_id}' belongs to a request with another body; use a new requestId",
            "requestId",
        )


class SettingsError(B2BError):
    """A setting is missing or wrong. Retry: no. ``setting`` is its name."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"setting {setting}: {message}")
        self.setting = setting


class Transient(B2BError):
    """A service failed, and nothing was changed. Retry: yes.

    ``service`` names it; ``retry_after`` is in seconds, or None if the service did not say.
    """

    def __init__(self, service: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service
        self.retry_after = retry_after


class Unsent(Transient):
    """A request's row may name a message that is not on the queue. Retry: the same delivery, as the host comes again.

    Only a redelivery sends that message; a copy of the one before does nothing.
    """


class AccessDenied(Transient):
    """A permission that the work cannot do without is missing.

    Retry: yes, but slowly: a new app role reaches a managed identity only with its next token, up to 24 hours later.
    """


class OutcomeUnknown(B2BError):
    """The invitation may have gone out. Retry: only after reading the account, past the replication window."""

    def __init__(self, reason: str, retry_after: float | None = None, *, throttled: bool = False) -> None:
        """``throttled``: Graph answered 429."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.throttled = throttled


@dataclass(frozen=True)
class Refusal:
    """What Graph said to an invitation: HTTP status, error code and a text without personal data."""

    status: int
    code: str
    text: str
    rule: str | None = None


class InvitationRefused(B2BError):
    """Graph refused the invitation for a reason of its own. Retry: no, until that reason is gone."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"Graph refused the invitation: {refusal.status} {refusal.code}")
        self.refusal = refusal


class LedgerConflict(B2BError):
    """Another delivery wrote the row first. Retry: at once, from a fresh read."""


class MustWait(B2BError):
    """The request cannot go on now. Retry: after ``seconds``, or when the reason's own delay is over.

    ``detail`` is for the log and for ``lastError``; the reason's own text is what callers read.
    """

    def __init__(self, reason: WaitReason, seconds: float | None = None, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason, self.seconds, self.detail = reason, seconds, detail


class UnreadableRow(B2BError):
    """A row has a value that this version does not know: a newer version wrote it. Retry: not by this version.

    ``written_at`` is when that was, by storage's clock.
    """

    def __init__(self, message: str, written_at: datetime | None = None) -> None:
        super().__init__(message)
        self.written_at = written_at


class IllegalTransition(B2BError):
    """A transition that the table of stages does not allow. Retry: no, this is a bug."""
