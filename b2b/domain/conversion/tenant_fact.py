"""Whether accounts in this tenant show a pending invitation, learned from the app's own invitations.

Nothing documents whether a converted account reads `PendingAcceptance` before its person redeems (docs/evidence.md,
RED-01). After a lost answer, the app invites again by itself only if it knows that a sent invitation would show. So it
learns from what it sees: one account that shows its invitation proves that the tenant shows them; three accounts in a
row that do not, past the replication window, prove the contrary. Cloud-only and synchronised accounts are counted
separately.
"""

from enum import StrEnum

import msgspec

INVISIBLE_IN_A_ROW = 3


class Shows(StrEnum):
    """Whether an account shows an invitation that is not redeemed yet."""

    UNKNOWN = "unknown"
    YES = "shows"
    NO = "does not show"


class Known(msgspec.Struct, frozen=True, rename="camel"):
    """What the app knows of one kind of account (cloud-only or synchronised): whether it shows a pending invitation."""

    shows: Shows = Shows.UNKNOWN
    invisible: tuple[str, ...] = ()
    """The latest accounts in a row that did not show their invitation, each as object id and generation."""

    def after_seen(self) -> "Known":
        """Return what is known after an account showed its invitation, which proves that the tenant shows them."""
        return Known(Shows.YES)

    def after_invisible(self, account: str) -> "Known":
        """Return what is known after an account did not show its invitation by the end of the window.

        ``account`` is its object id and generation.
        """
        if account in self.invisible or self.shows is Shows.NO:
            return self
        seen = (*self.invisible, account)[-INVISIBLE_IN_A_ROW:]
        return Known(Shows.NO if len(seen) >= INVISIBLE_IN_A_ROW else self.shows, seen)


class TenantFact(msgspec.Struct, frozen=True, rename="camel"):
    """What the app knows of each kind of account: whether it shows a pending invitation."""

    cloud: Known = Known()
    synced: Known = Known()

    def of(self, *, synced: bool) -> Known:
        """Return what is known of synchronised or of cloud-only accounts."""
        return self.synced if synced else self.cloud

    def having(self, known: Known, *, synced: bool) -> "TenantFact":
        """Return a copy with ``known`` for one kind of account."""
        return TenantFact(self.cloud, known) if synced else TenantFact(known, self.synced)
