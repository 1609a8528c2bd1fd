"""Record the result of the comparison after a redemption."""

from datetime import datetime
from typing import Any

from b2b.domain.conversion.records import Change, Conversion, advance
from b2b.domain.conversion.redeemer import Redeemer, doubtful, finding
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import ACCESS_CHANGED, REDEEMED_BY_OTHER, Finding, Verdict, without

FOUND_AFTER = (ACCESS_CHANGED, REDEEMED_BY_OTHER)
"""The rules of the findings that the comparison after a redemption adds."""
NO_SNAPSHOT = "no snapshot was taken before the invitation"


def proven(row: Conversion, stage: Stage, said: str, found: Redeemer | None, now: datetime) -> Change[Conversion]:
    """Move the conversion to ``stage``, and record who redeemed. ``found`` is None if the app did not look."""
    if found is None:
        return advance(row, stage, now, said)
    signs_in = f"{said}; signs in with the invited address: {found.matches} ({found.said})"
    return advance(row, stage, now, signs_in, **_known(found))


def uncompared(row: Conversion, why: str, found: Redeemer | None, now: datetime) -> Change[Conversion]:
    """Complete the conversion without a comparison. If another person may have redeemed, ask a person to decide."""
    if found is not None and doubtful(found, corrected=row.corrected):
        return unverified(row, (), found, now)
    return proven(row, Stage.COMPLETED, f"nothing was compared: {why}", found, now)


def unverified(
    row: Conversion, findings: tuple[Finding, ...], found: Redeemer | None, now: datetime
) -> Change[Conversion]:
    """Ask a person to decide about the findings, and about who redeemed if that is in doubt."""
    if found is not None and doubtful(found, corrected=row.corrected):
        findings = (*findings, finding(found))
    kept: dict[str, Any] = {
        "findings": (*without(row.findings, *FOUND_AFTER), *findings),
        "verdict": Verdict.NEEDS_REVIEW,
        **_known(found),
    }
    return advance(row, Stage.UNVERIFIED, now, ", ".join(each.rule for each in findings), **kept)


def _known(found: Redeemer | None) -> dict[str, Any]:
    return {
        "sign_in_matches": found.matches.value if found is not None else "",
        "signs_in_with": found.issuer if found is not None else "",
    }
