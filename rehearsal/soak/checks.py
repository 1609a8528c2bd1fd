"""What must be true after a soak, whatever failed on the way. A condition is called as its function is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from rehearsal.run.checks import Check
from rehearsal.run.safety import ADDRESS, REDEEM_LINK, STATES
from rehearsal.run.scene import Row
from rehearsal.soak.evidence import HISTORY, Evidence

STATE_ROWS = frozenset({"request", "current", "pace"})
"""Row keys of state rows, each with its history in its own partition."""


def in_time(evidence: Evidence) -> Check:
    """The work was done before the time was up."""
    return Check(f"{evidence.done.seconds:.0f} s until no message was left", evidence.done.late)


def everything_sent(evidence: Evidence) -> Check:
    """The time was enough to send all."""
    sent, total = evidence.done.sent, len(evidence.crowd.requests)
    return Check(f"{sent} requests sent", () if sent == total else (f"only {sent} of {total} requests were sent",))


def requests_ended(evidence: Evidence) -> Check:
    """Every request that was sent has a row, at the stage where its account stands."""
    states = evidence.request_states
    problems = []
    for request in evidence.crowd.requests[: evidence.done.sent]:
        wanted, row = evidence.stage(request.user_id), states.get(request.request_id)
        if row is None:
            problems.append(f"request {request.request_id}: expected {wanted}, got no row")
        elif row["stage"] != wanted:
            problems.append(
                f"request {request.request_id}: expected {wanted}, got {row['stage']} ({row.get('lastError', '')})"
            )
    return Check(f"{len(states)} requests ended, none lost", tuple(problems))


def accounts_ended(evidence: Evidence) -> Check:
    """The row of each account says the same."""
    states = evidence.account_states
    stages = {user_id: states[user_id]["stage"] if user_id in states else "no row" for user_id in _asked_for(evidence)}
    problems = [
        f"account {user_id}: expected {evidence.stage(user_id)}, got {stage}"
        for user_id, stage in stages.items()
        if stage != evidence.stage(user_id)
    ]
    return Check(f"{len(stages)} accounts say the same as their requests", tuple(problems))


def one_mail_each(evidence: Evidence) -> Check:
    """Exactly one invitation to everybody who must have one, and none to anybody else."""
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    wanted = evidence.crowd.ready & _asked_for(evidence)
    problems = [f"account {user_id}: {count} mails went out" for user_id, count in got.items() if count > 1]
    problems += [f"account {user_id}: invited though it must not be" for user_id in sorted(got.keys() - wanted)]
    problems += [f"account {user_id}: not invited" for user_id in sorted(wanted - got.keys())]
    return Check(f"{got.total()} mails went out, exactly one to each person", tuple(problems))


def directory_as_told(evidence: Evidence) -> Check:
    """Every account is in the state that its stage says, and none was made."""
    known = evidence.crowd.ready | evidence.crowd.blocked
    problems = [
        f"user {user['userPrincipalName']} was created"
        for user_id, user in evidence.users.items()
        if user_id not in known
    ]
    for user_id in _asked_for(evidence):
        wanted, got = STATES.get(evidence.stage(user_id)), evidence.users[user_id].get("externalUserState")
        if got != wanted:
            problems.append(f"account {user_id}: externalUserState was to be {wanted}, is {got}")
    return Check(f"{len(evidence.users)} users in the directory as told, none created", tuple(problems))


def histories_whole(evidence: Evidence) -> Check:
    """Every state row has all its events, numbered without a gap, and the last stage among them is its own."""
    problems, events = [], 0
    for partition, rows in _partitions((*evidence.requests, *evidence.conversions)):
        history = sorted((row for row in rows if row["RowKey"].startswith(HISTORY)), key=lambda row: str(row["RowKey"]))
        events += len(history)
        problems += [
            f"history of {partition}: {problem}"
            for state in rows
            if state["RowKey"] in STATE_ROWS
            for problem in _gaps(state, history)
        ]
    return Check(f"{events} events, every history without a gap", tuple(problems))


def queues_empty(evidence: Evidence) -> Check:
    """Nothing waits, and the sweep has emptied the poison queue."""
    left = {"queue": evidence.stored, "poison queue": evidence.poison}
    problems = [f"messages left in the {name}: {count}" for name, count in left.items() if count]
    return Check("both queues empty", tuple(problems))


def well_behaved(evidence: Evidence) -> Check:
    """Graph was asked nothing that it refuses whatever the tenant holds, and nothing before Retry-After."""
    problems = [f"{each['method']} {each['path']}: {each['kind']}, {each['detail']}" for each in evidence.violations]
    return Check(f"{len(evidence.journal)} Graph calls, none out of place and none too early", tuple(problems))


def nothing_told(evidence: Evidence) -> Check:
    """No redeem link in a table or a log, and no address in a log."""
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
    one_mail_each,
    directory_as_told,
    histories_whole,
    queues_empty,
    well_behaved,
    nothing_told,
)


def _asked_for(evidence: Evidence) -> frozenset[str]:
    return frozenset(request.user_id for request in evidence.crowd.requests[: evidence.done.sent])


def _partitions(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["PartitionKey"]].append(row)
    yield from found.items()


def _gaps(state: Row, history: list[Row]) -> Iterator[str]:
    numbers = [int(row["RowKey"].removeprefix(HISTORY)) for row in history]
    if numbers != list(range(1, state["sequence"] + 1)):
        yield f"{state['sequence']} events were written, there are {numbers}"
    stages = [row["stage"] for row in history if "stage" in row]
    if "stage" in state and stages[-1:] != [state["stage"]]:
        yield f"it ends with {stages[-1:]}, the row says {state['stage']}"
