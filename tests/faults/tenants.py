"""The tenants in which cases are played: they cover the open questions about Graph, with each possible answer.

`docs/evidence.md` says that the app is right in every position of a switch. This module lists the switches that matter
to a conversion, and spreads them over seven tenants so that every two positions of two switches occur together.
"""

from itertools import combinations
from typing import Any

from rehearsal.tenant.switches import TABLE
from tests.support.world import account, tenant_of

MET = (
    "pending-state",
    "address-match",
    "address-case",
    "invite-redeemed-account",
    "old-redeem-link",
    "disabled-account",
    "deleted-holder",
    "mailbox-account",
    "page-shape",
    "filter-case",
    "proxy-address-case",
    "eligibility-licence",
)
"""The switches that a conversion depends on."""
NUMBER = 7
_TURNED = list(combinations(range(1, NUMBER), 4))
"""For each switch, the four of the tenants 1 to 6 in which it is turned. Any two of these sets overlap, differ, and
leave out tenant 0, so two switches meet in all four combinations."""
TENANTS: tuple[dict[str, str], ...] = tuple(
    {name: TABLE[name].positions[number in turned] for name, turned in zip(MET, _TURNED, strict=False)}
    for number in range(NUMBER)
)

EACH = 400
"""Accounts of each kind: enough that no two cases share one."""
MAILBOX_PLAN = "efb87545-963c-4e0d-99df-69c6916d9eb0"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "disabled": {"accountEnabled": False},
    "mailbox": {
        "assignedPlans": [{"servicePlanId": MAILBOX_PLAN, "service": "exchange", "capabilityStatus": "Enabled"}]
    },
    "other mails": {"mail": None},
    "held": {},
}
"""Kinds of account, by what is special about them. A deleted account has the address of a `held` one, written in
capitals, and only among its proxy addresses."""
_NAMES = list(KINDS)


def number_of(kind: str, nth: int) -> int:
    """Return the number of the n-th account of a kind."""
    return _NAMES.index(kind) * EACH + nth


def address_of(number: int) -> str:
    """Return the address that an account is invited with."""
    return str(account(number)["mail"])


def seed() -> dict[str, Any]:
    """Return the seed of a tenant with all these accounts."""
    users = [_user(kind, number_of(kind, nth)) for kind in KINDS for nth in range(1, EACH)]
    held = [number_of("held", nth) for nth in range(1, EACH)]
    deleted = [
        account(len(KINDS) * EACH + number, mail=None, proxyAddresses=[f"smtp:{address_of(number).upper()}"])
        for number in held
    ]
    return tenant_of(*users, deletedUsers=deleted)


def _user(kind: str, number: int) -> dict[str, Any]:
    others = {"otherMails": [address_of(number)]} if kind == "other mails" else {}
    return account(number, **KINDS[kind], **others)
