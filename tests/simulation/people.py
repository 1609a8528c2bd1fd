"""The accounts of the simulated tenant. Each stands for one way in which the app can treat an account."""

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
"""What every account is related to at the beginning, apart from its groups."""
MAILBOX_PLAN = "efb87545-963c-4e0d-99df-69c6916d9eb0"
ROLE = "Helpdesk Administrator"


@dataclass(frozen=True)
class Person:
    """One account, with the short name that histories use."""

    name: str
    number: int
    properties: dict[str, Any] = field(default_factory=dict, hash=False)
    never: bool = False
    """Whether a rule blocks the account in spite of any approval, so that it may never be invited."""
    reviewed: bool = False
    """Whether a rule sends the account to review, so that it may not be invited before an approval."""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The object id of the account."""
        return f"00000000-0000-4000-8000-{self.number:012d}"

    @property
    def upn(self) -> str:
        """The user principal name of the account at the beginning."""
        return f"{self.name}@contoso.com"

    @property
    def mail(self) -> str:
        """The external address of the account at the beginning."""
        return str(self.properties.get("mail", f"{self.name}@fabrikam.com"))

    def seed(self) -> dict[str, Any]:
        """Return the user object with which the tenant begins."""
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
"""`dora` and `emil` share one address. `kate` holds the address of `ben`, in another case. The app invites `jack`
before a history begins, to learn whether the tenant shows pending invitations.
"""
BY_NAME = {person.name: person for person in PEOPLE}
BY_ID = {person.id: person for person in PEOPLE}


def alias(subject: str) -> str:
    """Replace object ids and hashes of addresses by names, so that a history reads the same in every version."""
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
