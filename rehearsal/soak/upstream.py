"""Send the requests at a steady rate by queue and HTTP, and repeat those that got no answer."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

import httpx

from rehearsal.soak.population import Request

ACCEPTED = 202
_LOOK_EVERY = 10
_PAUSE = 0.25


class Upstream(threading.Thread):
    """A thread that sends requests until all are sent or `stop` is called.

    An exception also ends the thread, and is kept in `failure`.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        *,
        put: Callable[[str], object],
        addresses: Callable[[], Sequence[str]],
        key: str,
        stored: Callable[[], int],
        rate: float,
        most_stored: int,
    ) -> None:
        super().__init__(name="upstream")
        self._requests, self._put, self._addresses, self._key = requests, put, addresses, key
        self._stored, self._rate, self._most_stored = stored, rate, most_stored
        self._stopping = threading.Event()
        self.sent = 0
        self.repeated = 0
        """The number of HTTP calls that had to be repeated."""
        self.failure: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether all requests are sent."""
        return self.sent == len(self._requests)

    def stop(self) -> None:
        """Stop sending, and wait for the thread to end."""
        self._stopping.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        """Send all requests."""
        try:
            with httpx.Client(headers={"x-functions-key": self._key}, timeout=10, trust_env=False) as client:
                self._send_all(client)
        except Exception as error:  # noqa: BLE001 - the waiting thread raises it
            self.failure = error

    def _send_all(self, client: httpx.Client) -> None:
        began = time.monotonic()
        for number, request in enumerate(self._requests):
            if number % _LOOK_EVERY == 0:
                self._wait_for_room()
            if self._stopping.wait(max(0.0, began + number / self._rate - time.monotonic())):
                return
            if request.by == "queue":
                self._put(request.text)
            else:
                self._post(client, request)
            self.sent += 1

    def _wait_for_room(self) -> None:
        while self._stored() > self._most_stored and not self._stopping.wait(_PAUSE):
            """Wait until the queue is shorter."""

    def _post(self, client: httpx.Client, request: Request) -> None:
        """Send a request until a host accepts it. Repeating is safe because the request has an id."""
        for turn in count():
            addresses = self._addresses()
            with suppress(httpx.TransportError):  # the host was killed
                answer = client.post(f"{addresses[turn % len(addresses)]}/api/requests", content=request.text)
                if answer.status_code == ACCEPTED:
                    return
                if answer.is_client_error:
                    answer.raise_for_status()
            self.repeated += 1
            if self._stopping.wait(_PAUSE):
                return
