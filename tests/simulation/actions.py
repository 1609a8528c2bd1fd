"""The actions of people, callers and the tenant in a history, by name. A new action is a new row of the table."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.simulation.action import Action, http, idle
from tests.simulation.app import POISON, WORK
from tests.simulation.campaign_actions import CAMPAIGN_ACTIONS
from tests.simulation.history import Ask, Step
from tests.simulation.people import BY_NAME
from tests.simulation.world import Act, Instance, World


def body_of(ask: Ask) -> bytes:
    """Return the body of a request as its caller would write it."""
    person = BY_NAME[ask.person]
    user = {"id": person.id, "userPrincipalName": person.upn, "mail": person.mail}[ask.by]
    said = {
        "requestId": ask.request,
        "dryRun": ask.dry_run,
        "sendInvitationMessage": ask.mail,
        "invitedUserEmailAddress": ask.address,
        "inviteRedirectUrl": ask.redirect,
        "invitedUserMessage": "hello" if ask.broken else None,
    }
    body = {"invitedUser": {ask.by: user}, **{name: value for name, value in said.items() if value is not None}}
    return json.dumps(body).encode()


def _send(world: World, step: Step) -> None:
    world.queues.put(WORK, body_of(step.value).decode(), time_to_live=-1)


def _send_base64(world: World, step: Step) -> None:
    world.queues.put(WORK, base64.b64encode(body_of(step.value)).decode(), time_to_live=-1)


async def _approval(instance: Instance, step: Step) -> Any:
    """Read the findings that a request waits with, as a person does, and approve exactly those."""
    shown = await instance.app.get(step.subject)
    world = instance.world
    world.replies.append((world.loop.now, "shown", step.subject, shown))
    return await instance.app.approve(step.subject, b'{"approvedBy": "admin", "reason": "known"}')


_ACCEPTANCE = b'{"acceptedBy": "admin", "reason": "seen"}'
_ADOPTION = b'{"adoptedBy": "admin", "reason": "invited in the portal"}'
_RESEND = b'{"resentBy": "admin", "reason": "it did not arrive"}'
_REFUSAL = b'{"refusedBy": "admin", "reason": "not ours"}'


def _correction(address: str) -> bytes:
    said = {"correctedBy": "admin", "reason": "misspelt", "invitedUserEmailAddress": address}
    return json.dumps(said).encode()


def _directory(name: str) -> Callable[[World, Step], None]:
    def take(world: World, step: Step) -> None:
        getattr(world.directory, name)(BY_NAME[step.subject].id)

    return take


def _purge(world: World, step: Step) -> None:
    """Delete an account, then delete it from the recycle bin."""
    world.directory.delete(BY_NAME[step.subject].id)
    world.directory.purge(BY_NAME[step.subject].id)


def _redeem(world: World, step: Step) -> None:
    """Let the person open the newest link; without an open link nothing happens."""
    world.directory.redeem(BY_NAME[step.subject].id)


def _redeem_as(world: World, step: Step) -> None:
    """Let another person open the newest link and sign in with another account."""
    provider, address = step.value
    world.directory.redeem(BY_NAME[step.subject].id, provider=provider, signed_in=address)


def _rename(world: World, step: Step) -> None:
    world.directory.rename(BY_NAME[step.subject].id, step.value)


def _swap_names(world: World, step: Step) -> None:
    """Give the user principal name of one account to another one, as by mistake; the first gets a new name."""
    first, second = BY_NAME[step.subject], BY_NAME[step.value]
    world.directory.rename(first.id, f"{first.name}.old@contoso.com")
    world.directory.rename(second.id, first.upn)


def _change(world: World, step: Step) -> None:
    world.directory.change(BY_NAME[step.subject].id, **step.value)


def _give_role(world: World, step: Step) -> None:
    world.directory.set_roles(BY_NAME[step.subject].id, (step.value,))


def _relate(world: World, step: Step) -> None:
    """Replace what the account is related to by one relation."""
    relation, held = step.value
    person = BY_NAME[step.subject]
    if relation == "groups":
        world.directory.set_groups(person.id, (*person.groups, *held))
    else:
        world.directory.relate(person.id, relation, held)


def _withdraw(world: World, step: Step) -> None:
    """Let an administrator take a permission from the app, or give it back."""
    held = world.directory.permissions
    world.directory.permissions = held | {step.subject} if step.value == "back" else held - {step.subject}


def _lag(world: World, step: Step) -> None:
    """Let reads of one account lag by so many seconds from now on. Reads of other accounts do not change."""
    person, before = BY_NAME[step.subject].id, world.directory.lag
    world.directory.lag = lambda subject, kind: step.value if subject == person else before(subject, kind)


def _switch(world: World, step: Step) -> None:
    world.directory.set_switch(step.subject, step.value)


def _set(world: World, step: Step) -> None:
    world.roll_out(**{step.subject: step.value})


def _restart(world: World, _step: Step) -> None:
    world.roll_out()


def _crash(world: World, _step: Step) -> None:
    for instance in [each for each in world.instances if each.alive]:
        world.kill(instance)


def _lose(world: World, step: Step) -> None:
    """Delete the messages of a request, as when an administrator clears the queue or the messages expire."""
    for message in world.queues.stored(WORK):
        if _about(message.content, step.subject):
            world.queues.drop(WORK, message.id)


def _to_poison(world: World, step: Step) -> None:
    """Move a message to the poison queue, as the host does after five crashes before the app has read the message."""
    for message in world.queues.stored(WORK):
        if _about(message.content, step.subject):
            world.queues.drop(WORK, message.id)
            world.queues.put(POISON, message.content)


def _about(content: str, request: str) -> bool:
    return f'"{request}"' in content


def _foreign_row(world: World, step: Step) -> None:
    """Put a stage into a row that this version does not know, as a newer version does before it is rolled back."""
    client = world.tables.open_client("requests")
    before = client.read(step.subject, "request")
    if before is not None and step.subject not in world.foreign:
        world.foreign[step.subject] = dict(before)
        client.write({**before, "stage": "teleported"})


def _own_row_again(world: World, step: Step) -> None:
    """Give the row the content that it had before, as when the newer version is deployed again."""
    before = world.foreign.pop(step.subject, None)
    if before is not None:
        world.tables.open_client("requests").write(before)


def _sweep(world: World, _step: Step) -> None:
    instance = idle(world)
    world.start("sweep", instance, instance.app.sweep())


def _outage(world: World, step: Step) -> None:
    """Let calls to a service fail for so many seconds."""
    world.outages[step.subject] = world.loop.now + step.value


def _slow(world: World, step: Step) -> None:
    """Let each call to a service take so many seconds."""
    world.slow[step.subject] = step.value


def _expire_pages(world: World, _step: Step) -> None:
    world.directory.reads.expire_pages()


def _sweep_part(world: World, step: Step) -> None:
    instance = idle(world)
    world.start(f"sweep: {step.subject}", instance, instance.app.part(step.subject))


ACTIONS: dict[str, Action] = {
    "send": Action(_send, "upstream puts a request on the queue", meddles=False),
    "send base64": Action(_send_base64, "the same, in base64", meddles=False),
    "post": Action(http(lambda i, s: i.app.submit(body_of(s.value))), "a caller posts a request", meddles=False),
    "retry": Action(http(lambda i, s: i.app.retry(s.subject)), "an administrator retries a request"),
    "approve": Action(http(_approval), "an administrator reads a request and approves it"),
    "release": Action(http(lambda i, s: i.app.release(s.subject)), "an administrator releases a dry run"),
    "refuse": Action(http(lambda i, s: i.app.refuse(s.subject, _REFUSAL)), "an administrator refuses a request"),
    "cancel": Action(http(lambda i, s: i.app.cancel(s.subject)), "an administrator cancels a request"),
    "redeem": Action(_redeem, "the person redeems the invitation"),
    "redeem as": Action(_redeem_as, "another person redeems the invitation"),
    "delete": Action(_directory("delete"), "the account is deleted, and lies in the recycle bin"),
    "restore": Action(_directory("restore"), "the account is restored from the recycle bin"),
    "purge": Action(_purge, "the account is deleted for good"),
    "disable": Action(_directory("disable"), "the account is disabled"),
    "enable": Action(_directory("enable"), "the account is enabled"),
    "rename": Action(_rename, "the account's user principal name changes"),
    "move name": Action(_swap_names, "the user principal name of one account goes over to another"),
    "change": Action(_change, "properties of the account change"),
    "give role": Action(_give_role, "the account gets a directory role"),
    "convert back": Action(_directory("convert_back"), "the account is made internal again"),
    "reset": Action(_directory("reset_redemption"), "the account's redemption is reset"),
    "invite by hand": Action(_directory("invite_by_hand"), "an administrator invites the account in the portal"),
    "relate": Action(_relate, "groups, roles, people or devices of the account change"),
    "withdraw": Action(_withdraw, "the app loses a permission, or gets it back"),
    "accept": Action(
        http(lambda i, s: i.app.accept(BY_NAME[s.subject].id, _ACCEPTANCE)), "an administrator accepts what changed"
    ),
    "compare": Action(
        http(lambda i, s: i.app.compare(BY_NAME[s.subject].id)), "an administrator asks for a fresh comparison"
    ),
    "adopt": Action(
        http(lambda i, s: i.app.adopt(s.subject, _ADOPTION)),
        "an administrator adopts an account that someone else invited",
    ),
    "resend": Action(
        http(lambda i, s: i.app.resend(BY_NAME[s.subject].id, _RESEND)), "an administrator resends the invitation"
    ),
    "correct": Action(
        http(lambda i, s: i.app.correct(BY_NAME[s.subject].id, _correction(s.value))),
        "an administrator corrects the invited address",
    ),
    "lag": Action(_lag, "reads of the account lag behind by so many seconds"),
    "switch": Action(_switch, "Graph goes over to another way to answer"),
    "set": Action(_set, "a setting changes, and the app restarts with it"),
    "restart": Action(_restart, "the app restarts"),
    "crash": Action(_crash, "all processes die at once"),
    "lose": Action(_lose, "the messages of a request vanish"),
    "poison": Action(_to_poison, "the host gives up on the messages of a request"),
    "foreign row": Action(_foreign_row, "the request's row is of a version that this one cannot read"),
    "own row": Action(_own_row_again, "the row is as it was before"),
    "sweep": Action(_sweep, "the timer fires", meddles=False),
    "outage": Action(_outage, "a service does not answer for a while"),
    "slow": Action(_slow, "a service takes long for each call"),
    "expire": Action(_expire_pages, "no link to a next page of a list is good any more"),
    "part": Action(_sweep_part, "one part of the sweep runs", meddles=False),
    **CAMPAIGN_ACTIONS,
}


def take(world: World, step: Step) -> None:
    """Perform a step, and record it."""
    world.acts.append(Act(world.loop.now, step.action, step.subject, step.value))
    world.say(f"* {step}")
    ACTIONS[step.action].take(world, step)
