"""Tell from licences and addresses which accounts have an Exchange mailbox."""

from collections.abc import Iterable, Mapping
from typing import Any

MAILBOX_PLANS = frozenset(
    {
        "efb87545-963c-4e0d-99df-69c6916d9eb0",  # EXCHANGE_S_ENTERPRISE
        "9aaf7827-d63c-4b61-89c3-182f06f82e5c",  # EXCHANGE_S_STANDARD
        "4a82b400-a79f-41a4-b4e2-e94f5787b113",  # EXCHANGE_S_DESKLESS
        "1126bef5-da20-4f07-b45e-ad25d2581aa8",  # EXCHANGE_S_ESSENTIALS
        "d42bdbd6-c335-4231-ab3d-c8f348d5aff5",  # EXCHANGE_L_STANDARD
        "fc52cc4b-ed7d-472d-bbe7-b081c23ecc56",  # EXCHANGE_S_STANDARD_MIDMARKET
        "90927877-dcff-4af6-b346-2332c0b15bb7",  # EXCHANGE_B_STANDARD
        "8c3069c0-ccdb-44be-ab77-986203a67df2",  # EXCHANGE_S_ENTERPRISE_GOV
        "e9b4930a-925f-45e2-ac2a-3f7788ca6fdd",  # EXCHANGE_S_STANDARD_GOV
        "88f4d7ef-a73b-4246-8047-516022144c9f",  # EXCHANGE_S_DESKLESS_GOV
    }
)
"""Service plans that include a mailbox (Microsoft's product-names CSV, via KelvinTegelaar/CIPP-API)."""


def has_mailbox(user: Mapping[str, Any]) -> bool:
    """Tell whether a plan with a mailbox is assigned. A plan in the state `Deleted` was removed and does not count."""
    return any(
        plan["servicePlanId"].lower() in MAILBOX_PLANS and plan["capabilityStatus"] != "Deleted"
        for plan in user["assignedPlans"]
    )


def may_be_unlicensed(user: Mapping[str, Any], verified: Iterable[str]) -> bool:
    """Tell whether an account may have an unlicensed mailbox: its primary proxy address is in a verified domain."""
    domains = frozenset(verified)
    primary = (address for address in user["proxyAddresses"] if address.startswith("SMTP:"))
    return any(address.rpartition("@")[2].lower() in domains for address in primary)
