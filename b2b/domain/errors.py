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
  x LedgerConflict            at once, from a fresh read: somebody else wrote the row first
  x IllegalTransition         never: a bug, the stage may not follow

No text in here carries personal data: object ids, request ids and domain names of settings only.
"""

from dataclasses import dataclass

GRAPH = "Graph"
"""The name of Microsoft Graph in `Transient.service`."""


class B2BError(Exception):
    """Base of every error that this product raises on purpose."""


class RequestRefused(B2BError):
    """The caller's request cannot be taken in. Retry: no, not as it stands.

    ``code`` is part of the HTTP contract, ``target`` the path of the field, ``status`` the HTTP status.
    """

    def __init__(self, code: str, message: str, target: str = "", *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.target = target
        self.status = status


class MalformedRequest(RequestRefused):
    """The request is not one of ours: not JSON, a wrong type, an unknown field, a value that is not allowed."""


class RequestIdInUse(RequestRefused):
    """The same ``requestId`` came with another body. Retry: with another ``requestId``."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "RequestIdInUse",
            f"requestId '{request_id}' belongs to a request with another body; use a new requestId",
            "requestId",
            status=409,
        )


class SettingsError(B2BError):
    """A setting is missing or wrong. Retry: no. ``setting`` is its name."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"setting {setting}: {message}")
        self.setting = setting


class Transient(B2BError):
    """A service did not do its part just now, and nothing was changed. Retry: yes.

    ``service`` names it; ``retry_after`` is in seconds, None where the service gave no hint.
    """

    def __init__(self, service: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service
        self.retry_after = retry_after


class AccessDenied(Transient):
    """A permission that the work cannot do without is missing.

    Retry: yes, but slowly: a new app role reaches a managed identity only with its next token, up to 24 hours later.
    """


class OutcomeUnknown(B2BError):
    """The invitation may have gone out. Retry: only after reading the account, past the replication window."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


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


class IllegalTransition(B2BError):
    """A stage was to follow one that it may not follow. Retry: no, this is a bug."""
