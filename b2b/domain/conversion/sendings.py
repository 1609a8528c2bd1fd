"""The mails that a person asks for while an account waits: what each try was for, and what came of it.

A try that goes wrong is not repeated: a decision sends one mail at most. What came of it cannot be read from the
account, which shows its first invitation either way.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Purpose(StrEnum):
    """What a mail is for."""

    RESEND = "resend"
    """The same address gets the invitation again."""
    CORRECTION = "correction"
    """Another address gets it in place of a wrong one."""


class Fate(StrEnum):
    """What came of a try."""

    UNKNOWN = "unknown"
    """Its call is under way, or its answer was lost: the mail may be out."""
    SENT = "sent"
    REFUSED = "refused"
    NOT_SENT = "notSent"


MAY_BE_OUT = frozenset({Fate.SENT, Fate.UNKNOWN})


class Sending(msgspec.Struct, frozen=True, rename="camel"):
    """One try to send such a mail."""

    attempt: str
    purpose: Purpose
    fate: Fate
    at: datetime
    """When it was claimed."""
    until: datetime
    """The latest end that its call can have had."""
    address: str
    by: str
    """Who decided it."""
    earlier: str = ""
    """The address that a correction replaces."""
    again: bool = False
    """A correction of a conversion whose address had been corrected before."""
    said: str = ""
    """Why it was not sent, or why that is not known."""

    @property
    def may_be_out(self) -> bool:
        """Whether its mail went out, or may have."""
        return self.fate in MAY_BE_OUT

    def under_way(self, now: datetime) -> bool:
        """Tell whether its call may still be under way."""
        return self.fate is Fate.UNKNOWN and now < self.until
