"""The actions of a campaign's owner: send lists, judge, release, decide, pause, resume and end."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from b2b.api.answers import Reply
from tests.simulation.action import Action, http
from tests.simulation.history import Ask, Step
from tests.simulation.people import BY_NAME
from tests.simulation.world import Instance

_HEADERS = ("id", "userPrincipalName", "mail", "invitedUserEmailAddress", "sendInvitationMessage", "reference")


def list_of(rows: Iterable[Ask]) -> bytes:
    """Return a list as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _HEADERS, restval="")
    writer.writeheader()
    for row in rows:
        person = BY_NAME[row.person]
        name = {"id": person.id, "userPrincipalName": person.upn, "mail": person.mail}[row.by]
        mail = "" if row.mail is None else str(row.mail).lower()
        address = row.address or ""
        writer.writerow(
            {
                row.by: name,
                "invitedUserEmailAddress": address,
                "sendInvitationMessage": mail,
                "reference": row.request,
            }
        )
    return text.getvalue().encode()


async def _list_in(instance: Instance, step: Step) -> Reply:
    return await instance.app.office.take_in(step.subject, list_of(step.value))


async def _judge(instance: Instance, step: Step) -> Reply:
    return await instance.app.office.run(step.subject, "judge")


async def _release(instance: Instance, step: Step) -> Reply:
    """Release all ready members, or those of the named people that the owner sees as ready."""
    office = instance.app.office
    if step.value is None:
        return await office.run(step.subject, "release")
    seen = await office.members(step.subject)
    if seen.status != 200:
        return seen
    keys = [
        each["member"]
        for each in seen.body["members"]
        if each["reference"].partition("-")[0] in step.value and each["verdict"] == "ready"
    ]
    return await office.run(step.subject, "release", keys) if keys else Reply(409, {"code": "NobodyReady"})


async def _decide(instance: Instance, step: Step) -> Reply:
    """Decide about the waiting members. The replies record what was shown, as if the owner had read each request."""
    reply = await instance.app.office.decide(step.subject, step.value)
    world = instance.world
    for each in reply.body.get("decided", ()):
        if each["requestId"]:
            shown: dict[str, Any] = {"findings": each["findings"]}
            world.replies.append((world.loop.now, "shown", each["requestId"], Reply(200, shown)))
    return reply


def _turn(state: str) -> Any:
    async def turn(instance: Instance, step: Step) -> Reply:
        return await instance.app.office.turn(step.subject, state)

    return turn


CAMPAIGN_ACTIONS: dict[str, Action] = {
    "list in": Action(http(_list_in), "the owner of a campaign sends a list"),
    "judge list": Action(http(_judge), "the owner has all members judged"),
    "release list": Action(http(_release), "the owner releases who is ready: all of them, or some people"),
    "decide list": Action(http(_decide), "the owner decides about everybody who waits, exactly as shown"),
    "pause list": Action(http(_turn("paused")), "the owner pauses the campaign"),
    "resume list": Action(http(_turn("open")), "the owner resumes the campaign"),
    "end list": Action(http(_turn("ended")), "the owner ends the campaign"),
}
