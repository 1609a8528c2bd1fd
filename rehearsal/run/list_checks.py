"""Check a rehearsal of the user's own list: no member lost, none invited twice, no secret in logs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rehearsal.rig import HostedRig
from rehearsal.rig.rig import POISON, REQUESTS
from rehearsal.run.campaign import JSON, Campaign
from rehearsal.run.checks import Check
from rehearsal.run.safety import ADDRESS, REDEEM_LINK, STATES

KEPT = ("id", "userPrincipalName", "displayName", "userType", "accountEnabled", "mail", "otherMails")
"""The properties of an account that the conversion must not change."""
READY, MOVED_ON = "ready", frozenset({"invited", "accepted", "unverified", "completed"})


@dataclass(frozen=True, slots=True)
class Played:
    """What was done in the rehearsal."""

    taken: int
    """The number of rows that became members."""
    before: Mapping[str, JSON]
    """Every user before the campaign, by object id."""
    redeemed: frozenset[str]
    """Object ids of the people who redeemed."""
    released: bool = True


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checks read."""

    played: Played
    members: tuple[JSON, ...]
    """The members on the campaign's list."""
    after: Mapping[str, JSON]
    invitations: int
    """The number of invitations that the app sent to Graph."""
    mails: tuple[JSON, ...]
    violations: tuple[JSON, ...]
    log: str
    left_in_queues: int
    shows: bool
    """Whether the tenant shows pending invitations."""

    @cached_property
    def stages(self) -> dict[str, str]:
        """The stage of each member that was invited, by object id."""
        return {str(each["userId"]): str(each["stage"]) for each in self.members if each["stage"] in MOVED_ON}


def gathered(rig: HostedRig, campaign: Campaign, played: Played) -> Evidence:
    """Read the evidence from the app, the tenant, the host and the queues."""
    control = rig.tenant.control
    return Evidence(
        played=played,
        members=tuple(campaign.members()),
        after={user["id"]: user for user in control.users()},
        invitations=control.totals()["invitations"],
        mails=tuple(control.mails()),
        violations=tuple(control.violations()),
        log=rig.host.log(),
        left_in_queues=rig.waiting(REQUESTS) + rig.waiting(POISON),
        shows=control.switches()["pending-state"] != "unset",
    )


def ready_invited(evidence: Evidence) -> Check:
    """Check that every accepted row is a judged member, and that only ready members are invited, once released."""
    problems = [f"member {each['member']}: never judged" for each in evidence.members if each["verdict"] is None]
    problems += [
        f"member {each['member']}: {each['verdict']}, and its stage is {each['stage']}"
        for each in evidence.members
        if (each["verdict"] == READY and evidence.played.released) != (each["stage"] in MOVED_ON)
    ]
    if len(evidence.members) != evidence.played.taken:
        problems.append(f"{evidence.played.taken} rows were taken, the list has {len(evidence.members)} members")
    invited = f"all {len(evidence.stages)} who are ready invited" if evidence.played.released else "none released"
    return Check(f"{len(evidence.members)} members judged, {invited}", tuple(problems))


def redemptions_seen(evidence: Evidence) -> Check:
    """Check that the people who redeemed are completed and no others."""
    completed = {user_id for user_id, stage in evidence.stages.items() if stage == "completed"}
    problems = [f"account {user_id}: redeemed, and not completed" for user_id in evidence.played.redeemed - completed]
    problems += [
        f"account {user_id}: completed, and never redeemed" for user_id in completed - evidence.played.redeemed
    ]
    return Check(f"{len(completed)} people redeemed, and the app has seen all of it", tuple(sorted(problems)))


def one_invitation_each(evidence: Evidence) -> Check:
    """Check that there are as many invitations as invited people, and at most one mail to each."""
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    problems = [f"account {user_id}: {count} mails went out" for user_id, count in got.items() if count > 1]
    problems += [
        f"account {user_id}: got a mail and is not invited" for user_id in sorted(got.keys() - evidence.stages.keys())
    ]
    if evidence.invitations != len(evidence.stages):
        problems.append(f"{len(evidence.stages)} people are invited, {evidence.invitations} invitations were sent")
    return Check(f"{evidence.invitations} invitations and {got.total()} mails, one to a person", tuple(problems))


def nothing_lost(evidence: Evidence) -> Check:
    """Check that invited accounts keep their properties and show the invitation, that all others are unchanged, and
    that no account was created.
    """
    problems = [
        f"account {user_id}: was created" for user_id in sorted(evidence.after.keys() - evidence.played.before.keys())
    ]
    for user_id, before in evidence.played.before.items():
        after, stage = evidence.after.get(user_id, {}), evidence.stages.get(user_id)
        names = KEPT if stage else sorted(before.keys() | after.keys())
        problems += [f"account {user_id}: {name} was changed" for name in names if after.get(name) != before.get(name)]
        state = STATES[stage] if stage else before.get("externalUserState")
        if after.get("externalUserState") != state and (evidence.shows or stage != "invited"):
            problems.append(f"account {user_id}: externalUserState should be {state}")
    return Check(f"{len(evidence.played.before)} accounts kept all they had, none created", tuple(problems))


def queues_empty(evidence: Evidence) -> Check:
    """Check that no message is left."""
    left = evidence.left_in_queues
    return Check("both queues empty", (f"messages left in the queues: {left}",) if left else ())


def nothing_leaked(evidence: Evidence) -> Check:
    """Check that no address and no redeem link is in the host's log."""
    problems = [
        f"line {number} of the host's log contains an address or a redeem link"
        for number, line in enumerate(evidence.log.splitlines(), start=1)
        if ADDRESS.search(line) or REDEEM_LINK.search(line)
    ]
    return Check("no address and no redeem link in the host's log, which is not kept", tuple(problems))


def well_behaved(evidence: Evidence) -> Check:
    """Check that the app made no call that Graph refuses in any tenant."""
    problems = [f"{each['method']} {each['path']}: {each['kind']}, {each['detail']}" for each in evidence.violations]
    return Check("no Graph call that Graph refuses in any tenant", tuple(problems))


CHECKS: tuple[Callable[[Evidence], Check], ...] = (
    ready_invited,
    redemptions_seen,
    one_invitation_each,
    nothing_lost,
    queues_empty,
    nothing_leaked,
    well_behaved,
)
