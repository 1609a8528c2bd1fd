"""Check that every row of the campaign's list ended as the sample says, and that every decision about it succeeded."""

from collections.abc import Iterator

from rehearsal.run.checks import Check, Examiner
from rehearsal.run.evidence import MOVED_ON, Ending, Evidence
from rehearsal.sample import Expectation


def rows_refused(evidence: Evidence) -> Check:
    """Check that the app refused each invalid row with the right code and column, and accepted all others."""
    taken, entries = evidence.played.campaign.taken, evidence.sample.refused_rows
    wanted = [(entry.expect.code, entry.expect.target) for entry in entries]
    got = [(fault.code, fault.column) for fault in taken.faults] if taken else []
    problems = [] if got == wanted else [f"rows of the list: expected {wanted}, got {got}"]
    members = len(taken.members) if taken else 0
    if members != len(evidence.sample.listed):
        problems.append(f"members: expected {len(evidence.sample.listed)}, got {members}")
    return Check(
        f"{members} rows of the list became members, {len(entries)} were refused with the right code and column",
        tuple(problems),
    )


def members_ended(evidence: Evidence) -> Check:
    """Check stage, verdict and rules of every member, on the campaign's list and in the member's own answer."""
    expected = evidence.sample.ends(evidence.profile)
    listed = evidence.sample.listed
    problems = [
        problem
        for account in listed
        for problem in _member_ended(evidence, account.name, expected[account.name].as_member)
    ]
    return Check(
        f"{len(listed)} members compared, on the campaign's list and by GET /api/campaigns/…/members/…", tuple(problems)
    )


def members_decided(evidence: Evidence) -> Check:
    """Check that the app listed each member that must be decided about, and accepted each decision."""
    listed = {account.name for account in evidence.sample.listed}
    decisions = [each for each in evidence.sample.decisions if each.request in listed]
    got = evidence.played.campaign.decided
    problems = [
        f"{each.request}: {each.action} was answered {got.get(each.request, 'by nothing: it was not shown')}"
        for each in decisions
        if got.get(each.request, "") is not None
    ]
    return Check(f"{len(decisions)} members decided about, under exactly what was shown", tuple(problems))


MEMBERSHIP: tuple[Examiner, ...] = (rows_refused, members_ended, members_decided)


def _member_ended(evidence: Evidence, name: str, expect: Expectation) -> Iterator[str]:
    wanted = Ending(expect.stage, expect.verdict, expect.findings)
    line = evidence.by_reference.get(name)
    if line is None:
        yield f"{name}: expected {wanted}, got no member"
        return
    status = evidence.statuses[line["member"]]
    if (got := Ending.of(status)) != wanted:
        reason = f" ({status['lastError']})" if status.get("lastError") else ""
        yield f"{name}: expected {wanted}, got {got}{reason}"
    if (line["stage"], line["verdict"]) != (got.stage, got.verdict):
        yield f"{name}: {got}, and the list says {line['stage']}, {line['verdict']}"
    request = evidence.states.get(line["requestId"] or "", {}).get("stage")
    if got.stage in MOVED_ON and request != got.stage:
        yield f"{name}: {got.stage}, and its request's row says {request}"
