"""A tenant that lags longer than the replication window: no client can prevent it, and the history tells of it."""

from datetime import datetime

import pytest

from tests.faults.points import INVITATION_KINDS, Fault
from tests.faults.rig import Rig, request_body
from tests.support.world import account

INVITATION = "graph POST /v1.0/invitations"
LAG = 10_000_000
"""Seconds: long enough that no replica shows the first invitation before the window has passed."""
WINDOW = 300


@pytest.fixture
async def slow(rig: Rig) -> Rig:
    rig.tenant.control.set_lag(LAG)
    return rig


async def point_of_invitation(rig: Rig) -> int:
    """Play a request without a fault, to learn at which of its calls it invites."""
    await rig.meet(None)
    rig.send(request_body("plain", account(1)["id"]))
    await rig.deliver_all()
    return rig.points.calls.index(INVITATION) + 1


async def test_a_second_invitation_past_the_window_is_told_by_the_history(slow: Rig) -> None:
    user_id = account(2)["id"]
    point = await point_of_invitation(slow)
    await slow.meet(Fault(point, "reset", "after"))
    slow.send(request_body("late", user_id))
    began = slow.clock()
    await slow.deliver_all()

    mails = [mail for mail in slow.tenant.control.mails() if mail["userId"] == user_id]
    assert len(mails) == 2, "the tenant hid the first invitation for longer than the window"
    history = [row for row in slow.rows("conversions", user_id) if row["RowKey"].startswith("history-")]
    assert [row["kind"] for row in history] == ["inviting", "outcome-unknown", "inviting", "invited"]
    doubt, again = history[1], history[2]
    assert "RemoteProtocolError" in doubt["detail"]
    assert again["detail"] == "again"
    assert (again["at"] - began).total_seconds() >= WINDOW
    state = next(row for row in slow.rows("conversions", user_id) if row["RowKey"] == "current")
    assert state["attempts"] == 2


async def test_nothing_is_sent_again_while_the_window_is_open(slow: Rig) -> None:
    """The same tenant, looked at before the window has passed: one mail, and the doubt is on record."""
    user_id = account(3)["id"]
    point = await point_of_invitation(slow)
    await slow.meet(Fault(point, "reset", "after"))
    slow.send(request_body("early", user_id))
    began = slow.clock()
    while (slow.clock() - began).total_seconds() < 200:
        await slow.deliver_one()
    assert len([mail for mail in slow.tenant.control.mails() if mail["userId"] == user_id]) == 1
    request = next(row for row in slow.rows("requests", "early") if row["RowKey"] == "request")
    assert request["stage"] == "inviting"
    assert "not known yet" in request["lastError"]


@pytest.mark.parametrize("kind", INVITATION_KINDS)
async def test_the_window_is_open_for_its_whole_length_after_a_call_that_took_long(slow: Rig, kind: str) -> None:
    """A replica may lag for a whole window behind the effect, and the effect may come as late as the answer may."""
    user_id = account(4)["id"]
    point = await point_of_invitation(slow)
    await slow.meet(Fault(point, kind, "after"))
    for _ in range(2):  # a second delivery goes on where the process of the first died
        slow.send(request_body("slow", user_id))
    await slow.deliver_all()

    first, second = (
        datetime.fromisoformat(mail["time"]) for mail in slow.tenant.control.mails() if mail["userId"] == user_id
    )
    assert (second - first).total_seconds() >= WINDOW - 1, "times of mails are in whole seconds"
