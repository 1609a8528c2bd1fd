"""Create a campaign in a world of its own, let the app work on it, and read its state, all without HTTP."""

from collections import Counter
from typing import Any

import httpx
from azure.storage.queue import QueueServiceClient

from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.deciding import Choice, asked
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.runs import PartMessage, Progress, Run, RunKind
from b2b.domain.request.approval import Waived
from b2b.domain.request.decision import Decision
from tests.support.world import World, account

SPRING = "spring"
CISO = Decision(Actor(ActorKind.STATED, name="ciso@contoso.com"), "ticket 4711")
NO_MAIL = account(3, mail=None)
DISABLED = account(4, accountEnabled=False)
PEOPLE = [account(1), account(2), NO_MAIL, DISABLED]
LIST = "userPrincipalName,reference\n" + "".join(
    f"{person['userPrincipalName']},{number}\n" for number, person in enumerate(PEOPLE, 1)
)


async def campaign(world: World, text: str = LIST, name: str = SPRING) -> None:
    await world.services.campaigns.create(name, "Suppliers")
    taken = await world.services.lists.take_in(name, text.encode())
    assert taken.plan.faults == ()


async def work(world: World) -> int:
    """Deliver every visible message of the queue to the app, as the host does. Return how many there were."""
    handled = 0
    with QueueServiceClient.from_connection_string(world.storage) as service:
        queue = service.get_queue_client("conversion-requests")
        while message := queue.receive_message():
            await world.receive(message.content.encode(), message.id, message.dequeue_count or 1)
            queue.delete_message(message)
            handled += 1
    return handled


async def ran(world: World, kind: RunKind, name: str = SPRING, **more: Any) -> Progress:
    """Start a run, and let the app work until no message is left. Return the run's progress."""
    run = await world.services.runs.start(name, kind, **more)
    await work(world)
    found = await progress(world, run)
    assert found.finished
    return found


async def progress(world: World, run: Run) -> Progress:
    return await world.services.runs.progress(run.campaign_id, run.run_id)


async def members(world: World, name: str = SPRING, wanted: Filter | None = None) -> dict[str, Member]:
    """Return the members by the caller's reference."""
    return {each.reference: each async for each in world.services.campaigns.members(name, wanted or Filter())}


async def stages(world: World, name: str = SPRING) -> dict[str, str]:
    return {reference: str(each.stage) for reference, each in (await members(world, name)).items()}


async def changed(world: World, user_id: str, properties: dict[str, Any]) -> None:
    """Change an account as an administrator, and wait until every replica has the change."""
    token = await world.services.identity.credential.get_token("https://graph.microsoft.com/.default")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token.token}"}) as graph:
        answer = await graph.patch(f"{world.tenant.graph_url}/users/{user_id}", json=properties)
        answer.raise_for_status()
    world.pass_time(400)


def choice(member: Member) -> Choice:
    return Choice(member.key, tuple(Waived(finding.rule, finding.message) for finding in asked(member)))


def invitations(world: World) -> Counter[str]:
    return Counter(post["path"] for post in world.posts() if post["path"].endswith("/invitations"))


def mails(world: World) -> int:
    return sum(invitations(world).values())


def message_of(run: Run, part: int) -> PartMessage:
    return PartMessage(run.campaign_id, run.run_id, part)
