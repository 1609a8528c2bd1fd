"""Write the pages of docs/reference."""

from typing import Any

from b2b.connection import STORAGE, STORAGE_SETTINGS
from b2b.domain.account import SELECT
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.facts import FACTS, REDEMPTIONS
from b2b.domain.eligibility.judge import FACT_NOT_READABLE, PINNED
from b2b.domain.eligibility.permissions import AUDITING, COMPARING, READING, WRITING, Permission, rules_that_want
from b2b.domain.eligibility.rule import Rule
from b2b.domain.eligibility.rules import RULES
from b2b.domain.error_codes import ErrorCode
from b2b.domain.lifecycle.snapshot import FACTS as COMPARED
from b2b.domain.lifecycle.snapshot import KINDS
from b2b.settings import SETTINGS
from reference.tables import coded, table

MADE = "<!-- Made by `make reference` from the tables in b2b. Change those, not this file. -->\n"


def rules() -> str:
    """Return the page of all rules: when each has a finding, how severe the finding is, and what to do."""
    pinned = ", ".join(coded(rule.id) for rule in RULES if rule.id in PINNED)
    weights = [[coded(rule.id), rule.current.value, rule.legacy.value, rule.hits] for rule in RULES]
    unread = "A rule could not be decided because a fact could not be read; it names both."
    fixes = [[coded(rule.id), _fixes(rule), rule.source] for rule in RULES]
    return f"""{MADE}
# Rules

Every rule that is on is asked, and all findings are returned: `{{rule, severity, message, fix, source}}`. The worst
decides: block → blocked, review → needsReview, fix → fixable (behaves as blocked), else ready. A fix on an account that
Graph cannot change (synchronised, or with a mailbox) is a block.

`B2B_RULE_OVERRIDES` changes severities, except where nothing could be invited: {pinned}.

{table(["rule", "`current`", "`2020`", "hits when"], [*weights, [coded(FACT_NOT_READABLE), "-", "-", unread]])}
`{FACT_NOT_READABLE}` is review where the undecided rule protects, warn where it only warns or where Graph itself
refuses such an invitation. Setting a rule `off` is the way to do without its permission: its facts are then not read.

## What to do

*Retry* is `POST /api/requests/{{requestId}}/retry`, for a request that ended `blocked` or `failed`: the rules are
asked again. *Approve* is `…/approve`, for one that ended `needsReview`. A *new request* has another `requestId`. The
fix of a finding may differ where the case does: it then speaks of Active Directory, Exchange or a group.

{table(["rule", "fix", "source"], fixes)}"""


def _fixes(rule: Rule) -> str:
    legacy = f" Under `2020`: {rule.legacy_fix}" if rule.legacy_fix else ""
    return rule.fix + legacy + (f" After Graph refused: {rule.refused_fix}" if rule.refused_fix else "")


def settings() -> str:
    """Return the page of all settings: the default of each, and what it means."""
    storage = [
        [coded(name), "required" if name == STORAGE else "-", meaning] for name, meaning in STORAGE_SETTINGS.items()
    ]
    others = [
        [coded(row.name), "required" if row.default is None else coded(row.default), row.meaning] for row in SETTINGS
    ]
    return f"""{MADE}
# Settings

{table(["setting", "default", "meaning"], [*storage, *others])}
In a Functions process the settings are checked before anything else. With a wrong or missing one the app writes one
line that names it to stderr and registers nothing but `/api/health`, which answers 503 with that line: messages wait in
the queue.
"""


def permissions() -> str:
    """Return the page of all Graph permissions: what each allows, which rules need it, and which facts it reads."""
    rows = [
        *(_permission(row, "assess") for row in READING),
        *(_permission(row, "convert") for row in WRITING),
        *(_permission(row, "convert, while comparing") for row in COMPARING),
        *(_permission(row, "convert, with `B2B_READ_AUDIT_LOG`") for row in AUDITING),
    ]
    facts = [
        [
            fact.name,
            "<br>".join(coded(ask.text.replace(",".join(SELECT), "…")) for ask in fact.asks)
            or (f"comes with {fact.comes_with.name}" if fact.comes_with else "the app's own tables"),
            coded(fact.permission),
            ", ".join(coded(wider) for wider in sorted(fact.wider)) or "-",
            _readers(fact),
        ]
        for fact in FACTS
    ]
    properties = [
        [coded(name), ", ".join(coded(rule.id) for rule in RULES if name in rule.reads) or _otherwise(name)]
        for name in SELECT
    ]
    return f"""{MADE}
# Permissions

Application permissions of Microsoft Graph hold for the whole tenant; they cannot be limited to some users.
`infra/graph-permissions.bicep` grants exactly those of the mode, profile and rules that the app runs with, and
`/api/health` (`graphRoles`) compares the token with the same set.

{table(["permission", "in", "allows", "wanted by", "do without it"], rows)}
## Facts

What the app asks Graph, with the least permission that answers and the wider ones that do, too. A fact is read only if
a rule that is on needs it; those for the comparison only in `convert`, before an invitation and after a redemption,
while `B2B_COMPARE_ACCESS` is `true`; the audit log only with `B2B_READ_AUDIT_LOG`, and after a redemption.

{table(["fact", "question", "permission", "wider", "for"], facts)}
## Properties of an account

What `$select` asks of every account (`…` above), and the rules that cannot be decided if Graph leaves one out.

{table(["property", "read by"], properties)}"""


def _readers(fact: Fact[Any]) -> str:
    rules = [coded(rule.id) for rule in RULES if fact in rule.needs]
    others = ["the comparison"] * (fact in COMPARED) + ["who redeemed"] * (fact is REDEMPTIONS)
    return ", ".join(rules + others) or "finding the account"


def _otherwise(name: str) -> str:
    return "the comparison" if name in {row.select for row in KINDS} else "what findings say"


def _permission(row: Permission, mode: str) -> list[str]:
    rules = rules_that_want(row)
    off = "that rule `off`" if len(rules) == 1 else "these rules `off`"
    wanted = row.wanted or ", ".join(coded(rule.id) for rule in rules)
    return [coded(row.value), mode, row.allows, wanted, row.without or off]


def errors() -> str:
    """Return the page of all error codes: the HTTP status, the cause, and what a queue message with it becomes."""
    rows = [[coded(row.value), str(row.status), row.when, row.by_queue or "-"] for row in ErrorCode]
    return f"""{MADE}
# Errors

Every error of the app is `{{"error": {{"code", "message", "target", "details"}}}}` with the code in `x-ms-error-code`.
`target` is the path of the field; types are called as JSON calls them. The Functions host itself answers
401 without a body where a key is missing or wrong.

{table(["code", "HTTP", "when", "by queue"], rows)}
A request that is well-formed but unfit (no such account, an ambiguous or deleted one, forbidden characters, an own
domain…) is taken in with 202 and ends `blocked` with its findings. A refused HTTP request leaves no row, because its
caller got the answer; every message from the queue leaves one.
"""
