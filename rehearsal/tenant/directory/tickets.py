"""Redeem links: each invitation makes one, with a ticket in it that is as good as a password."""

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4


@dataclass(slots=True)
class Ticket:
    """One redeem link. A dead one was replaced; a redeemed one has done its work."""

    secret: str
    user_id: str
    address: str
    alive: bool = True
    redeemed: bool = False

    def url(self, tenant_id: str) -> str:
        """The redeem link, in the form of the documented sample."""
        redeem = (
            f"https://invitations.microsoft.com/redeem/?tenant={tenant_id}&user={self.user_id}"
            f"&ticket={self.secret}&ver=2.0"
        )
        return f"https://login.microsoftonline.com/redeem?rd={quote(redeem, safe='')}"


def ticket_of(link: str) -> dict[str, str]:
    """What a redeem link says: `userId` and `ticket`; ValueError for another address."""
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
        """A new link for a user; whether the older ones die is a switch."""
        if kill_older:
            for older in self.of(user_id):
                older.alive = False
        ticket = Ticket(uuid4().hex, user_id, address)
        self._tickets.append(ticket)
        return ticket

    def of(self, user_id: str) -> list[Ticket]:
        """All links of a user."""
        return [ticket for ticket in self._tickets if ticket.user_id == user_id]

    def open(self, user_id: str) -> list[Ticket]:
        """Links of a user that can be redeemed."""
        return [ticket for ticket in self.of(user_id) if ticket.alive and not ticket.redeemed]

    def fork(self) -> Self:
        """Links of their own in the same state."""
        twin = type(self)()
        twin._tickets = [replace(ticket) for ticket in self._tickets]  # noqa: SLF001 - its own kind
        return twin

    def find(self, secret: str) -> Ticket | None:
        """The link with this ticket."""
        return next((ticket for ticket in self._tickets if ticket.secret == secret), None)
