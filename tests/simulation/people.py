"""The accounts of the simulated tenant. Each is there for one way in which an account meets the protocol."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

TENANT_ID = "11111111-0000-4000-8000-000000000000"
EXCLUDED_GROUP = "99999999-0000-4000-8000-000000000001"
PARTNERS, PROJECT = "99999999-0000-4000-8000-000000000002", "99999999-0000-4000-8000-000000000003"
HAS: dict[str, tuple[str, ...]] = {
    "appRoles": ("portal/reader", "portal/buyer"),
    "manager": ("00000000-0000-4000-8000-000000000010",),
    "ownedObjects": (PROJECT,),
    "registeredDevices": ("laptop",),
}
"""What everybody is related to at the beginning, beside the group of partners."""
MAILBOX_PLAN = "efb87545-963c-4e0d-99df-69c6916d9eb0"
ROLE = "Helpdesk Administrator"


@dataclass(frozen=True)
class Person:
    """One account, by a short name that histories use."""

    name: str
    number: int
    properties: dict[str, Any] = field(default_factory=dict, hash=False)
    never: bool = False
    """A rule that protects it blocks it whatever anybody approves: no invitation may ever go out."""
    reviewed: bool = False
    """A rule sends it to a person: no invitation may go out before an approval."""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its object id."""
        return f"00000000-0000-4000-8000-{self.number:012d}"

    @property
    def upn(self) -> str:
        """Its user principal name at the beginning."""
        return f"{self.name}@contoso.com"

    @property
    def mail(self) -> str:
        """Its external address at the beginning."""
        return str(self.properties.get("mail", f"{self.name}@fabrikam.com"))

    def seed(self) -> dict[str, Any]:
        """The user object that the tenant begins with."""
        return {
            "id": self.id,
            "userPrincipalName": self.upn,
            "displayName": self.name.title(),
            "mail": self.mail,
            **self.properties,
        }


SHARED = "shared@fabrikam.com"
PEOPLE = (
    Person("anna", 1),
    Person("ben", 2),
    Person("carl", 3, {"onPremisesSyncEnabled": True}),
    Person("dora", 4, {"mail": SHARED}),
    Person("emil", 5, {"mail": SHARED}),
    Person("fred", 6, {"accountEnabled": False}, reviewed=True),
    Person("gina", 7, roles=(ROLE,), reviewed=True),
    Person("hugo", 8, groups=(EXCLUDED_GROUP,), never=True),
    Person(
        "iris",
        9,
        {"assignedPlans": [{"servicePlanId": MAILBOX_PLAN, "service": "exchange", "capabilityStatus": "Enabled"}]},
        never=True,
    ),
    Person("jack", 10),
    Person("kate", 11, {"proxyAddresses": ["SMTP:kate@fabrikam.com", "smtp:Ben@Fabrikam.com"]}),
)
"""`dora` and `emil` share one address; `kate` holds that of `ben`, in another case; `jack` is the account by whose
invitation a tenant shows what it shows."""
BY_NAME = {person.name: person for person in PEOPLE}
BY_ID = {person.id: person for person in PEOPLE}


def alias(subject: str) -> str:
    """Put names in place of object ids and address hashes, so that a history reads the same in every version."""
    head, slash, key = subject.rpartition("/")
    return f"{head}{slash}{_ALIASES.get(key, key)}"


_ALIASES = {
    **{person.id: person.name for person in PEOPLE},
    **{
        "address~" + hashlib.sha256(person.mail.lower().encode()).hexdigest(): "address~"
        + person.mail.partition("@")[0]
        for person in PEOPLE
    },
}
