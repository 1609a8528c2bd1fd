"""Reads of several tasks share one batch, and each task gets the answers to its own calls only."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from b2b.adapters.batch import BATCH_LIMIT, Call
from b2b.adapters.gather import MOST_PARTIAL, Gatherer, Part
from b2b.domain.errors import GRAPH, Transient

Answering = Callable[[Sequence[Call]], list[Part | None]]


class Service:
    """A service that answers a batch when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self._gates: list[asyncio.Future[Answering]] = []
        self._sent = asyncio.Event()

    async def send(self, calls: Sequence[Call]) -> list[Part | None]:
        self.batches.append([call.url for call in calls])
        gate: asyncio.Future[Answering] = asyncio.get_running_loop().create_future()
        self._gates.append(gate)
        self._sent.set()
        return (await gate)(calls)

    async def under_way(self, count: int) -> None:
        """Wait until this many batches have been sent."""
        async with asyncio.timeout(5):
            while len(self.batches) < count:
                self._sent.clear()
                await self._sent.wait()

    def answer(self, number: int = 0, how: Answering | None = None) -> None:
        """Answer a batch; by default each part with its own URL."""
        self._gates[number].set_result(how or (lambda calls: [{"url": call.url} for call in calls]))

    def fail(self, error: BaseException, number: int = 0) -> None:
        """Let a batch fail as a whole."""
        self._gates[number].set_exception(error)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def gatherer(service: Service) -> Gatherer:
    return Gatherer(service.send)


def calls(*urls: str) -> list[Call]:
    return [Call(url) for url in urls]


def many(name: str, count: int) -> list[Call]:
    return calls(*(f"/{name}/{number}" for number in range(count)))


def urls(parts: list[Any]) -> list[str]:
    return [part["url"] for part in parts]


async def test_simultaneous_reads_share_a_batch_and_get_their_own_answers(gatherer: Gatherer, service: Service) -> None:
    asking = [asyncio.ensure_future(gatherer.ask(calls(f"/a/{who}", f"/b/{who}"))) for who in range(3)]
    await service.under_way(1)
    assert service.batches == [["/a/0", "/b/0", "/a/1", "/b/1", "/a/2", "/b/2"]]
    service.answer()
    assert [urls(parts) for parts in await asyncio.gather(*asking)] == [[f"/a/{who}", f"/b/{who}"] for who in range(3)]


async def test_no_batch_is_sent_for_no_calls(gatherer: Gatherer, service: Service) -> None:
    assert await gatherer.ask([]) == []
    assert service.batches == []


async def test_a_full_batch_is_sent_at_once_with_at_most_twenty_calls(gatherer: Gatherer, service: Service) -> None:
    asking = asyncio.ensure_future(gatherer.ask(many("a", 2 * BATCH_LIMIT + 1)))
    await service.under_way(2)
    assert [len(batch) for batch in service.batches[:2]] == [BATCH_LIMIT] * 2
    service.answer(0)
    service.answer(1)
    await service.under_way(3)
    service.answer(2)
    assert urls(await asking) == [call.url for call in many("a", 2 * BATCH_LIMIT + 1)]


async def test_equal_calls_in_a_batch_are_sent_once(gatherer: Gatherer, service: Service) -> None:
    asking = [asyncio.ensure_future(gatherer.ask(calls("/domain", f"/a/{who}"))) for who in range(2)]
    await service.under_way(1)
    assert service.batches == [["/domain", "/a/0", "/a/1"]]
    service.answer()
    assert [urls(parts) for parts in await asyncio.gather(*asking)] == [["/domain", "/a/0"], ["/domain", "/a/1"]]


async def test_calls_with_different_headers_are_different_calls(gatherer: Gatherer, service: Service) -> None:
    eventual = Call("/a", {"ConsistencyLevel": "eventual"})
    asking = asyncio.ensure_future(gatherer.ask([Call("/a"), eventual]))
    await service.under_way(1)
    assert service.batches == [["/a", "/a"]]
    service.answer()
    await asking


async def test_a_call_already_sent_is_not_shared_as_its_answer_may_be_too_old(
    gatherer: Gatherer, service: Service
) -> None:
    first = asyncio.ensure_future(gatherer.ask(calls("/a")))
    await service.under_way(1)
    second = asyncio.ensure_future(gatherer.ask(calls("/a")))
    await service.under_way(2)
    service.answer(1, lambda _calls: [{"url": "new"}])
    service.answer(0, lambda _calls: [{"url": "old"}])
    assert (urls(await first), urls(await second)) == (["old"], ["new"])


async def test_a_partial_batch_waits_and_grows_while_two_are_in_progress(gatherer: Gatherer, service: Service) -> None:
    asking = []
    for number in range(MOST_PARTIAL):
        asking.append(asyncio.ensure_future(gatherer.ask(calls(f"/{number}"))))
        await service.under_way(number + 1)
    asking += [asyncio.ensure_future(gatherer.ask(calls(f"/late/{who}"))) for who in range(2)]
    await asyncio.sleep(0.1)  # twice as long as a batch waits for more calls, so only the two in progress hold it back
    asking.append(asyncio.ensure_future(gatherer.ask(calls("/later"))))
    await asyncio.sleep(0)
    assert len(service.batches) == MOST_PARTIAL
    service.answer(0)
    await service.under_way(MOST_PARTIAL + 1)
    assert service.batches[-1] == ["/late/0", "/late/1", "/later"]
    for number in range(1, MOST_PARTIAL + 1):
        service.answer(number)
    await asyncio.gather(*asking)


async def test_a_full_batch_is_sent_even_while_two_are_in_progress(gatherer: Gatherer, service: Service) -> None:
    asking = []
    for number in range(MOST_PARTIAL):
        asking.append(asyncio.ensure_future(gatherer.ask(calls(f"/{number}"))))
        await service.under_way(number + 1)
    asking.append(asyncio.ensure_future(gatherer.ask(many("a", BATCH_LIMIT))))
    await service.under_way(MOST_PARTIAL + 1)
    for number in range(MOST_PARTIAL + 1):
        service.answer(number)
    await asyncio.gather(*asking)


async def test_a_failed_batch_fails_only_its_own_reads(gatherer: Gatherer, service: Service) -> None:
    together = [asyncio.ensure_future(gatherer.ask(calls(f"/a/{who}", f"/b/{who}"))) for who in range(2)]
    await service.under_way(1)
    other = asyncio.ensure_future(gatherer.ask(calls("/c")))
    await service.under_way(2)
    service.fail(Transient(GRAPH, "answered 429", 7.0), 0)
    for asking in together:
        with pytest.raises(Transient) as raised:
            await asking
        assert raised.value.retry_after == 7.0
    service.answer(1)
    assert urls(await other) == ["/c"]


async def test_a_part_without_an_answer_affects_only_its_own_read(gatherer: Gatherer, service: Service) -> None:
    asking = [asyncio.ensure_future(gatherer.ask(calls(f"/a/{who}"))) for who in range(2)]
    await service.under_way(1)
    service.answer(0, lambda _calls: [None, {"url": "/a/1"}])
    assert [await each for each in asking] == [[None], [{"url": "/a/1"}]]


async def test_a_cancelled_read_does_not_affect_the_others(gatherer: Gatherer, service: Service) -> None:
    gone = asyncio.ensure_future(gatherer.ask(calls("/shared", "/gone")))
    staying = asyncio.ensure_future(gatherer.ask(calls("/shared", "/staying")))
    await service.under_way(1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    service.answer()
    assert urls(await staying) == ["/shared", "/staying"]


async def test_a_cancelled_batch_cancels_its_reads(gatherer: Gatherer, service: Service) -> None:
    asking = asyncio.ensure_future(gatherer.ask(calls("/a")))
    await service.under_way(1)
    service.fail(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await asking
