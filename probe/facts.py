"""Find in the tenant's settings what a question needs, such as a free licence. If it is missing, skip the question."""

import json
from dataclasses import dataclass

from probe.errors import Skipped
from probe.graph import Answer

SKU_FIELDS = "skuId,capabilityStatus,consumedUnits,prepaidUnits,servicePlans"
USAGE_LOCATION = "US"
"""The country of a test account. Graph assigns a licence only to an account that has one."""
MAILBOX_PLANS = frozenset(
    {
        "efb87545-963c-4e0d-99df-69c6916d9eb0",  # EXCHANGE_S_ENTERPRISE
        "9aaf7827-d63c-4b61-89c3-182f06f82e5c",  # EXCHANGE_S_STANDARD
        "4a82b400-a79f-41a4-b4e2-e94f5787b113",  # EXCHANGE_S_DESKLESS
        "1126bef5-da20-4f07-b45e-ad25d2581aa8",  # EXCHANGE_S_ESSENTIALS
    }
)
"""The usual service plans with a mailbox (Microsoft's CSV of product names)."""


@dataclass(frozen=True, slots=True)
class Sku:
    """A licence with a mailbox: its id, the plan of the mailbox, and its other plans."""

    id: str
    mailbox_plan: str
    other_plans: tuple[str, ...]


def free_mailbox(answer: Answer) -> Sku:
    """Return a licence with a mailbox that has a free seat. If there are several, return the one with the fewest plans.

    Raises:
        Skipped: the tenant has no such licence, or the licences could not be read.

    """
    if not answer.good:
        raise Skipped(f"the tenant's licences could not be read: {answer.short}")
    found: list[Sku] = []
    for sku in answer.body["value"]:
        plans = [str(plan["servicePlanId"]).lower() for plan in sku["servicePlans"]]
        mailboxes = [plan for plan in plans if plan in MAILBOX_PLANS]
        if mailboxes and sku["capabilityStatus"] == "Enabled" and sku["consumedUnits"] < sku["prepaidUnits"]["enabled"]:
            others = tuple(plan for plan in plans if plan != mailboxes[0])
            found.append(Sku(sku["skuId"], mailboxes[0], others))
    if not found:
        raise Skipped("the tenant has no free licence with a mailbox")
    return min(found, key=lambda sku: len(sku.other_plans))


def blocked_domain(answer: Answer) -> str:
    """Return a domain that the tenant's list of domains blocks or does not allow.

    Raises:
        Skipped: the tenant has no such list, or the list could not be read.

    """
    if not answer.good:
        raise Skipped(f"the tenant's list of domains could not be read: {answer.short}")
    for policy in answer.body["value"]:
        for text in policy.get("definition") or ():
            lists = json.loads(text).get("B2BManagementPolicy", {}).get("InvitationsAllowedAndBlockedDomainsPolicy", {})
            if lists.get("BlockedDomains"):
                return str(lists["BlockedDomains"][0])
            if lists.get("AllowedDomains"):
                return "b2b-probe.example"
    raise Skipped("the tenant has no list of allowed or blocked domains")
