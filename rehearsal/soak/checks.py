"""Check what must be true after a soak. The name of each function is printed as the name of its condition."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rehearsal.history import PREFIX, history
from rehearsal.rig import Row
from rehearsal.run.checks import Check
from rehearsal.run.evidence import findings
from rehearsal.run.safety import ADDRESS, REDEEM_LINK, STATES
from rehearsal.soak.evidence import REVIEW, Evidence

OUTCOME_UNKNOWN = "outcome-unknown"
"""The finding of an account whose invitation may have been sent, because Graph's answer was lost."""
STATE_ROWS = frozenset({"request", "current", "pace"})
"""Row keys of state rows. The history of a state row is in the row's own partition."""


def in_time(evidence: Evidence) -> Check:
    """Check that all work was done within its time."""
    return Check(f"{evidence.done.seconds:.0f} s until no message was left", evidence.done.late)


def everything_sent(evidence: Evidence) -> Check:
    """Check that all requests were sent within the time."""
    sent, total = evidence.done.sent, len(evidence.population.requests)
    return Check(f"{sent} requests sent", () if sent == total else (f"only {sent} of {total} requests were sent",))


def requests_ended(evidence: Evidence) -> Check:
    """Check that every request that was sent has a row, at the stage of its account."""
    states = evidence.request_states
    problems = []
    for request in evidence.population.requests[: evidence.done.sent]:
        wanted, row = evidence.stands(request.user_id), states.get(request.request_id)
        if row is None:
            problems.append(f"request {request.request_id}: expected {wanted}, got no row")
        elif row["stage"] != wanted and not (row["stage"] == REVIEW and request.user_id in evidence.lied_about):
            why = row.get("lastError") or row.get("waiting") or "no reason"
            problems.append(f"request {request.request_id}: expected {wanted}, got {row['stage']} ({why})")
    return Check(f"{len(states)} requests ended, none lost", tuple(problems))


def accounts_ended(evidence: Evidence) -> Check:
    """Check that every account is at the stage it must be at. If the tenant shows pending invitations, the app settles
    each lost answer itself, so no account may wait for a person.
    """
    accounts = _asked_for(evidence)
    problems = [
        f"account {user_id}: expected {' or '.join(evidence.stages(user_id))}, got {evidence.stands(user_id)}"
        for user_id in sorted(accounts)
        if evidence.stands(user_id) not in evidence.stages(user_id)
    ]
    return Check(f"{len(accounts)} accounts ended as they should", tuple(problems))


def reviews_only_for_lost_answers(evidence: Evidence) -> Check:
    """Check that an account waits for a person only after a lost answer, with the only finding `outcome-unknown`."""
    reviews = {key: row for key, row in evidence.account_states.items() if row["stage"] == REVIEW}
    problems = []
    for user_id, row in reviews.items():
        rules = {finding["rule"] for finding in findings(row)}
        if rules != {OUTCOME_UNKNOWN}:
            problems.append(f"account {user_id}: expected a review for {OUTCOME_UNKNOWN}, got {sorted(rules)}")
    return Check(f"{len(reviews)} accounts wait for a person, each because an answer was lost", tuple(problems))


def one_mail_each(evidence: Evidence) -> Check:
    """Check that nobody got two mails, and that each person who must be invited got one.

    Excepted are invitations that Graph confirmed but did not send, and accounts that wait for a person.
    """
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    wanted = evidence.population.ready & _asked_for(evidence)
    asked = {user_id for user_id in wanted if evidence.stands(user_id) == REVIEW}
    problems = [f"account {user_id}: {count} mails went out" for user_id, count in got.items() if count > 1]
    problems += [f"account {user_id}: invited though it must not be" for user_id in sorted(got.keys() - wanted)]
    due = wanted - asked - evidence.lied_about
    problems += [f"account {user_id}: not invited" for user_id in sorted(due - got.keys())]
    return Check(f"{got.total()} mails went out, nobody got two", tuple(problems))


def directory_matches_stages(evidence: Evidence) -> Check:
    """Check that the `externalUserState` of every account fits its stage, and that no account was created."""
    known = evidence.population.ready | evidence.population.blocked
    problems = [
        f"user {user['userPrincipalName']} was created"
        for user_id, user in evidence.users.items()
        if user_id not in known
    ]
    for user_id in _asked_for(evidence):
        wanted, got = _state(evidence, user_id), evidence.users[user_id].get("externalUserState")
        if got != wanted:
            problems.append(f"account {user_id}: expected externalUserState {wanted}, got {got}")
    return Check(f"{len(evidence.users)} users in the state of their stage, none created", tuple(problems))


def histories_complete(evidence: Evidence) -> Check:
    """Check that the events of every state row are numbered without a gap and end with the row's stage."""
    problems, events = [], 0
    for partition, rows in _partitions((*evidence.requests, *evidence.conversions)):
        told = history(rows)
        events += len(told)
        problems += [
            f"history of {partition}: {problem}"
            for state in rows
            if state["RowKey"] in STATE_ROWS
            for problem in _gaps(state, told)
        ]
    return Check(f"{events} events, every history without a gap", tuple(problems))


def queues_empty(evidence: Evidence) -> Check:
    """Check that no message is left, and that the sweep has emptied the poison queue."""
    left = {"queue": evidence.stored, "poison queue": evidence.poison}
    problems = [f"messages left in the {name}: {count}" for name, count in left.items() if count]
    return Check("both queues empty", tuple(problems))


def well_behaved(evidence: Evidence) -> Check:
    """Check that the app made no call that Graph refuses in any tenant, and none before Retry-After ended."""
    problems = [f"{each['method']} {each['path']}: {each['kind']}, {each['detail']}" for each in evidence.violations]
    said = f"{len(evidence.journal)} Graph calls, none that Graph refuses in any tenant, none before Retry-After"
    return Check(said, tuple(problems))


def nothing_leaked(evidence: Evidence) -> Check:
    """Check that no redeem link is in a table or a log, and no mail address in a log."""
    tickets = [mail["ticket"] for mail in evidence.mails]
    problems = [
        f"a redeem link is in {place}"
        for place, text in evidence.told()
        if REDEEM_LINK.search(text) or any(ticket in text for ticket in tickets)
    ]
    if ADDRESS.search(evidence.log):
        problems.append("a mail address is in the hosts' logs")
    return Check(f"{len(tickets)} redeem links, none in tables or logs; no address there", tuple(problems))


CHECKS = (
    in_time,
    everything_sent,
    requests_ended,
    accounts_ended,
    reviews_only_for_lost_answers,
    one_mail_each,
    directory_matches_stages,
    histories_complete,
    queues_empty,
    well_behaved,
    nothing_leaked,
)


def _asked_for(evidence: Evidence) -> frozenset[str]:
    return frozenset(request.user_id for request in evidence.population.requests[: evidence.done.sent])


def _state(evidence: Evidence, user_id: str) -> str | None:
    """Return the `externalUserState` that fits the stage of an account.

    It is None for an account that is not redeemed if the tenant does not show pending invitations, or if Graph did not
    send the invitation that it confirmed.
    """
    state = STATES.get(evidence.stands(user_id))
    shown = evidence.shows and user_id not in evidence.lied_about
    return state if shown or state == STATES["completed"] else None


def _partitions(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["PartitionKey"]].append(row)
    yield from found.items()


def _gaps(state: Row, told: list[dict[str, Any]]) -> Iterator[str]:
    numbers = [int(event["RowKey"].removeprefix(PREFIX)) for event in told]
    if numbers != list(range(1, state["sequence"] + 1)):
        yield f"{state['sequence']} events were written, there are {numbers}"
    stages = [event["stage"] for event in told if "stage" in event]
    if "stage" in state and stages[-1:] != [state["stage"]]:
        yield f"it ends with {stages[-1:]}, the row says {state['stage']}"
