"""All rules, one module for each subject."""

from typing import Final

from b2b.domain.eligibility.rule import Rule
from b2b.domain.eligibility.rules import account, address, mail, protection, request, tenant

RULES: Final[tuple[Rule, ...]] = tuple(
    row
    for module in (request, account, protection, mail, address, tenant)
    for row in vars(module).values()
    if isinstance(row, Rule)
)
"""All rules, in the order in which their findings are returned. Ids and severities are part of the product's contract;
settings may override the severities."""
