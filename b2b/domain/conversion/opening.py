"""Create the row of a conversion from the assessment of its account. Adopt an account that someone else invited."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import structs

from b2b.domain.account import Account, changed_at
from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.records import Change, Conversion, advance, begin
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Finding, Severity, Verdict, verdict_of

PENDING = "invitation-pending"
"""The rule that finds an invitation sent by someone else."""
NOTHING_TO_ADOPT = Finding(
    "nothing-to-adopt",
    Severity.BLOCK,
    "The account is not waiting for a redemption, so there is no invitation to follow. Nothing was sent.",
    "Retry the request to have the account invited.",
    "https://learn.microsoft.com/graph/api/resources/user",
)
ADOPTED = "the app follows an invitation that someone else sent; it sends nothing"


def opening(request_id: str, assessment: Assessment, stage: Stage) -> Conversion:
    """Return the new conversion of an assessed account, led by the request with this id."""
    if assessment.account is None:
        raise ValueError("a conversion needs an account")
    return Conversion(
        user_id=assessment.account.id.lower(),
        stage=stage,
        request_id=request_id,
        verdict=assessment.verdict,
        findings=assessment.findings,
        **judged(assessment, assessment.account),
    )


def judged(assessment: Assessment, account: Account) -> dict[str, Any]:
    """Return the columns that show what was judged. A reviewer must see which address an approval is for."""
    return {
        "user_principal_name": account.user_principal_name,
        "invited_user_email_address": assessment.address or "",
        "synced": account.synced,
        "assessed_at": assessment.at,
        "assessed_as": account.fingerprint,
        "was_internal": account.external_user_state is None,
    }


def without_pending(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings without `invitation-pending`, for an account that is expected to be pending."""
    return tuple(each for each in findings if each.rule != PENDING)


def adoptable(assessment: Assessment) -> tuple[Finding, ...] | None:
    """Return the findings to keep for an account that is adopted; None if the rules forbid adopting it.

    A review finding becomes a warning, because it forbids only inviting, and the person who adopts the account has seen
    it.
    """
    left = tuple(
        structs.replace(each, severity=Severity.WARN) if each.severity is Severity.REVIEW else each
        for each in without_pending(assessment.findings)
    )
    return left if verdict_of(left) is Verdict.READY else None


def adopted(
    before: Conversion | None, request_id: str, assessment: Assessment, findings: tuple[Finding, ...], now: datetime
) -> Change[Conversion]:
    """Start to follow an account that someone else invited. Without an earlier snapshot, nothing will be compared."""
    row = opening(request_id, replace(assessment, findings=findings), Stage.INVITED)
    since = changed_at(assessment.account) if assessment.account is not None else None
    known: dict[str, Any] = {"invited_at": since or now, "seen_at": now, "adopted": True}
    if before is not None and before.stage is Stage.INVITING:
        known |= {"findings": row.findings, "verdict": row.verdict, "lease_until": None}
        return advance(before, Stage.INVITED, now, ADOPTED, **known)
    return begin(before, replace(row, **known), now, ADOPTED)
