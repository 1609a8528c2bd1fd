"""Redeem links. Each invitation makes one; the ticket in it is as secret as a password."""

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4


@dataclass(slots=True)
class Ticket:
    """One redeem link. It is no longer `alive` after a newer link has replaced it, and `redeemed` after its use."""

    secret: str
    user_id: str
    address: str
    alive: bool = True
    redeemed: bool = False

    def url(self, tenant_id: str) -> str:
        """Return the redeem link in the form of the documented sample."""
        redeem = (
            f"https://invitations.microsoft.com/redeem/?tenant={tenant_id}&user={self.user_id}"
            f"&ticket={self.secret}&ver=2.0"
        )
        return f"https://login.microsoftonline.com/redeem?rd={quote(redeem, safe='')}"


def ticket_of(link: str) -> dict[str, str]:
    """Return `userId` and `ticket` from a redeem link. Raises ValueError for any other URL."""
    inner = parse_qs(urlsplit(link).query).get("rd", [""])[0]
    said = parse_qs(urlsplit(inner).query)
    if not {"user", "ticket"} <= said.keys():
        raise ValueError("this is no redeem link")
    return {"userId": said["user"][0], "ticket": said["ticket"][0]}


class Tickets:
    """All redeem links of a tenant, oldest first."""

    def __init__(self) -> None:
        self._tickets: list[Ticket] = []

    def issue(self, user_id: str, address: str, *, kill_older: bool) -> Ticket:
        """Return a new link for a user. With `kill_older` the user's older links are dead from now on."""
        if kill_older:
            for older in self.of(user_id):
                older.alive = False
        ticket = Ticket(uuid4().hex, user_id, address)
        self._tickets.append(ticket)
        return ticket

    def of(self, user_id: str) -> list[Ticket]:
        """Return all links of a user, oldest first."""
        return [ticket for ticket in self._tickets if ticket.user_id == user_id]

    def open(self, user_id: str) -> list[Ticket]:
        """Return the links of a user that can be redeemed, oldest first."""
        return [ticket for ticket in self.of(user_id) if ticket.alive and not ticket.redeemed]

    def fork(self) -> Self:
        """Return a copy with its own links in the same state."""
        twin = type(self)()
        twin._tickets = [replace(ticket) for ticket in self._tickets]  # noqa: SLF001 - its own kind
        return twin

    def find(self, secret: str) -> Ticket | None:
        """Return the link with this ticket, or None."""
        return next((ticket for ticket in self._tickets if ticket.secret == secret), None)
