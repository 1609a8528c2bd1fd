"""What this tenant is known to show of a pending invitation, learned from what it showed after our own.

Nothing documents whether a converted account reads `PendingAcceptance` before its person redeems (docs/evidence.md,
RED-01). Whether a second mail may be sent after a lost answer hangs on it, so the app believes its eyes: one account
that shows it is proof; three in a row that stay invisible past the replication window are proof of the contrary.
Cloud-only and synchronised accounts are kept apart.
"""

from enum import StrEnum

import msgspec

INVISIBLE_IN_A_ROW = 3


class Shows(StrEnum):
    """Whether an account shows an invitation that waits for its person."""

    UNKNOWN = "unknown"
    YES = "shows"
    NO = "does not show"


class Known(msgspec.Struct, frozen=True, rename="camel"):
    """What is known of one kind of account."""

    shows: Shows = Shows.UNKNOWN
    invisible: tuple[str, ...] = ()
    """Accounts in a row that stayed invisible: an object id and a generation each."""

    def after_seen(self) -> "Known":
        """An account that read as internal before our invitation shows it: the tenant shows."""
        return Known(Shows.YES)

    def after_invisible(self, account: str) -> "Known":
        """An account stayed invisible past the window after our 201; ``account`` names it and its generation."""
        if account in self.invisible or self.shows is Shows.NO:
            return self
        seen = (*self.invisible, account)[-INVISIBLE_IN_A_ROW:]
        return Known(Shows.NO if len(seen) >= INVISIBLE_IN_A_ROW else self.shows, seen)


class TenantFact(msgspec.Struct, frozen=True, rename="camel"):
    """What is known of both kinds of account."""

    cloud: Known = Known()
    synced: Known = Known()

    def of(self, *, synced: bool) -> Known:
        """Return what is known of a kind."""
        return self.synced if synced else self.cloud

    def having(self, known: Known, *, synced: bool) -> "TenantFact":
        """Return this with what is known of one kind replaced."""
        return TenantFact(self.cloud, known) if synced else TenantFact(known, self.synced)
