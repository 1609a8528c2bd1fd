"""The outbox: the invitation mails that the tenant has sent."""

from dataclasses import asdict, dataclass
from typing import Any, Self

DEFAULT_LANGUAGE = "en-US"


@dataclass(frozen=True, slots=True)
class Mail:
    """One invitation mail. `ticket` is the secret of the redeem link in it."""

    number: int
    time: str
    userId: str  # noqa: N815 - the control plane speaks JSON
    address: str
    cc: list[str]
    language: str
    customTextDropped: bool  # noqa: N815
    ticket: str


def language_of(message_info: dict[str, Any] | None, preferred: str | None) -> str:
    """Return the language of Microsoft's invitation mail.

    It is the first of these that is set: `messageLanguage` (which Graph ignores if there is a custom text), the
    account's preferred language, English (invitation resource and invitation-email-elements article).
    """
    info = message_info or {}
    asked = None if info.get("customizedMessageBody") else info.get("messageLanguage")
    return asked or preferred or DEFAULT_LANGUAGE


class Outbox:
    """The mails, in the order in which they were sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(
        self, *, time: str, user_id: str, address: str, info: dict[str, Any] | None, preferred: str | None, ticket: str
    ) -> None:
        """Record one invitation mail. Graph drops a custom text if an application invites (troubleshoot article)."""
        recipients = (info or {}).get("ccRecipients") or []
        copies = [recipient.get("emailAddress", {}).get("address") for recipient in recipients]
        self.mails.append(
            Mail(
                number=len(self.mails) + 1,
                time=time,
                userId=user_id,
                address=address,
                cc=[copy for copy in copies if copy][:1],
                language=language_of(info, preferred),
                customTextDropped=bool((info or {}).get("customizedMessageBody")),
                ticket=ticket,
            )
        )

    def fork(self) -> Self:
        """Return a copy with the same mails."""
        twin = type(self)()
        twin.mails = list(self.mails)
        return twin

    def as_json(self) -> list[dict[str, Any]]:
        """Return the mails in the form of the control plane."""
        return [asdict(mail) for mail in self.mails]
