"""A conversion as a request begins it, from what was judged; also one that others began, and this app only follows."""

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
"""The rule that finds an invitation which somebody else sent."""
NOTHING_TO_ADOPT = Finding(
    "nothing-to-adopt",
    Severity.BLOCK,
    "The account does not wait for its person, so there is no invitation to follow. Nothing was sent.",
    "Retry the request to have the account invited.",
    "https://learn.microsoft.com/graph/api/resources/user",
)
ADOPTED = "an invitation that others sent is followed; the app sends nothing"


def opening(request_id: str, assessment: Assessment, stage: Stage) -> Conversion:
    """Return the conversion as a request begins it."""
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
    """Return the columns that show what was judged: a review must show the address that its approval is for."""
    return {
        "user_principal_name": account.user_principal_name,
        "invited_user_email_address": assessment.address or "",
        "synced": account.synced,
        "assessed_at": assessment.at,
        "assessed_as": account.fingerprint,
        "was_internal": account.external_user_state is None,
    }


def without_pending(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what else the rules say of an account that is known, and meant, to wait."""
    return tuple(each for each in findings if each.rule != PENDING)


def adoptable(assessment: Assessment) -> tuple[Finding, ...] | None:
    """Return what stays to be said of an account that is adopted; None: the rules forbid it.

    A review finding forbids to invite, not to follow: whoever adopts the account was shown it.
    """
    left = tuple(
        structs.replace(each, severity=Severity.WARN) if each.severity is Severity.REVIEW else each
        for each in without_pending(assessment.findings)
    )
    return left if verdict_of(left) is Verdict.READY else None


def adopted(
    before: Conversion | None, request_id: str, assessment: Assessment, findings: tuple[Finding, ...], now: datetime
) -> Change[Conversion]:
    """Follow from now on an account that others invited. There was no snapshot, so nothing will be compared."""
    row = opening(request_id, replace(assessment, findings=findings), Stage.INVITED)
    since = changed_at(assessment.account) if assessment.account is not None else None
    known: dict[str, Any] = {"invited_at": since or now, "seen_at": now, "adopted": True}
    if before is not None and before.stage is Stage.INVITING:
        known |= {"findings": row.findings, "verdict": row.verdict, "lease_until": None}
        return advance(before, Stage.INVITED, now, ADOPTED, **known)
    return begin(before, replace(row, **known), now, ADOPTED)
