"""Format the report of a run: people of the campaign, other requests, what was checked, and every difference."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.run.checks import Check
from rehearsal.run.evidence import Evidence, findings

JSONObject = Mapping[str, Any]
STAGES = {
    "completed": "the person redeemed; the account is external now, with all it had",
    "accepted": "the person redeemed; not verified yet",
    "unverified": "another person may have redeemed, or the account changed; an administrator decides",
    "invited": "waits for the person",
    "inviting": "the invitation is under way",
    "needsReview": "waits for an administrator",
    "judged": "not released: the findings below say why",
    "listed": "not judged yet",
    "blocked": "not converted; the findings say why",
    "assessed": "dry run: judged, nothing written",
    "requested": "not processed yet",
    "rejected": "malformed, by queue",
    "failed": "given up",
    "cancelled": "called off or refused",
}
"""The stages in the order of the report, with their meaning."""
PROSPECTS = {
    "fixable": "a change would help:",
    "needsAPerson": "a person has to decide, because of:",
    "cannot": "nothing helps, because of:",
}
IN_THE_WAY = frozenset({"block", "fix", "review"})
"""The severities of findings that prevent an invitation."""
AFTER = frozenset({"access-changed", "redeemed-by-other"})
"""The findings that the app makes after a redemption."""
REDEEMED = {"at-once": "Redeemed as soon as it was invited.", "late": "Redeemed after more than a week."}
MOST_PROBLEMS = 100
"""The most differences to print; more of them would tell nothing new."""
_MARK = {True: "ok", False: "NO"}


def outcome(evidence: Evidence) -> Iterator[str]:
    """Yield the campaign's people by stage and by finding, then the requests outside the campaign."""
    yield from people(evidence.members)
    yield ""
    yield from reasons(tuple(evidence.statuses.values()))
    yield ""
    yield from fates(evidence)
    yield ""
    yield from _beside(evidence)


def people(members: Sequence[JSONObject]) -> Iterator[str]:
    """Yield the number of the campaign's people in each stage."""
    counts = Counter(str(member["stage"]) for member in members)
    yield f"{'Stage':<14}{'people':>8}"
    for stage in sorted(counts, key=[*STAGES].index):
        yield f"{stage:<14}{counts[stage]:>8}  {STAGES[stage]}"


def reasons(statuses: Sequence[JSONObject]) -> Iterator[str]:
    """Yield why judged people are not released, with the number of people for each reason.

    A reason is a change that would help, or a finding that no change helps or that needs a person's decision. A person
    with two reasons counts for both.
    """
    held = [member for member in statuses if member["stage"] == "judged" and member["verdict"] != "ready"]
    yield f"{'Not released':<14}{'people':>8}"
    for prospect, meaning in PROSPECTS.items():
        about = [member for member in held if member["prospect"] == prospect]
        if not about:
            continue
        yield f"{prospect:<14}{len(about):>8}  {meaning}"
        said = (member["changes"] if prospect == "fixable" else _in_the_way(member) for member in about)
        for text, count in Counter(text for texts in said for text in set(texts)).most_common():
            yield f"{'':<14}{count:>8}    {text}"


def fates(evidence: Evidence) -> Iterator[str]:
    """Yield, for each account to which something happened after its request, where it ended, why, and its history."""
    whys: dict[str, list[str]] = {}
    for account in evidence.sample.accounts:
        if account.redeem_as:
            whys[account.name] = [account.why]
        elif account.redeem_on in REDEEMED:
            whys[account.name] = [REDEEMED[account.redeem_on]]
        elif account.redeem and account.user and account.user.get("onPremisesSyncEnabled"):
            whys[account.name] = ["Synchronised from Active Directory."]
    for change in evidence.sample.changes:
        whys.setdefault(change.account, []).append(change.why)
    yield f"{'After':<14}account"
    for name, why in whys.items():
        user_id = evidence.sample.account(name).user_id or ""
        row = evidence.accounts.get(user_id)
        yield f"{row['stage'] if row else 'not invited':<14}{name}"
        yield from (f"{'':<16}{text}" for text in why)
        yield f"{'':<16}{' > '.join(evidence.account_events(user_id))}"
        yield from (
            f"{'':<16}{each['rule']}: {each['message']}" for each in findings(row or {}) if each["rule"] in AFTER
        )


def checked(checks: Sequence[Check]) -> Iterator[str]:
    """Yield a line for each check."""
    yield "Checked"
    for check in checks:
        yield f"  {_MARK[not check.problems]}  {check.said}"


def differences(problems: Sequence[str], measure: str, log_file: Path | None) -> Iterator[str]:
    """Yield a line for each difference, and the path of the host's log."""
    yield f"Different from {measure}"
    yield from (f"  {problem}" for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield f"  and {len(problems) - MOST_PROBLEMS} more"
    if log_file:
        yield f"The host's log: {log_file}"


def _in_the_way(member: JSONObject) -> list[str]:
    if "findings" not in member:
        return list(member["rules"])
    return [finding["rule"] for finding in findings(member) if finding["severity"] in IN_THE_WAY]


def _beside(evidence: Evidence) -> Iterator[str]:
    """Yield the number of requests outside the campaign, by stage."""
    released = {member["requestId"] for member in evidence.members}
    counts = Counter(str(row["stage"]) for key, row in evidence.states.items() if key not in released)
    refused = sum(entry.by == "http" for entry in evidence.sample.malformed)
    sent = len(evidence.sample.asked_for_alone) + len(evidence.sample.malformed_alone)
    yield f"Outside the campaign  {sent} requests by queue and by HTTP"
    for stage in sorted(counts, key=[*STAGES].index):
        yield f"{stage:<14}{counts[stage]:>8}  {STAGES[stage]}"
    yield f"{'(refused)':<14}{refused:>8}  malformed, by HTTP: answered 400, 409 or 413 and not recorded"
    yield f"{'(repeats)':<14}{sent - counts.total() - refused:>8}  under the id of a request above"
