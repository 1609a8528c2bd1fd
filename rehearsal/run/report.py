"""The end of a run on paper: the outcome by stage and by rule, what was checked, and every difference."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rehearsal.run.checks import Check
from rehearsal.run.evidence import Evidence, findings

STAGES = {
    "completed": "the person redeemed; the account is external now, with all it had",
    "accepted": "the person redeemed; not verified yet",
    "invited": "waits for the person",
    "inviting": "the invitation is under way",
    "needsReview": "waits for an administrator",
    "blocked": "not converted; the findings say why",
    "assessed": "dry run: judged, nothing written",
    "requested": "not worked on yet",
    "rejected": "malformed, by queue",
    "failed": "given up",
    "cancelled": "called off or refused",
}
"""Stages in the order in which they are listed, with their meaning."""
SEVERITIES = ("block", "fix", "review", "warn", "info")
_MARK = {True: "ok", False: "NO"}


def outcome(evidence: Evidence) -> Iterator[str]:
    """The outcome table: requests by stage, then findings by rule and severity."""
    yield from _stages(evidence)
    yield ""
    yield from _rules(evidence)


def checked(checks: Sequence[Check]) -> Iterator[str]:
    """What was looked at, a line each."""
    yield "Checked"
    for check in checks:
        yield f"  {_MARK[not check.problems]}  {check.said}"


def differences(problems: Sequence[str], log_file: Path) -> Iterator[str]:
    """Everything that is not as the sample says, a line each, and where to look."""
    yield "Different from the sample"
    yield from (f"  {problem}" for problem in problems)
    yield f"The host's log: {log_file}"


def _stages(evidence: Evidence) -> Iterator[str]:
    counts = Counter(str(row["stage"]) for row in evidence.states.values())
    refused = sum(entry.by == "http" for entry in evidence.sample.malformed)
    yield f"{'Stage':<14}{'requests':>8}"
    for stage in sorted(counts, key=[*STAGES].index):
        yield f"{stage:<14}{counts[stage]:>8}  {STAGES[stage]}"
    yield f"{'(refused)':<14}{refused:>8}  malformed, by HTTP: answered 400, 409 or 413 and not recorded"
    repeats = len(evidence.sample.accounts) + len(evidence.sample.malformed) - counts.total() - refused
    yield f"{'(repeats)':<14}{repeats:>8}  under the id of a request above: the same body again, or another by queue"


def _rules(evidence: Evidence) -> Iterator[str]:
    severities: dict[str, Counter[str]] = defaultdict(Counter)
    for row in evidence.account_rows():
        for finding in findings(row):
            severities[finding["rule"]][finding["severity"]] += 1
    yield f"{'Rule':<26}{'requests':>8}  severity"
    for rule, counts in sorted(severities.items(), key=lambda item: (_worst(item[1]), item[0])):
        mixed = [
            f"{severity} {counts[severity]}" if len(counts) > 1 else severity
            for severity in SEVERITIES
            if counts[severity]
        ]
        yield f"{rule:<26}{counts.total():>8}  {', '.join(mixed)}"


def _worst(counts: Counter[str]) -> int:
    return min(SEVERITIES.index(severity) for severity in counts)
