"""Make a tenant from the user's own list, with a plain account for each row.

Facts that only the real directory knows (licences, roles, synchronization, who holds an address) get harmless values,
so that every finding comes from the list itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

JSON = dict[str, Any]

TENANT_ID = "6f0c2b52-8a7d-4f0e-9b1c-3d5e7f901234"
OWN_DOMAIN, INITIAL_DOMAIN = "contoso.com", "contoso.onmicrosoft.com"
NO_ADDRESS = "partner.example"
"""The domain of the address of an account for which the list gives no address."""
GUEST = "#EXT#"
"""The mark in the user principal name of an invited guest."""


@dataclass(frozen=True, slots=True)
class Person:
    """What one row of the user's list says about an account. A field is empty if the list does not give its value."""

    id: str = ""
    user_principal_name: str = ""
    mail: str = ""
    """The account's mail address."""
    address: str = ""
    """The address to invite."""

    @property
    def names_address(self) -> bool:
        """Whether the list gives the address to which the invitation is sent."""
        return bool(self.address or self.mail)


def tenant_of(people: Sequence[Person]) -> JSON:
    """Return the seed of a tenant in which every person has an account."""
    users = list(_users(people))
    own = dict.fromkeys([*(_domain(person.user_principal_name) for person in people), OWN_DOMAIN])
    own_domains = [name for name in own if name and name != INITIAL_DOMAIN]
    partners = dict.fromkeys(domain for user in users if (domain := _domain(user["mail"])) not in own)
    return {
        "tenantId": TENANT_ID,
        "displayName": "Contoso",
        "domains": [
            {"id": INITIAL_DOMAIN, "isInitial": True},
            *({"id": name, "isDefault": name == own_domains[0]} for name in own_domains),
        ],
        "homeTenants": {name: _id_of(f"tenant/{name}") for name in partners},
        "users": users,
    }


def _users(people: Sequence[Person]) -> Iterator[JSON]:
    taken = {person.user_principal_name.lower() for person in people}
    for number, person in enumerate(people, start=1):
        upn = person.user_principal_name or _unused(person.address or person.mail, number, taken)
        taken.add(upn.lower())
        local = upn.partition("@")[0]
        mail = person.address or person.mail or f"{local}@{NO_ADDRESS}"
        yield {
            "id": person.id.lower() or _id_of(f"user/{upn.lower()}"),
            "userPrincipalName": upn,
            "displayName": local.replace(".", " ").replace("_", " ").title(),
            "mail": mail,
            "otherMails": [mail],
            **(_as_guest() if GUEST in upn.upper() else {}),
        }


def _unused(address: str, number: int, taken: set[str]) -> str:
    """Return a free user principal name for a person whom the list names by address or id only."""
    local = address.partition("@")[0] or f"person{number}"
    upn = f"{local}@{OWN_DOMAIN}"
    return upn if upn.lower() not in taken else f"{local}.{number}@{OWN_DOMAIN}"


def _as_guest() -> Mapping[str, Any]:
    return {"userType": "Guest", "creationType": "Invitation", "externalUserState": "Accepted"}


def _domain(name: str) -> str:
    return name.rpartition("@")[2].lower()


def _id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://rehearsal.example/{name}"))
