"""Check the safety of a run: one invitation for each account, no other account changed, no secret in logs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.run.checks import Check, Examiner
from rehearsal.run.evidence import Evidence

KEPT = (
    "id",
    "userPrincipalName",
    "userType",
    "creationType",
    "accountEnabled",
    "mail",
    "otherMails",
    "groups",
    "directoryRoles",
    "roleAssignments",
    "appRoleAssignments",
)
"""The properties that a conversion must not change (Microsoft's article "Invite internal users to B2B
collaboration")."""
STATES = {"invited": "PendingAcceptance", **dict.fromkeys(("accepted", "unverified", "completed"), "Accepted")}
"""The `externalUserState` of an account, by the stage of its conversion."""
REDEEM_LINK = re.compile(r"invitations\.microsoft\.com|login\.microsoftonline\.com/redeem|[?&]ticket=", re.IGNORECASE)
ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")


def one_invitation_each(evidence: Evidence) -> Check:
    """Check that each account that must be invited got exactly one invitation, and that no other account got one."""
    sent = Counter(str((call["body"].get("invitedUser") or {}).get("id")) for call in evidence.invitations())
    problems = [f"account {user_id}: {count} invitations were sent" for user_id, count in sent.items() if count > 1]
    problems += [
        f"account {user_id}: invited though it must not be"
        for user_id in sorted(sent.keys() - (evidence.moved_on.keys() - evidence.adopted))
    ]
    ready = evidence.moved_on.keys() - evidence.adopted
    problems += [f"account {user_id}: not invited" for user_id in sorted(ready - sent.keys())]
    return Check(f"{sent.total()} invitations sent, exactly one for each account that was ready", tuple(problems))


def one_mail_each(evidence: Evidence) -> Check:
    """Check that each person got at most one mail, and that each invitation that asks for a mail sent one."""
    got = Counter(str(mail["userId"]) for mail in evidence.mails)
    asked = sum(bool(call["body"].get("sendInvitationMessage")) for call in evidence.invitations())
    problems = [f"account {user_id}: {count} mails went out" for user_id, count in got.items() if count > 1]
    if got.total() != asked:
        problems.append(f"{asked} mails were asked for, {got.total()} went out")
    return Check(f"{got.total()} mails went out, at most one to a person", tuple(problems))


def nothing_lost(evidence: Evidence) -> Check:
    """Check that each invited account shows the state of its stage and kept the properties in `KEPT`.

    A property that an administrator changed is not compared.
    """
    before, after = evidence.played.before, evidence.after
    problems = [
        f"account {user_id}: expected {name} to be {wanted!r}, got {got!r}"
        for user_id, stage in evidence.moved_on.items()
        for name, wanted, got in _lost(before.get(user_id, {}), after.get(user_id, {}), _state(stage, evidence))
        if name not in evidence.touched(user_id)
    ]
    return Check(
        f"{evidence.played.redeemed} of those {len(evidence.moved_on)} people redeemed; ids, names, groups, roles and "
        "apps as before",
        tuple(problems),
    )


def others_untouched(evidence: Evidence) -> Check:
    """Check that no user was created, and that accounts that were not invited are unchanged."""
    before, after = evidence.played.before, evidence.after
    problems = [
        f"user {after[user_id]['userPrincipalName']} was created" for user_id in sorted(after.keys() - before.keys())
    ]
    others = before.keys() - evidence.moved_on.keys()
    problems += [
        f"account {user_id} was changed" for user_id in sorted(others) if after.get(user_id) != before[user_id]
    ]
    return Check(f"{len(others)} other accounts exactly as before, no user created", tuple(problems))


def nothing_leaked(evidence: Evidence) -> Check:
    """Check that no redeem link is in a table, an answer or the log, and no address in the log."""
    secrets = [ticket["secret"] for user in evidence.after.values() for ticket in user["tickets"]]
    problems = [
        f"a redeem link is in {place}"
        for place, text in evidence.told()
        if REDEEM_LINK.search(text) or any(secret in text for secret in secrets)
    ]
    problems += [
        f"a mail address is in line {number} of the host's log"
        for number, line in enumerate(evidence.log.splitlines(), start=1)
        if ADDRESS.search(line)
    ]
    lines = evidence.log.count("\n")
    older = sum(len(user["tickets"]) for user in evidence.played.before.values())
    return Check(
        f"{len(secrets)} redeem links ({older} from before the run), none in tables, answers or the {lines} lines "
        "of log; no address there",
        tuple(problems),
    )


def well_behaved(evidence: Evidence) -> Check:
    """Check that the app made no call that Graph refuses in any tenant."""
    trips = sum(call["batch"] is None for call in evidence.journal)
    calls = sum("$batch" not in call["path"] for call in evidence.journal)
    problems = [f"{each['method']} {each['path']}: {each['kind']}, {each['detail']}" for each in evidence.violations]
    return Check(f"{calls} Graph calls in {trips} round trips, none that Graph refuses in any tenant", tuple(problems))


SAFETY: tuple[Examiner, ...] = (
    one_invitation_each,
    one_mail_each,
    nothing_lost,
    others_untouched,
    nothing_leaked,
    well_behaved,
)


def _state(stage: str, evidence: Evidence) -> str | None:
    """Return the `externalUserState` for a stage.

    None if the invitation is pending and the tenant does not show that.
    """
    hidden = evidence.switches.get("pending-state") == "unset" and stage == "invited"
    return None if hidden else STATES.get(stage)


def _lost(before: Mapping[str, Any], after: Mapping[str, Any], state: str | None) -> Iterator[tuple[str, Any, Any]]:
    wanted = {**{name: before.get(name) for name in KEPT}, "externalUserState": state}
    for name, value in wanted.items():
        if after.get(name) != value:
            yield name, value, after.get(name)
