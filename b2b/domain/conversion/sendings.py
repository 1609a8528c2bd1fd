"""The mails that an administrator asks for after an invitation: the purpose and the outcome of each attempt.

The app does not repeat a failed attempt, so a decision sends at most one mail. The app cannot read the outcome from the
account, because the account shows its first invitation in any case.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Purpose(StrEnum):
    """The purpose of a mail."""

    RESEND = "resend"
    """Send the invitation to the same address again."""
    CORRECTION = "correction"
    """Send the invitation to another address, because the first was wrong."""


class Fate(StrEnum):
    """The outcome of an attempt."""

    UNKNOWN = "unknown"
    """The call is running, or its answer was lost. The mail may have been sent."""
    SENT = "sent"
    REFUSED = "refused"
    NOT_SENT = "notSent"


MAY_BE_OUT = frozenset({Fate.SENT, Fate.UNKNOWN})


class Sending(msgspec.Struct, frozen=True, rename="camel"):
    """One attempt to send such a mail."""

    attempt: str
    purpose: Purpose
    fate: Fate
    at: datetime
    """When the attempt was claimed."""
    until: datetime
    """The latest time at which the attempt's call can end."""
    address: str
    by: str
    """Who asked for the mail."""
    earlier: str = ""
    """The address that a correction replaces."""
    again: bool = False
    """Whether this corrects an address that was itself a correction."""
    said: str = ""
    """Why the mail was not sent, or why that is not known."""

    @property
    def may_be_out(self) -> bool:
        """Whether the mail was sent or may have been sent."""
        return self.fate in MAY_BE_OUT

    def under_way(self, now: datetime) -> bool:
        """Return whether the attempt's call may still be running."""
        return self.fate is Fate.UNKNOWN and now < self.until
