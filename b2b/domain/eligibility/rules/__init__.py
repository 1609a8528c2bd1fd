"""Every rule: those of the request first, then of the account, its mail, the invited address and the tenant."""

from typing import Final

from b2b.domain.eligibility.rule import Rule
from b2b.domain.eligibility.rules import account, address, mail, protection, request, tenant

RULES: Final[tuple[Rule, ...]] = tuple(
    row
    for module in (request, account, protection, mail, address, tenant)
    for row in vars(module).values()
    if isinstance(row, Rule)
)
"""In this order findings are returned. Ids and severities are the product's contract; settings may override them."""
