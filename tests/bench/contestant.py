"""Run one contestant in its own process: invite accounts and print what that took as a line of JSON.

The file is run by its path with the tree under test on PYTHONPATH. `app` is the `b2b` of that tree, which is this one
or an older one. The rivals are scripts that an administrator might write instead. `floor` is the least correct
solution: it reads the account, writes a claim before the call, and writes the outcome after it.
"""

import argparse
import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

REDIRECT = "https://myapps.microsoft.com"
SELECT = "id,mail,userType,externalUserState"
RETRIES = 8
STORAGE = "B2BStorage"
IDLE = 0.2
Receive = Callable[[bytes, str, int], Any]
"""Processes a message, given its body, its id and its number of deliveries."""


def user_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Counted:
    """Counts the calls to Graph. `delay` is the seconds that each call takes longer."""

    def __init__(self, delay: float) -> None:
        self.delay, self.calls, self.invited, self.refused = delay, Counter[str](), 0, 0
        self.last = 0.0

    def note(self, request: httpx.Request, status: int) -> None:
        path = request.url.path.rpartition("/")[2]
        self.calls["invite" if path == "invitations" else "read"] += 1
        self.refused += status == httpx.codes.TOO_MANY_REQUESTS
        if path == "invitations" and status == httpx.codes.CREATED:
            self.invited, self.last = self.invited + 1, time.perf_counter()


class SlowAsync(httpx.AsyncBaseTransport):
    """A transport for asyncio with the delay and the count of `Counted`."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=100, max_keepalive_connections=100))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._counted.delay)
        response = await self._inner.handle_async_request(request)
        self._counted.note(request, response.status_code)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Slow(httpx.BaseTransport):
    """A transport for threads with the delay and the count of `Counted`."""

    def __init__(self, counted: Counted) -> None:
        self._counted, self._inner = counted, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self._counted.delay)
        response = self._inner.handle_request(request)
        self._counted.note(request, response.status_code)
        return response


def token() -> str:
    answer = httpx.get(
        os.environ["IDENTITY_ENDPOINT"],
        params={"resource": "https://graph.microsoft.com", "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["access_token"])


def invitation(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "invitedUser": {"id": account["id"]},
        "invitedUserEmailAddress": account["mail"],
        "inviteRedirectUrl": REDIRECT,
        "sendInvitationMessage": True,
    }


class Race:
    """The options, the accounts left to invite, and the measured times of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.counted = options, Counted(options.delay / 1000)
        self.numbers = list(range(options.first, options.first + options.accounts))
        self.began, self.cpu = 0.0, 0.0
        self._clock: Callable[[], float] = time.process_time

    def start(self, clock: Callable[[], float] = time.process_time) -> None:
        """Start to measure. `clock` returns the CPU seconds of the measured code."""
        self._clock = clock
        self.counted.calls.clear()
        self.counted.invited = self.counted.refused = 0
        self.began, self.cpu = time.perf_counter(), clock()

    @property
    def over(self) -> bool:
        """Whether all accounts are invited, or the time is up."""
        late = self.options.seconds and time.perf_counter() - self.began > self.options.seconds
        return bool(late) or self.counted.invited >= self.options.accounts

    def told(self) -> dict[str, Any]:
        cpu, counted = self._clock() - self.cpu, self.counted
        seconds = self.options.seconds or counted.last - self.began
        return {
            "who": self.options.who,
            "invited": counted.invited,
            "seconds": seconds,
            "per_second": counted.invited / seconds,
            "cpu_ms": cpu / max(counted.invited, 1) * 1000,
            "graph_calls": sum(counted.calls.values()) / max(counted.invited, 1),
            "refused": counted.refused,
        }


def sequential(race: Race, threads: int = 1) -> None:
    """Read and invite one account after the other, or several in threads. After a 429, wait and retry."""
    bearer = {"Authorization": f"Bearer {token()}"}

    def one(number: int) -> None:
        if race.over:
            return
        account = _tried(lambda: client.get(f"users/{user_id(number)}", params={"$select": SELECT})).json()
        _tried(lambda: client.post("invitations", json=invitation(account)))

    with httpx.Client(
        base_url=os.environ["GRAPH_BASE_URL"] + "/", headers=bearer, transport=Slow(race.counted), timeout=60
    ) as client:
        race.start()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, race.numbers))


def _tried(send: Callable[[], httpx.Response]) -> httpx.Response:
    response = send()
    for _ in range(RETRIES):
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(float(response.headers.get("Retry-After", "1")))
        response = send()
    return response


async def floor(race: Race) -> None:
    """Do the least that is correct, for as many accounts at once as the app."""
    from azure.data.tables.aio import TableServiceClient  # noqa: PLC0415  the scripts do not need it

    bearer = {"Authorization": f"Bearer {token()}"}
    base = os.environ["GRAPH_BASE_URL"] + "/"
    async with (
        httpx.AsyncClient(base_url=base, headers=bearer, transport=SlowAsync(race.counted), timeout=60) as client,
        TableServiceClient.from_connection_string(os.environ[STORAGE]) as service,
    ):
        table = service.get_table_client("conversions")

        async def work() -> None:
            while race.numbers and not race.over:
                number = race.numbers.pop(0)
                account = (await client.get(f"users/{user_id(number)}", params={"$select": SELECT})).json()
                row = {"PartitionKey": account["id"], "RowKey": "floor", "stage": "inviting"}
                await table.create_entity(row)
                answer = (await client.post("invitations", json=invitation(account))).raise_for_status().json()
                await table.update_entity({**row, "stage": "invited", "invitationId": answer["id"]})

        race.start()
        await asyncio.gather(*(work() for _ in range(race.options.at_once)))


async def app(race: Race) -> None:
    """Run the app of the tree on PYTHONPATH."""
    from b2b.bootstrap import build  # noqa: PLC0415  from the tree under test
    from b2b.settings import load  # noqa: PLC0415

    services = build(load(os.environ), graph_transport=SlowAsync(race.counted))
    receive = receiver(services)
    await receive(warm_up(race.options.first), "warm-up", 1)
    if race.options.queue:
        await _from_the_queue(race, receive)
    else:
        race.start(time.thread_time)
        await asyncio.gather(*(_handed_out(race, receive) for _ in range(race.options.at_once)))
    await services.aclose()


async def _handed_out(race: Race, receive: Receive) -> None:
    """Pass messages to the app as if they came from the queue, without the cost of fetching them."""
    while race.numbers:
        number = race.numbers.pop(0)
        body = {"requestId": f"r{number}", "invitedUser": {"id": user_id(number)}}
        await receive(json.dumps(body).encode(), f"m{number}", 1)


async def _from_the_queue(race: Race, receive: Receive) -> None:
    """Pass messages from the real queue to the app, including those that the app has put back."""
    loop, host = asyncio.get_running_loop(), Host(race.options.at_once, receive)
    race.start(time.thread_time)
    thread = threading.Thread(target=host.run, args=(loop,), daemon=True)
    thread.start()
    while not race.over:  # noqa: ASYNC110  the threads of the host give no signal
        await asyncio.sleep(IDLE / 4)
    host.stopping = True
    await asyncio.to_thread(thread.join)


def warm_up(number: int) -> bytes:
    """Return the body of a dry run, after which all late imports and one-time reads are done."""
    body = {"requestId": f"warm-up-{number}", "dryRun": True, "invitedUser": {"id": user_id(number)}}
    return json.dumps(body).encode()


def receiver(services: Any) -> Receive:
    """Return the function with which the tree under test processes a message. Older trees have a different function."""
    if not hasattr(services, "receiver"):
        return lambda body, message_id, _times: services.converter.receive(body, message_id)
    from b2b.workflows.intake.receive import Delivery  # noqa: PLC0415

    return lambda body, message_id, times: services.receiver.receive(Delivery(body, message_id, times))


class Host:
    """Passes messages to the app as the Functions host does, in a thread whose CPU time does not count for the app."""

    def __init__(self, at_once: int, receive: Receive) -> None:
        self.at_once, self.receive, self.stopping = at_once, receive, False

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        from azure.storage.queue import QueueClient  # noqa: PLC0415

        free = threading.Semaphore(self.at_once)
        with (
            QueueClient.from_connection_string(os.environ[STORAGE], "conversion-requests") as queue,
            ThreadPoolExecutor(4) as deleting,
        ):

            def ended(message: Any, future: Any) -> None:
                free.release()
                if not future.cancelled() and future.exception() is None and not self.stopping:
                    deleting.submit(queue.delete_message, message)

            while not self.stopping:
                found = False
                for message in queue.receive_messages(max_messages=16, visibility_timeout=600):
                    found = True
                    while not free.acquire(timeout=IDLE) and not self.stopping:
                        pass
                    work = self.receive(message.content.encode(), message.id, message.dequeue_count or 1)
                    asyncio.run_coroutine_threadsafe(work, loop).add_done_callback(partial(ended, message))
                if not found:
                    time.sleep(IDLE)


def main() -> None:
    """Run one contestant and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("who", choices=("app", "floor", "sequential", "threads"))
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0, help="extra milliseconds for each call to Graph")
    parser.add_argument("--at-once", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=0, help="stop after this time; 0: when all are invited")
    parser.add_argument("--queue", type=int, default=0, help="1: the app fetches its messages from the real queue")
    race = Race(parser.parse_args())
    if race.options.who in {"sequential", "threads"}:
        sequential(race, 8 if race.options.who == "threads" else 1)
    else:
        asyncio.run({"app": app, "floor": floor}[race.options.who](race))
    print(json.dumps(race.told()))


if __name__ == "__main__":
    main()
