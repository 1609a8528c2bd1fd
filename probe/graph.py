"""A client for Graph that returns every answer as it came, and repeats a call only if Graph asks for a repetition.

It uses plain HTTP and no SDK, because the probe needs status, code, text and headers exactly as they came.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx

from probe.calls import Call
from probe.clock import Clock

TRIES = 8
LONGEST_WAIT = 60.0
ASKED_AT_MOST = 600.0
"""If Retry-After asks for more seconds than this, the probe does not wait and returns the answer."""
TRANSIENT = frozenset({429, 500, 502, 503, 504})
CONCURRENCY, EXPIRED = "Directory_ConcurrencyViolation", "InvalidAuthenticationToken"
EXPIRED_PAGE = "Directory_ExpiredPageToken"
OK, MULTIPLE_CHOICES, UNAUTHORIZED, THROTTLED = 200, 300, 401, 429
SHOWN_HEADERS = ("x-ms-throttle-limit-percentage", "x-ms-throttle-scope", "x-ms-throttle-information")


class NoAnswer(Exception):
    """Graph did not answer a call in `TRIES` tries. Retry: in a later run."""


class Tokens(Protocol):
    """The source of the bearer token."""

    def token(self) -> str:
        """Return a token that is valid now."""

    def renew(self) -> None:
        """Forget the token, because Graph has refused it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of Graph. ``body`` is its JSON; None if the answer holds no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any
    call: Call

    @property
    def good(self) -> bool:
        """Whether the call succeeded."""
        return OK <= self.status < MULTIPLE_CHOICES

    @property
    def code(self) -> str | None:
        """The error code; None if there is none."""
        return self._error("code")

    @property
    def message(self) -> str:
        """The error text; empty if there is none."""
        return self._error("message") or ""

    @property
    def transient(self) -> bool:
        """Whether the call may succeed if it is repeated."""
        return self.status in TRANSIENT or self.code in (CONCURRENCY, EXPIRED)

    @property
    def short(self) -> str:
        """The status and the error code, for a line on the screen."""
        return f"{self.status} {self.code}" if self.code else str(self.status)

    def _error(self, name: str) -> str | None:
        error = self.body.get("error") if isinstance(self.body, dict) else None
        value = error.get(name) if isinstance(error, dict) else None
        return value if isinstance(value, str) else None


@dataclass(slots=True)
class Meter:
    """Measures throttling, and how long Graph took to show writes."""

    calls: int = 0
    throttled: int = 0
    lost: int = 0
    retry_after: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    lag: dict[str, float] = field(default_factory=dict)

    def see(self, answer: Answer) -> None:
        """Record the headers of an answer."""
        self.throttled += answer.status == THROTTLED
        if "retry-after" in answer.headers:
            self.retry_after.add(answer.headers["retry-after"])
        self.headers.update({name: answer.headers[name] for name in SHOWN_HEADERS if name in answer.headers})

    def took(self, what: str, seconds: float) -> None:
        """Record the seconds until Graph showed a write of this kind. The longest time counts."""
        self.lag[what] = round(max(self.lag.get(what, 0.0), seconds), 1)


class Graph:
    """Graph as one signed-in identity uses it."""

    def __init__(self, http: httpx.Client, base: str, tokens: Tokens, clock: Clock, meter: Meter) -> None:
        self._http = http
        self._base = base.rstrip("/")
        self._tokens = tokens
        self._clock = clock
        self._meter = meter

    def ask(
        self,
        call: Call,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        advanced: bool = False,
        **parts: str,
    ) -> Answer:
        """Make a call, and repeat it while Graph asks for that, up to `TRIES` tries.

        ``parts`` fill in the template. The last answer is returned even if it asks for another repetition.

        Raises:
            NoAnswer: Graph did not answer any try. Retry: in a later run.

        """
        answer: Answer | None = None
        for number in range(TRIES):
            if number:
                self._clock.sleep(self._wait(answer, number))
            try:
                answer = self._send(call, body, query or {}, parts, advanced=advanced)
            except httpx.TransportError:
                self._meter.lost += 1
                answer = None
                continue
            if not answer.transient or self._asked(answer) > ASKED_AT_MOST:
                return answer
            if answer.code == EXPIRED:
                self._tokens.renew()
        if answer is None:
            raise NoAnswer(f"{call.name} was not answered in {TRIES} tries.")
        return answer

    def ask_all(self, call: Call, *, query: Mapping[str, str] | None = None, advanced: bool = False) -> Answer:
        """Read all pages of a list, and return their values in one answer. If a page's token expires, start again."""
        for _ in range(TRIES):
            answer = self._all_pages(call, query or {}, advanced=advanced)
            if answer.code != EXPIRED_PAGE:
                break
        return answer

    def _all_pages(self, call: Call, query: Mapping[str, str], *, advanced: bool) -> Answer:
        values: list[Any] = []
        while True:
            answer = self.ask(call, query=query, advanced=advanced)
            if not answer.good:
                return answer
            values += answer.body["value"]
            link = answer.body.get("@odata.nextLink")
            if link is None:
                return replace(answer, body={**answer.body, "value": values})
            query = next_query(link)

    def _send(
        self, call: Call, body: Any, query: Mapping[str, str], parts: Mapping[str, str], *, advanced: bool
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._tokens.token()}", "User-Agent": "b2b-probe"}
        if advanced:
            headers["ConsistencyLevel"] = "eventual"
        url = f"{self._base}/{call.version}{call.template.format(**parts)}"
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        self._meter.calls += 1
        response = self._http.request(call.method, url, params=dict(query) or None, headers=headers, content=content)
        kept = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, kept, _json(response), call)
        self._meter.see(answer)
        return answer

    def _wait(self, answer: Answer | None, number: int) -> float:
        backoff = min(float(2 ** (number - 1)), LONGEST_WAIT)
        return backoff if answer is None else max(self._asked(answer), backoff if not self._asked(answer) else 0.0)

    def _asked(self, answer: Answer) -> float:
        """Return the seconds that Retry-After asks for, from a number, a fraction or a date; 0 if it cannot be read."""
        raw = answer.headers.get("retry-after", "")
        if raw.replace(".", "", 1).isdigit():
            return float(raw)
        try:
            return max(0.0, (parsedate_to_datetime(raw) - self._clock.now()) / timedelta(seconds=1))
        except ValueError:
            return 0.0


def next_query(link: str) -> dict[str, str]:
    """Return the query parameters of the link to the next page."""
    return dict(parse_qsl(urlsplit(link).query))


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content.decode("utf-8-sig"))  # a count comes with a byte order mark
    except ValueError:
        return None
