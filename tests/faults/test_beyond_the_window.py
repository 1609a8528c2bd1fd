"""A tenant whose replicas lag longer than the replication window, although it has shown invitations before.

No client can prevent a second mail there, but the history records it. If the app has never seen the tenant show an
invitation, it does not send a second one.
"""

import pytest

from rehearsal.history import history
from tests.faults.points import Fault, Point
from tests.faults.rig import FaultRig, request_body

INVITATION = Point("graph POST /v1.0/invitations", 1)
LAG = 10_000_000
"""Seconds of lag: long enough that no replica shows the first invitation before the window has passed."""
WINDOW = 300


async def doubtful(rig: FaultRig, *, seen: bool) -> str:
    """Lose the answer to the invitation of an account that no replica ever shows; return its object id.

    `seen`: the app has seen this tenant show an invitation before.
    """
    if seen:
        await rig.meet(None, "plain")
        rig.send(request_body("plain", rig.next_account()))
        await rig.deliver_all()
        rig.clock.advance(2 * WINDOW)
        await rig.sweep()
    rig.tenant.control.set_lag(LAG)
    user_id = rig.next_account()
    await rig.meet(Fault(INVITATION, "reset", "after"), "late")
    rig.send(request_body("late", user_id))
    return user_id


def mails_to(rig: FaultRig, user_id: str) -> int:
    return len([mail for mail in rig.tenant.control.mails() if mail["userId"] == user_id])


async def test_a_second_invitation_after_the_window_is_recorded_in_the_history(rig: FaultRig) -> None:
    user_id = await doubtful(rig, seen=True)
    began = rig.clock()
    await rig.deliver_all()

    assert mails_to(rig, user_id) == 2, "the tenant hid the first invitation for longer than the window"
    events = history(rig.rows("conversions", user_id))
    assert [event["kind"] for event in events] == [
        "inviting",
        "outcome-unknown",
        "nothing-went-out",
        "inviting",
        "invited",
    ]
    _, doubt, settled, again, _ = events
    assert "RemoteProtocolError" in doubt["detail"]
    assert again["detail"] == "again"
    assert (settled["at"] - began).total_seconds() >= WINDOW


@pytest.mark.parametrize("tenant", [0], indirect=True)
async def test_no_second_mail_is_sent_if_the_tenant_has_never_shown_an_invitation(rig: FaultRig) -> None:
    user_id = await doubtful(rig, seen=False)
    await rig.deliver_all()

    assert mails_to(rig, user_id) == 1
    shown = await rig.shown("late")
    assert shown["stage"] == "needsReview"
    assert [finding["rule"] for finding in shown["findings"]] == ["outcome-unknown"]


async def test_no_second_invitation_is_sent_before_the_window_has_passed(rig: FaultRig) -> None:
    """The doubt is recorded, and the request waits."""
    user_id = await doubtful(rig, seen=True)
    began = rig.clock()
    while (rig.clock() - began).total_seconds() < WINDOW - 100:
        assert await rig.deliver_one()
    assert mails_to(rig, user_id) == 1
    shown = await rig.shown("late")
    assert (shown["stage"], shown["waiting"]["reason"]) == ("inviting", "outcome-pending")
