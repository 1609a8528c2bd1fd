"""Answer a call with a fault, and decide whether the work that the call asks for is done."""

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.faults.script import Fault
from rehearsal.tenant.protocol.errors import GraphError
from rehearsal.tenant.protocol.messages import Answer

RETRY_AFTER = "Retry-After"
FAILED = 400
HTML = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><div id='content'><div id='message'>"
    "<h2>Our services aren't available right now</h2><p>We're working to restore all services as soon as possible. "
    "Please check back soon.</p></div></div></body></html>"
)
"""The error page of a proxy in front of Graph (OneDrive/onedrive-api-docs#697; as part of a batch:
microsoftgraph/microsoft-graph-docs#12951)."""


class Work(Protocol):
    """The work that a call asks for."""

    async def __call__(self, *, for_good: bool) -> Answer:
        """Do the work and return the answer, which may be an error.

        With `for_good` the tenant changes; without it a copy of the tenant does, which is then thrown away.
        """


class ConnectionLost(Exception):
    """The connection is closed without an answer."""


async def meet(fault: Fault, work: Work, clock: Clock) -> Answer:
    """Answer a call with its fault.

    With `when` = `before` the work is not done, or is done late if the fault is slow. With `after` it is done.

    Raises:
        ConnectionLost: the fault closes the connection.
        GraphError: the fault refuses the call with an error in JSON.
    """
    done = fault.when == "after"
    if fault.kind.does == "wait":
        return await _late(fault, work)
    if fault.kind.does == "lie":
        return _lie(fault, await work(for_good=done))
    if done:
        await work(for_good=True)
    if fault.kind.does == "hang-up":
        raise ConnectionLost
    return _refusal(fault, clock)


async def _late(fault: Fault, work: Work) -> Answer:
    if fault.when == "before":
        await asyncio.sleep(fault.seconds)
        return await work(for_good=True)
    answer = await work(for_good=True)
    await asyncio.sleep(fault.seconds)
    return answer


def _lie(fault: Fault, answer: Answer) -> Answer:
    if answer.status >= FAILED:
        return answer
    told = {} if fault.kind.status is None else {"status": fault.kind.status}
    return replace(answer, body=answer.body | told)


def _refusal(fault: Fault, clock: Clock) -> Answer:
    error = fault.kind.error
    if error is None:
        raise TypeError(f"{fault.kind.name} refuses without an error")
    headers = {**error.headers, **_retry_after(fault, clock)}
    if fault.kind.body == "json":
        raise GraphError(error.status, error.code, error.message, headers=headers)
    if fault.kind.body == "html":
        return Answer(error.status, HTML, {**headers, "Content-Type": "text/html"})
    return Answer(error.status, None, headers)


def _retry_after(fault: Fault, clock: Clock) -> dict[str, str]:
    if fault.kind.retry_after is None:
        return {}
    if fault.kind.retry_after == "integer":
        return {RETRY_AFTER: str(math.ceil(fault.seconds))}
    if fault.kind.retry_after == "fraction":
        return {RETRY_AFTER: str(float(fault.seconds))}
    moment = datetime.fromtimestamp(math.ceil(clock.seconds() + fault.seconds), UTC)
    return {RETRY_AFTER: format_datetime(moment, usegmt=True)}
