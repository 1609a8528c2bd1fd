"""Check what must be true after a large campaign, and print its figures."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.campaign.acts import CAMPAIGN, Played
from rehearsal.campaign.plan import Plan
from rehearsal.host.engine import Counts
from rehearsal.rig import HostedRig
from rehearsal.rig.rig import POISON, REQUESTS
from rehearsal.run.campaign import Campaign
from rehearsal.run.checks import Check

GAVE_UP = "gaveUp"
"""The outcome that a run counts for a message that the host gave up on."""
HANDLED = "convert"
"""The function that processes the messages of the queue."""
HEADERS = ("people", "seconds", "a second", "Graph calls", "round trips", "throttled")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checks and the figures read."""

    plan: Plan
    played: Played
    invited: frozenset[str]
    """The keys of the members that the campaign's list shows as invited."""
    mails: tuple[Mapping[str, Any], ...]
    violations: tuple[Mapping[str, Any], ...]
    messages: Counts
    """How many invocations of the function `HANDLED` succeeded and failed."""
    queued: int
    poison: int


def gathered(rig: HostedRig, plan: Plan, played: Played) -> Evidence:
    """Read the evidence from the app, the tenant, the host and the queues."""
    control = rig.tenant.control
    campaign = Campaign(rig.api, CAMPAIGN)
    return Evidence(
        plan=plan,
        played=played,
        invited=frozenset(str(member["member"]) for member in campaign.members(stage="invited")),
        mails=tuple(control.mails()),
        violations=tuple(control.violations()),
        messages=rig.host.invocations()[HANDLED],
        queued=rig.waiting(REQUESTS),
        poison=rig.waiting(POISON),
    )


def all_judged(evidence: Evidence) -> Check:
    """Check that every row of the list became a member and every member was judged."""
    wanted, got = evidence.plan.members, evidence.played.judged
    return Check(f"{got} members judged", () if got == wanted else (f"{got} of {wanted} members were judged",))


def released_invited(evidence: Evidence) -> Check:
    """Check that the released members are invited and no others."""
    released = frozenset(evidence.played.released)
    problems = [f"member {key}: released and not invited" for key in sorted(released - evidence.invited)]
    problems += [f"member {key}: invited and not released" for key in sorted(evidence.invited - released)]
    if len(released) != evidence.plan.release:
        problems.append(f"{len(released)} members were released, expected {evidence.plan.release}")
    return Check(f"{len(released)} members released, all of them invited and no other account", tuple(problems))


def no_message_lost(evidence: Evidence) -> Check:
    """Check that no message is left in the queue or the poison queue, and none was given up on."""
    left = {
        "left in the queue": evidence.queued,
        "in poison": evidence.poison,
        "given up": evidence.played.outcomes[GAVE_UP],
    }
    problems = [f"messages {where}: {count}" for where, count in left.items() if count]
    return Check(f"{evidence.messages.succeeded} messages processed, 0 lost", tuple(problems))


def one_mail_each(evidence: Evidence) -> Check:
    """Check that each invited person got one mail."""
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    problems = [f"account {user_id}: {count} mails went out" for user_id, count in got.items() if count > 1]
    if len(got) != len(evidence.invited):
        problems.append(f"{len(evidence.invited)} people were invited, {len(got)} got a mail")
    return Check(f"{got.total()} mails went out, one to a person", tuple(problems))


def well_behaved(evidence: Evidence) -> Check:
    """Check that the app made no call that Graph refuses in any tenant, and none before Retry-After ended."""
    problems = [f"{each['method']} {each['path']}: {each['kind']}, {each['detail']}" for each in evidence.violations]
    return Check("no Graph call that Graph refuses in any tenant, none before Retry-After", tuple(problems))


CHECKS: tuple[Callable[[Evidence], Check], ...] = (
    all_judged,
    released_invited,
    no_message_lost,
    one_mail_each,
    well_behaved,
)


def figures(evidence: Evidence) -> Iterator[str]:
    """Yield a line for each act, then one for the messages."""
    yield f"{'Act':<10}" + "".join(f"{header:>13}" for header in HEADERS)
    for act in evidence.played.acts:
        rate = act.people / act.seconds if act.seconds else 0.0
        calls = act.calls
        yield (
            f"{act.name:<10}{act.people:>13}{act.seconds:>13.0f}{rate:>13.1f}"
            f"{calls['calls']:>13}{calls['roundTrips']:>13}{calls['throttled']:>13}"
        )
    messages, left = evidence.messages, evidence.queued + evidence.poison
    yield f"messages: {messages.succeeded} processed, {messages.failed} failed and were retried, {left} left"
