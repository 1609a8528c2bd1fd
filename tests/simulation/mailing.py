"""Helpers for the tests of decisions about an invited account."""

import json
from collections.abc import Callable
from typing import Any

from b2b.api.answers import Reply
from tests.simulation.gate import Call
from tests.simulation.place import ANNA, HOUR, Place

ADDRESS, NEW = "p1@fabrikam.com", "p1.right@fabrikam.com"
AN_HOUR = HOUR + 61
WHY = {"resentBy": "admin", "reason": "the mail is lost"}


async def resend(place: Place, **said: Any) -> Reply:
    return await place.app.resend(ANNA, json.dumps({**WHY, **said}).encode())


async def correct(place: Place, address: str = NEW, **said: Any) -> Reply:
    body = {"correctedBy": "admin", "reason": "misspelt", "invitedUserEmailAddress": address, **said}
    return await place.app.correct(ANNA, json.dumps(body).encode())


async def invited(people: int = 1, **settings: str) -> Place:
    place = Place(people, B2B_RULE_OVERRIDES='{"address-unlikely": "off"}', **settings)
    await place.invite()
    return place


def mails(place: Place) -> list[str]:
    return [mail.address for mail in place.directory.mails if mail.user_id == ANNA]


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


def at_the_call(place: Place, do: Callable[[], object]) -> None:
    """Run ``do`` just before each invitation reaches Graph."""
    place.gate.before = lambda call: do() if call.verb == "invite" else None


def lose_the_answer(place: Place, trouble: str = "reset") -> None:
    """Let Graph accept invitations, and lose its answers."""

    def after(call: Call) -> None:
        if call.verb == "invite":
            raise TimeoutError(trouble)

    place.gate.after = after
