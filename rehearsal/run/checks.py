"""Check in the ledger and by HTTP that every request ended as the sample says, also those that had to be refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rehearsal.run.evidence import MOVED_ON, Ending, Evidence
from rehearsal.run.packaged import Packaged
from rehearsal.sample import Account, Expectation, Malformed

OK, ACCEPTED = 200, 202


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a line with its figures, and a line for each problem."""

    said: str
    problems: tuple[str, ...]


Examiner = Callable[[Evidence], Check]


def requests_ended(evidence: Evidence) -> Check:
    """Check stage, verdict and rules of every request outside the campaign, in its row and in the API's answer."""
    expected = evidence.sample.ends(evidence.profile)
    alone = evidence.sample.asked_for_alone
    problems = [problem for account in alone for problem in _ended(evidence, account, expected[account.name])]
    said = f"{len(alone)} requests outside the campaign compared, in the ledger and by GET /api/requests/…"
    return Check(said, tuple(problems))


def accounts_ended(evidence: Evidence) -> Check:
    """Check that the row of each invited account has the stage of its requests."""
    rows, problems = evidence.accounts, []
    for user_id, wanted in evidence.moved_on.items():
        got = rows[user_id]["stage"] if user_id in rows else "no row"
        if got != wanted:
            problems.append(f"account {user_id}: expected {wanted}, got {got} (table conversions)")
    shared = sum(row["stage"] in MOVED_ON for row in evidence.states.values()) - len(evidence.moved_on)
    return Check(
        f"{len(evidence.moved_on)} accounts compared in the table of conversions; {shared} requests joined one of them",
        tuple(problems),
    )


def decisions_taken(evidence: Evidence) -> Check:
    """Check that each decision was accepted, and that each request that had to wait gave the right reason."""
    listed = {account.name for account in evidence.sample.listed}
    decisions = [each for each in evidence.sample.decisions if each.request not in listed]
    problems = []
    for decision in decisions:
        receipt = evidence.played.decided[decision.request]
        if receipt.status != ACCEPTED:
            got = f"HTTP {receipt.status} {receipt.error_code or ''}".rstrip()
            problems.append(f"{decision.request}: {decision.action} was answered {got}")
        if decision.waits != (reason := evidence.played.waited.get(decision.request)):
            problems.append(f"{decision.request}: should have waited for {decision.waits}, waited for {reason}")
    taken = ", ".join(decision.action for decision in decisions) or "none"
    return Check(f"{len(decisions)} requests decided about: {taken}", tuple(problems))


def refused_by_http(evidence: Evidence) -> Check:
    """Check the answers to malformed requests by HTTP: status, code in body and header, target."""
    entries = [entry for entry in evidence.sample.malformed if entry.by == "http"]
    problems = []
    for entry in entries:
        receipt, expect = evidence.played.receipts[entry.name], entry.expect
        error = receipt.body.get("error", {})
        got = (receipt.status, error.get("code"), receipt.error_code, error.get("target"))
        wanted = (expect.status, expect.code, expect.code, expect.target)
        if got != wanted:
            problems.append(f"{entry.name}: expected {_listed(wanted)}, got {_listed(got)}")
    return Check(
        f"{len(entries)} malformed requests by HTTP refused with the right status, code and field", tuple(problems)
    )


def refused_from_queue(evidence: Evidence) -> Check:
    """Check that each malformed message has a row with stage and code, also those that only the sweep could see."""
    entries = [entry for entry in evidence.sample.malformed_alone if entry.by != "http" and not entry.conflicts_with]
    states = evidence.states
    problems = []
    for entry in entries:
        row = states.get(evidence.request_id(entry.name) or "", {})
        got, wanted = (row.get("stage"), row.get("errorCode")), (entry.expect.stage, entry.expect.code)
        if got != wanted:
            problems.append(f"{entry.name}: expected {_listed(wanted)}, got {_listed(got)}")
    by_poison = sum(entry.poison for entry in entries)
    return Check(
        f"{len(entries)} malformed messages recorded as rejected, {by_poison} of them from poison", tuple(problems)
    )


def conflicts_noted(evidence: Evidence) -> Check:
    """Check that a repeated request id with another body is an event in the history of the original request."""
    entries = [entry for entry in evidence.sample.malformed if entry.conflicts_with]
    problems = [
        f"{entry.name}: expected an event refused-repeat in the history of {original}, got {', '.join(events)}"
        for entry in entries
        for original in [_original(evidence, entry)]
        if "refused-repeat" not in (events := evidence.events(original))
    ]
    return Check(f"{len(entries)} repeats of a request id with another body recorded in its history", tuple(problems))


def queues_empty(evidence: Evidence) -> Check:
    """Check that the sweep emptied the poison queue, and that no message is left."""
    problems = [] if evidence.played.swept else ["the sweep failed: see the host's log"]
    if evidence.left_in_queues:
        problems.append(f"messages left in the queues: {evidence.left_in_queues}")
    return Check(f"{evidence.played.poison} poison messages drained, both queues empty", tuple(problems))


def came_compiled(packaged: Packaged) -> Check:
    """Check that the interpreter compiled no module. In Azure it could not save the result, so each start would be
    slower.
    """
    made = packaged.compiled_since()
    problems = tuple(f"{name}: imported, and not compiled in the package" for name in made)
    return Check(
        f"{len(packaged.compiled)} modules came compiled in the package, none had to be compiled later", problems
    )


CHECKS: tuple[Examiner, ...] = (
    requests_ended,
    accounts_ended,
    decisions_taken,
    refused_by_http,
    refused_from_queue,
    conflicts_noted,
    queues_empty,
)


def _ended(evidence: Evidence, account: Account, expect: Expectation) -> Iterator[str]:
    wanted = Ending(expect.stage, expect.verdict, expect.findings)
    receipt = evidence.played.receipts[account.name]
    if receipt.request_id is None:
        yield f"{account.name}: expected {wanted}, got HTTP {receipt.status} {receipt.error_code or ''}"
        return
    row = evidence.states.get(receipt.request_id)
    if row is None:
        yield f"{account.name}: expected {wanted}, got no row"
        return
    if (got := Ending.of(row)) != wanted:
        reason = f" ({row['lastError']})" if row.get("lastError") else ""
        yield f"{account.name}: expected {wanted}, got {got}{reason}"
    status, body = evidence.answers[receipt.request_id]
    told = Ending.of(body) if status == OK else None
    if told not in (wanted, got):
        yield f"{account.name}: expected {wanted}, got by HTTP {status} {told or ''}"


def _original(evidence: Evidence, entry: Malformed) -> str:
    return evidence.request_id(entry.conflicts_with or "") or ""


def _listed(values: tuple[object, ...]) -> str:
    return " ".join("-" if value is None else str(value) for value in values)
