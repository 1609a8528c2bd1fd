"""The kinds of step that a history can have, and how a step that is an HTTP call is carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.history import Step
from tests.simulation.world import Instance, World


@dataclass(frozen=True)
class Action:
    """One kind of step. If `meddles` is true, the step disturbs the app, and the generator must draw it."""

    take: Callable[[World, Step], None]
    meaning: str
    meddles: bool = True


def idle(world: World) -> Instance:
    """Return the instance with the fewest running activities, preferably one that still takes work."""
    able = [each for each in world.instances if each.takes_work] or [each for each in world.instances if each.alive]
    return min(able, key=lambda each: len(each.running))


def http(work: Callable[[Instance, Step], Any]) -> Callable[[World, Step], None]:
    """Return a step that makes an HTTP call; the answer is recorded unless the process dies first."""

    def take(world: World, step: Step) -> None:
        instance, act = idle(world), world.acts[-1]

        async def call() -> None:
            reply = await work(instance, step)
            world.replies.append((world.loop.now, step.action, step.subject, reply))
            act.reply = reply
            world.say(f"{step.action} {step.subject} answered {reply.status}")
            if reply.status == 500:
                world.breakages.append(f"{step} was answered 500")

        act.work = world.start(f"{step.action} {step.subject}".rstrip(), instance, call())

    return take
