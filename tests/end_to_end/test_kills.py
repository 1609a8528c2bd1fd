"""A real SIGKILL of the host while chosen calls to Graph are under way, each held open by the tenant at that moment.

One host is killed once, in the middle of four calls for four accounts; another one then brings all of them to an end.
Two of the calls are reads: while so many are under way, further reads wait to share a batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from rehearsal.storage import Azurite, provision
from rehearsal.tenant import RunningTenant, running
from tests.host.rig import JSON, request, seed, started, user_id

STALL = 8.0
"""Seconds that a call is held; long enough to have all of them under way at once."""
ENDED = 270.0
"""Seconds within which all is done after the kill; lease and window alone are 165."""
SETTINGS = {
    "B2B_GRAPH_TIMEOUT_SECONDS": str(STALL + 1),
    "B2B_REPLICATION_WINDOW_SECONDS": "10",
    "REHEARSAL_MESSAGE_LEASE_SECONDS": "2",
    "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "8",  # more are fetched while some are held
}
SWEEP, READ, NOT_DONE, DONE = POINTS = (
    "the sweep reads an account",
    "an account is read",
    "an invitation is not done yet",
    "an invitation is done and not answered yet",
)
HELD: Mapping[str, JSON] = {
    SWEEP: {"path": f"/users/{user_id(0)}$", "when": "before"},
    READ: {"path": f"/users/{user_id(1)}$", "when": "before"},
    NOT_DONE: {"path": "/invitations$", "when": "before", "nth": 1},
    DONE: {"path": "/invitations$", "when": "after", "nth": 2},
}
"""Which call is held at each point: before its effect, or after it and before the answer. Accounts 2 and 3 get the
invitations; whose is the first, the order of arrival decides."""
pytestmark = pytest.mark.timeout(ENDED + 60)
REQUESTS = [f"r-{number}" for number in range(len(POINTS))]


@dataclass(frozen=True)
class Aftermath:
    """What was seen at the kill, and at the end."""

    hit: Mapping[str, JSON]
    """The journal's entry of the call that each point held, as it was when the host was gone."""
    mailed_before: list[str]
    mailed: list[str]
    states: Mapping[str, str]
    """`externalUserState` by object id."""
    stages: Mapping[str, str]
    """By object id."""
    violations: list[JSON]

    def account(self, point: str) -> str:
        """Whose work was hit at a point."""
        numbers = {SWEEP: 0, READ: 1}
        return user_id(numbers[point]) if point in numbers else str(self.hit[point]["body"]["invitedUser"]["id"])


@pytest.fixture(scope="module")
def aftermath(azurite: Azurite) -> Iterator[Aftermath]:
    """Let one host reach all points, kill it there, and let another one go on to the end."""
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with running(seed(len(POINTS))) as tenant:
        with started(tenant, storage, SETTINGS) as app:
            hit = killed_at_all_points(app)
        mailed_before = mailed(tenant)
        tenant.control.clear_faults()
        with started(tenant, storage, SETTINGS) as app:
            assert app.host.run_function("sweep")
            app.settled(REQUESTS[POINTS.index(READ)])
            assert app.host.run_function("sweep")  # it sees that this tenant shows pending invitations
            # The lease of each claim that was cut off ends first, then the window in which its account may not show.
            wait_until(lambda: not app.waiting(), ENDED, "the end of all messages")
            stages = app.settled(*REQUESTS)
            yield Aftermath(
                hit=hit,
                mailed_before=mailed_before,
                mailed=mailed(tenant),
                states={user["id"]: user["externalUserState"] for user in tenant.control.users()},
                stages={user_id(number): stage for number, stage in enumerate(stages)},
                violations=tenant.control.violations(),
            )


def killed_at_all_points(app: HostedRig) -> Mapping[str, JSON]:
    """Bring the host to all points and kill it; return the calls that it was waiting for."""
    control = app.tenant.control
    app.send(request(0, requestId=REQUESTS[0]))
    app.settled(REQUESTS[0])
    control.redeem(user_id(0))
    control.set_faults([{"kind": "slow", "seconds": STALL, **held} for held in HELD.values()])
    for number in (2, 3):
        app.send(request(number, requestId=REQUESTS[number]))
    wait_until(lambda: {NOT_DONE, DONE} <= set(under_way(app.tenant)), STALL, "both invitations to be under way")
    app.host.start_function("sweep")
    wait_until(lambda: SWEEP in under_way(app.tenant), STALL, "the sweep's read to be under way")
    app.send(request(1, requestId=REQUESTS[1]))  # not before: two reads of one moment share a batch, held as one
    wait_until(lambda: len(under_way(app.tenant)) == len(POINTS), STALL, "all calls to be under way at once")
    app.host.kill()
    return under_way(app.tenant)


def under_way(tenant: RunningTenant) -> Mapping[str, JSON]:
    """The calls that are held right now, by point."""
    held = [call for call in tenant.control.journal() if call["fault"] and call["status"] is None]
    return {POINTS[call["fault"]["number"] - 1]: call for call in held}


def mailed(tenant: RunningTenant) -> list[str]:
    """To whom the invitation mails went, in any order."""
    return sorted(str(mail["userId"]) for mail in tenant.control.mails())


def test_the_kill_came_while_every_one_of_the_calls_was_under_way(aftermath: Aftermath) -> None:
    assert set(aftermath.hit) == set(POINTS)
    assert aftermath.mailed_before == sorted([aftermath.account(SWEEP), aftermath.account(DONE)])


@pytest.mark.parametrize("point", POINTS[1:])
def test_whoever_was_hit_there_ends_invited_by_one_mail(aftermath: Aftermath, point: str) -> None:
    account = aftermath.account(point)
    assert aftermath.stages[account] == "invited"
    assert aftermath.states[account] == "PendingAcceptance"
    assert aftermath.mailed.count(account) == 1


def test_a_person_whom_the_killed_sweep_was_about_to_see_is_seen_by_the_next(aftermath: Aftermath) -> None:
    account = aftermath.account(SWEEP)
    assert aftermath.stages[account] == "completed"
    assert aftermath.mailed.count(account) == 1


def test_nobody_got_a_second_mail_and_graph_was_asked_nothing_wrong(aftermath: Aftermath) -> None:
    assert aftermath.mailed == [user_id(number) for number in range(len(POINTS))]
    assert aftermath.violations == []
