"""The detail of an event that a judgement leads to."""

import pytest

from b2b.domain.findings import Finding, Severity, Verdict, held_up_by, in_short


@pytest.mark.parametrize(
    ("verdict", "rules", "said"),
    [
        (
            Verdict.BLOCKED,
            {"exchange-mailbox": Severity.BLOCK, "looks-odd": Severity.REVIEW},
            "exchange-mailbox, looks-odd",
        ),
        (
            Verdict.FIXABLE,
            {"no-external-address": Severity.FIX, "on-premises-synced": Severity.INFO},
            "no-external-address",
        ),
        (Verdict.READY, {"on-premises-synced": Severity.WARN}, ""),
    ],
)
def test_a_judgement_is_told_with_the_rules_that_prevent_an_invitation(
    verdict: Verdict, rules: dict[str, Severity], said: str
) -> None:
    findings = [Finding(rule, severity, "m", "f", "s") for rule, severity in rules.items()]
    assert held_up_by([*findings, *findings]) == said
    assert in_short(verdict, [*findings, *findings]) == (f"{verdict}: {said}" if said else verdict)
