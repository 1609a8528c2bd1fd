"""Tell which Exchange service plans include a mailbox.

Names and ids: Microsoft's "Product names and service plan identifiers for licensing"
(https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference). `service eq 'exchange'` alone would
block nearly every account, because almost every product includes EXCHANGE_S_FOUNDATION.
"""

from collections.abc import Iterable
from enum import Enum

MAILBOX_PLANS = {
    "efb87545-963c-4e0d-99df-69c6916d9eb0": "EXCHANGE_S_ENTERPRISE",
    "9aaf7827-d63c-4b61-89c3-182f06f82e5c": "EXCHANGE_S_STANDARD",
    "4a82b400-a79f-41a4-b4e2-e94f5787b113": "EXCHANGE_S_DESKLESS",
    "1126bef5-da20-4f07-b45e-ad25d2581aa8": "EXCHANGE_S_ESSENTIALS",
    "d42bdbd6-c335-4231-ab3d-c8f348d5aff5": "EXCHANGE_L_STANDARD",
    "fc52cc4b-ed7d-472d-bbe7-b081c23ecc56": "EXCHANGE_S_STANDARD_MIDMARKET",
    "90927877-dcff-4af6-b346-2332c0b15bb7": "EXCHANGE_B_STANDARD",
    "8c3069c0-ccdb-44be-ab77-986203a67df2": "EXCHANGE_S_ENTERPRISE_GOV",
    "e9b4930a-925f-45e2-ac2a-3f7788ca6fdd": "EXCHANGE_S_STANDARD_GOV",
    "88f4d7ef-a73b-4246-8047-516022144c9f": "EXCHANGE_S_DESKLESS_GOV",
}
OTHER_PLANS = {
    "113feb6c-3fe4-4440-bddc-54d774bf0318": "EXCHANGE_S_FOUNDATION",
    "922ba911-5694-4e99-a794-73aed9bfeec8": "EXCHANGE_S_FOUNDATION_GOV",
    "34c0d7a0-a70f-4668-9238-47f9fc208882": "EXCHANGE_ANALYTICS",
    "cd31b152-6326-4d1b-ae1b-997b625182e6": "MIP_S_Exchange",
    "897d51f1-2cfa-4848-9b30-469149f5e68e": "EXCHANGEONLINE_MULTIGEO",
}
"""Exchange plans without a mailbox."""
ARCHIVE_PLANS = {
    "176a09a6-7ec5-4039-ac02-b2791c6ba793": "EXCHANGE_S_ARCHIVE_ADDON",
    "da040e0a-b393-4bea-bb76-928b3fa1cf5a": "EXCHANGE_S_ARCHIVE",
}
"""Exchange plans with an archive but without a mailbox."""

_EXCHANGE = "exchange"
_GONE = "Deleted"
"""Status of a plan whose licence was removed. `assignedPlans` keeps such entries."""


class PlanKind(Enum):
    """What an Exchange service plan includes."""

    MAILBOX = "mailbox"
    ARCHIVE = "archive"
    UNKNOWN = "unknown"


def kinds(plans: Iterable[tuple[str, str, str]]) -> frozenset[PlanKind]:
    """Return the kinds of an account's plans, given as (servicePlanId, service, capabilityStatus).

    Plans that have nothing to do with mailboxes are left out.
    """
    found = (_kind(plan.lower(), service.lower()) for plan, service, status in plans if status != _GONE)
    return frozenset(kind for kind in found if kind is not None)


def _kind(plan: str, service: str) -> PlanKind | None:
    if plan in MAILBOX_PLANS:
        return PlanKind.MAILBOX
    if plan in ARCHIVE_PLANS:
        return PlanKind.ARCHIVE
    return PlanKind.UNKNOWN if service == _EXCHANGE and plan not in OTHER_PLANS else None
