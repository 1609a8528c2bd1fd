"""The accounts of the stateful test, and what may become of those who ask for them."""

from dataclasses import dataclass
from typing import Any

from tests.support.world import account, tenant_of

TWINS_MAIL = "twin@fabrikam.com"


@dataclass(frozen=True)
class Person:
    """An account, and the stages in which a request for it may end when it is not a dry run."""

    number: int
    ends: frozenset[str]
    properties: tuple[tuple[str, Any], ...] = ()

    @property
    def user(self) -> dict[str, Any]:
        return account(self.number, **dict(self.properties))

    @property
    def id(self) -> str:
        return str(self.user["id"])

    def named_by(self, name: str) -> str:
        return str(self.user[name])


_INVITED = frozenset({"invited", "completed"})
READY = Person(1, _INVITED)
TWIN = Person(2, _INVITED | {"blocked"}, (("mail", TWINS_MAIL),))
OTHER_TWIN = Person(3, _INVITED | {"blocked"}, (("mail", TWINS_MAIL),))
PRIVILEGED = Person(4, _INVITED | {"needsReview"})
SYNCED = Person(5, frozenset({"blocked"}), (("onPremisesUserPrincipalName", "partner5@contoso.example"),))
PEOPLE = (READY, TWIN, OTHER_TWIN, PRIVILEGED, SYNCED)
TWINS = (TWIN, OTHER_TWIN)

HELPERS = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [PRIVILEGED.id],
}
PROJECT = {
    "id": "44444444-0000-4000-8000-000000000000",
    "displayName": "Project",
    "members": [person.id for person in PEOPLE],
}
SEED = tenant_of(*(person.user for person in PEOPLE), groups=[HELPERS, PROJECT])
SWITCHES = {"held-address": "accepted"}
"""Graph would invite both twins: nobody but the app keeps the second from the address of the first."""
OVERRIDES = '{"address-in-use": "warn"}'
