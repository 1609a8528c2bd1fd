"""Build members, findings and assessments for tests."""

from datetime import UTC, datetime
from typing import Any

from b2b.domain.account import Account
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.reading import Reading, read
from b2b.domain.conversion.assessment import Assessment
from b2b.domain.findings import Finding, Severity, verdict_of
from b2b.domain.request import IntakePolicy

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
IDS = [f"0a000000-0000-4000-8000-{number:012d}" for number in range(20)]


def reading(text: str) -> Reading:
    return read(text.encode(), POLICY)


def finding(rule: str, severity: Severity, message: str = "it is so") -> Finding:
    return Finding(rule, severity, message, f"mend {rule}", "https://learn.microsoft.com/")


def assessment(
    *found: Finding, user_id: str = IDS[1], address: str = "anna@fabrikam.com", **account: Any
) -> Assessment:
    user = Account(id=user_id, **{"user_principal_name": "Anna@contoso.com", **account})
    return Assessment(user, address, "tenant", found, NOON)


def member(number: int = 1, *found: Finding, **columns: Any) -> Member:
    defaults: dict[str, Any] = {
        "campaign_id": "spring",
        "key": f"{number:032x}",
        "import_id": "first",
        "listed_at": NOON,
        "stage": MemberStage.JUDGED,
        "names": (f"id={IDS[number]}",),
        "body": b'{"invitedUser":{"id":"%s"}}' % IDS[number].encode(),
        "content": "hash",
        "user_id": IDS[number],
        "user_principal_name": f"user{number}@contoso.com",
        "verdict": verdict_of(found),
        "findings": found,
        "judged_at": NOON,
        "judged_as": f"subject-{number}",
    }
    return Member(**{**defaults, **columns})
