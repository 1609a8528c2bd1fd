"""Kill the host with SIGKILL while chosen calls to Graph are held open by the tenant.

One host is killed once, in the middle of four calls for four accounts; a second host then completes all of them. Two of
the calls are reads: while that many reads are in progress, further reads wait to share a batch.
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
"""Seconds for which a call is held: long enough to have all four in progress at once."""
ENDED = 270.0
"""Seconds within which everything is done after the kill. The lease and the window alone take 165."""
SETTINGS = {
    "B2B_GRAPH_TIMEOUT_SECONDS": str(STALL + 1),
    "B2B_REPLICATION_WINDOW_SECONDS": "10",
    "REHEARSAL_MESSAGE_LEASE_SECONDS": "2",
    "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "8",  # fetches more messages while some are held
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
"""The call that is held at each point: before its effect, or after its effect and before its answer. Accounts 2 and 3
get the invitations; the order of arrival decides which of them is first."""
pytestmark = pytest.mark.timeout(ENDED + 60)
REQUESTS = [f"r-{number}" for number in range(len(POINTS))]


@dataclass(frozen=True)
class Aftermath:
    """What was seen at the kill, and at the end."""

    hit: Mapping[str, JSON]
    """The journal's entry of the call held at each point, as it was after the host had died."""
    mailed_before: list[str]
    mailed: list[str]
    states: Mapping[str, str]
    """`externalUserState` by object id."""
    stages: Mapping[str, str]
    """The stage by object id."""
    violations: list[JSON]

    def account(self, point: str) -> str:
        """Return the object id of the account whose call was held at a point."""
        numbers = {SWEEP: 0, READ: 1}
        return user_id(numbers[point]) if point in numbers else str(self.hit[point]["body"]["invitedUser"]["id"])


@pytest.fixture(scope="module")
def aftermath(azurite: Azurite) -> Iterator[Aftermath]:
    """Let one host reach all points, kill it there, and let a second host finish."""
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
            # From this run, the app learns that this tenant shows pending invitations.
            assert app.host.run_function("sweep")
            # First the lease of each interrupted claim ends, then the window in which its account may not show the
            # invitation.
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
    """Bring the host to all points and kill it; return the calls for which it was waiting."""
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
    # Not earlier, because two simultaneous reads would share a batch and be held as one.
    app.send(request(1, requestId=REQUESTS[1]))
    wait_until(lambda: len(under_way(app.tenant)) == len(POINTS), STALL, "all calls to be under way at once")
    app.host.kill()
    return under_way(app.tenant)


def under_way(tenant: RunningTenant) -> Mapping[str, JSON]:
    """Return the calls that are held right now, by point."""
    held = [call for call in tenant.control.journal() if call["fault"] and call["status"] is None]
    return {POINTS[call["fault"]["number"] - 1]: call for call in held}


def mailed(tenant: RunningTenant) -> list[str]:
    """Return the object ids that invitation mails were sent for, sorted."""
    return sorted(str(mail["userId"]) for mail in tenant.control.mails())


def test_the_host_was_killed_while_all_four_calls_were_in_progress(aftermath: Aftermath) -> None:
    assert set(aftermath.hit) == set(POINTS)
    assert aftermath.mailed_before == sorted([aftermath.account(SWEEP), aftermath.account(DONE)])


@pytest.mark.parametrize("point", POINTS[1:])
def test_an_account_whose_call_was_killed_ends_invited_with_one_mail(aftermath: Aftermath, point: str) -> None:
    account = aftermath.account(point)
    assert aftermath.stages[account] == "invited"
    assert aftermath.states[account] == "PendingAcceptance"
    assert aftermath.mailed.count(account) == 1


def test_the_next_sweep_completes_the_account_that_the_killed_one_was_reading(aftermath: Aftermath) -> None:
    account = aftermath.account(SWEEP)
    assert aftermath.stages[account] == "completed"
    assert aftermath.mailed.count(account) == 1


def test_no_account_got_a_second_mail_and_no_call_violated_graphs_api(aftermath: Aftermath) -> None:
    assert aftermath.mailed == [user_id(number) for number in range(len(POINTS))]
    assert aftermath.violations == []
