"""Generate the accounts and requests of a soak from a seed; equal seeds give equal accounts and requests."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

JSON = Mapping[str, Any]
Way = Literal["queue", "http"]

TENANT_ID = "6f0c2b52-8a7d-4f0e-9b1c-3d5e7f901234"
PARTNERS = {
    "fabrikam.com": "0b6a3c1e-5d2f-4e8a-9c7b-1f3d5a7c9e02",
    "northwindtraders.com": "1c7b4d2f-6e30-4f9b-8d8c-204e6b8d0f13",
    "adatum.com": "2d8c5e30-7f41-40ac-9e9d-315f7c9e1024",
}
"""The domains of the accounts' addresses, with the id of each domain's Entra tenant."""
UNFIT: tuple[Mapping[str, str | None], ...] = (
    {"onPremisesUserPrincipalName": "{name}@contoso.com"},
    {"mail": "{name}@contoso.com"},
    {"mail": None},
)
"""Values that make an account one that must not be invited: a synced name, an address in the tenant's own domain, no
address."""
UNFIT_EVERY = 40
HTTP_EVERY = 5
AGAIN_EVERY = 20
"""One account in this many is unfit, one is requested by HTTP, and one is requested twice."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and whether it is sent by queue or by HTTP."""

    request_id: str
    user_id: str
    by: Way

    @property
    def text(self) -> str:
        """The body of the request."""
        return json.dumps({"requestId": self.request_id, "invitedUser": {"id": self.user_id}})


class Population:
    """A number of accounts in the tenant Contoso, and the requests for them in the order in which they are sent."""

    def __init__(self, accounts: int, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - spreads requests, protects nothing
        unfit = set(chance.sample(range(accounts), accounts // UNFIT_EVERY))
        self._users = [_user(number, unfit=number in unfit, chance=chance) for number in range(accounts)]
        self.blocked = frozenset(_id(number) for number in unfit)
        """Object ids of the accounts that must not be invited."""
        self.ready = frozenset(_id(number) for number in range(accounts)) - self.blocked
        """Object ids of the accounts that must be invited once."""
        self.requests = tuple(_requests(accounts, chance))

    def tenant(self) -> JSON:
        """Return the seed of a tenant with these accounts."""
        return {
            "tenantId": TENANT_ID,
            "displayName": "Contoso",
            "domains": [{"id": "contoso.com", "isDefault": True}, {"id": "contoso.onmicrosoft.com", "isInitial": True}],
            "homeTenants": PARTNERS,
            "users": self._users,
        }


def _id(number: int) -> str:
    return str(UUID(int=(0xC0FFEE << 96) + (4 << 76) + (8 << 60) + number))


def _user(number: int, *, unfit: bool, chance: random.Random) -> JSON:
    name = f"partner{number}"
    user = {
        "id": _id(number),
        "userPrincipalName": f"{name}@contoso.com",
        "displayName": f"Partner {number}",
        "mail": f"{name}@{chance.choice(tuple(PARTNERS))}",
    }
    unlike = chance.choice(UNFIT) if unfit else {}
    return user | {field: value and value.format(name=f"{name}.p") for field, value in unlike.items()}


def _requests(accounts: int, chance: random.Random) -> Iterator[Request]:
    """Yield a request for each account, in random order, and for some accounts a second one by the other way.

    About half of the second requests follow at once, the others later.
    """
    numbers = chance.sample(range(accounts), accounts)
    again = set(chance.sample(range(accounts), accounts // AGAIN_EVERY))
    later: list[Request] = []
    for place, number in enumerate(numbers):
        first: Way = "http" if place % HTTP_EVERY == 0 else "queue"
        yield Request(f"soak-{number}", _id(number), first)
        if number in again:
            repeat = Request(f"soak-{number}-again", _id(number), "queue" if first == "http" else "http")
            if chance.random() < 1 / 2:
                yield repeat
            else:
                later.append(repeat)
        if later and chance.random() < 1 / AGAIN_EVERY:
            yield later.pop(0)
    yield from later
