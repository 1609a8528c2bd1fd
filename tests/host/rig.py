"""The real function app under the local host, with its own tenant and storage."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rehearsal.rig import HostedRig, hosted
from rehearsal.tenant import RunningTenant, running

TENANT_ID = "8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f"
FABRIKAM = "4f9f0f5e-9a5b-4d1f-8b0a-3c2d1e0f9a8b"
IMPATIENT = {
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
}
"""Settings with which the host does not wait between tries and polls."""
JSON = dict[str, Any]
EMPLOYEE = 39
"""The number of the only person in the seed who looks like an employee, so that an administrator has to decide."""


def user_id(number: int) -> str:
    return f"0a000000-0000-4000-8000-{number:012d}"


def address(number: int) -> str:
    return f"partner{number}@fabrikam.com"


def mails_to(app: HostedRig, number: int) -> int:
    """Return how many invitation mails the tenant sent to one account."""
    return len([mail for mail in app.tenant.control.mails() if mail["userId"] == user_id(number)])


def seed(users: int = 40) -> JSON:
    """Return the seed of Contoso with people of Fabrikam who are ready to be converted, except `EMPLOYEE`."""
    return {
        "tenantId": TENANT_ID,
        "displayName": "Contoso",
        "domains": [{"id": "contoso.com", "isDefault": True}, {"id": "contoso.onmicrosoft.com", "isInitial": True}],
        "homeTenants": {"fabrikam.com": FABRIKAM},
        "users": [
            {
                "id": user_id(number),
                "userPrincipalName": f"partner{number}@contoso.com",
                "displayName": f"Partner {number}",
                "mail": address(number),
                **({"employeeType": "Employee"} if number == EMPLOYEE else {}),
            }
            for number in range(users)
        ],
    }


def request(number: int, **fields: Any) -> JSON:
    return {"invitedUser": {"id": user_id(number)}, **fields}


def mails(rig: HostedRig, number: int) -> list[JSON]:
    """Return the invitation mails that the tenant sent to one account."""
    return [mail for mail in rig.tenant.control.mails() if mail["userId"] == user_id(number)]


@contextmanager
def started(
    tenant: RunningTenant, storage: str, settings: Mapping[str, str | None] | None = None
) -> Iterator[HostedRig]:
    """Start a host with the settings `IMPATIENT`. `settings` override them; the value None removes one."""
    with hosted(tenant, storage, {**IMPATIENT, **(settings or {})}) as rig:
        yield rig


@contextmanager
def rig(
    storage: str, *, users: int = 40, roles: Sequence[str] | None = None, **settings: str | None
) -> Iterator[HostedRig]:
    """Start a tenant with `users` people and a host. `settings` override the usual ones."""
    with running(seed(users), roles=roles) as tenant, started(tenant, storage, settings) as found:
        yield found
