"""Call Microsoft Graph through msgraph-sdk: reads go into `$batch`, each invitation is a call of its own.

Requests are built with the SDK's builders and models, but answers are read as bytes, because the SDK's deserialiser
takes seconds on its first call and blocks the event loop for 11-27 ms on each later one. The SDK's own retries are off,
because it would repeat `POST /invitations` on 429, 503 and 504, although the mail may have been sent. Redirects are
off, because they would send a person's address to another host.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import HeadersInspectionHandlerOption, RedirectHandlerOption, RetryHandlerOption
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from b2b.adapters.batch import Answer, Call, answer_of, json_object, parts_of, request_body, unlicensed
from b2b.adapters.clock import Clock
from b2b.adapters.fence import FencedTransport, FencePassedError, fenced
from b2b.adapters.gather import Gatherer, Part
from b2b.adapters.invitation import graph_invitation, invited, limit_used
from b2b.domain.errors import GRAPH, AccessDenied, InvitationRefused, OutcomeUnknown, Transient
from b2b.domain.invitation import LONGEST_CALL, Invitation, refusal
from b2b.domain.readings import Invited
from b2b.domain.request.ids import GUID

_SOVEREIGN = frozenset({"graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"})
MOST_PAGES = 100
LONGEST_RETRY_AFTER = 86_400.0
SHORTEST_HOLD, LONGEST_HOLD = 2.0, 300.0
"""Seconds. If Graph asks for at least the first, this process holds back its reads, but no longer than the second."""
CONNECT_TIMEOUT = 5.0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
REQUEST_ID = "request-id"
_LIMIT_USED = "x-ms-throttle-limit-percentage"
_DENIED = "Authorization_RequestDenied"
_TOKEN_REFUSED = "InvalidAuthenticationToken"  # noqa: S105  Graph's error code
_ERRORS: dict[str, Any] = {"XXX": ODataError}
_IN_DOUBT = frozenset({NOT_FOUND, httpx.codes.REQUEST_TIMEOUT, httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS})
"""Statuses after which an invitation may have been sent: a replica may lag, or a throttle may come after the mail."""


def http_transport(base_url: str) -> httpx.AsyncHTTPTransport:
    """Return the transport to Graph: HTTP/2 over TLS, or HTTP/1.1 to a double of Graph on loopback."""
    return httpx.AsyncHTTPTransport(http2=base_url.startswith("https"))


class Closing(Protocol):
    """A connection that is closed when the process ends."""

    async def aclose(self) -> None:
        """Close the connection."""


class Graph:
    """The Graph client. A process uses one for its whole life."""

    def __init__(self, adapter: GraphRequestAdapter, timeout: float, clock: Clock, *closed: Closing) -> None:
        """``timeout``: seconds for each piece of an answer; the whole call may take `LONGEST_CALL` times as long.

        ``closed``: the connections that `aclose` closes.
        """
        self._adapter, self._timeout, self._clock, self._closed = adapter, timeout, clock, closed
        root = adapter.base_url
        self._roots = {False: root, True: root.removesuffix("/v1.0") + "/beta"}
        self._not_before: datetime | None = None
        self._gatherers = {beta: Gatherer(partial(self._batch, self._roots[beta])) for beta in (False, True)}
        self.client = GraphServiceClient(request_adapter=adapter)

    @classmethod
    def connect(
        cls,
        credential: AsyncTokenCredential,
        base_url: str,
        timeout: float,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> "Graph":
        """Build the HTTP client. Nothing is sent."""
        transport = FencedTransport(transport or http_transport(base_url))
        http = GraphClientFactory.create_with_default_middleware(
            options={
                **options,
                RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0),
                RedirectHandlerOption.get_key(): RedirectHandlerOption(should_redirect=False),
            },
            client=httpx.AsyncClient(
                timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)), transport=transport
            ),
        )
        hosts = [urlsplit(base_url).hostname or ""]
        auth = AzureIdentityAuthenticationProvider(credential, scopes=[scope_of(base_url)], allowed_hosts=hosts)
        adapter = GraphRequestAdapter(auth, client=http)
        # Set only now: the constructor would let httpx append a slash, and the SDK would then build "/v1.0//users".
        adapter.base_url = base_url
        # The SDK's middleware hides the transport from the HTTP client, which therefore does not close it.
        return cls(adapter, timeout, clock, http, transport)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._closed:
            await connection.aclose()

    async def read(self, calls: Sequence[Call], tolerated: frozenset[int] = frozenset()) -> list[Answer]:
        """Make all calls, follow the pages of collections, and return the answers in the order of the calls.

        Up to 20 calls share a round trip, other callers' calls included. The caller judges the statuses 200, 403 and
        404, a missing licence, and the statuses in ``tolerated``.

        Raises:
            Transient: Graph answered a call with any other status, or not at all. ``retry_after`` is what Graph asked
                for. This includes 401, because the next token may be accepted.
            AccessDenied: Graph answered 403 to a batch as a whole.

        """
        groups = [[(number, call) for number, call in enumerate(calls) if call.beta is beta] for beta in (False, True)]
        parts = await asyncio.gather(
            *(
                self._gatherers[beta].ask([call for _, call in group])
                for beta, group in zip((False, True), groups, strict=True)
            )
        )
        found = {
            number: part
            for group, answered in zip(groups, parts, strict=True)
            for (number, _), part in zip(group, answered, strict=True)
        }
        answers = self._judged_parts([found[number] for number in range(len(calls))], tolerated)
        return [await self._all_pages(call, answer) for call, answer in zip(calls, answers, strict=True)]

    async def pages(self, call: Call) -> AsyncIterator[list[Any]]:
        """Yield a collection page by page. A page that is short or empty need not be the last.

        Raises:
            Transient: Graph gave no good answer, perhaps after some pages. The list is then incomplete; read it again.
            AccessDenied: Graph answered 403.

        """
        (answer,) = self._judged_parts(await self._batch(self._roots[call.beta], [call]), frozenset())
        if answer.status != httpx.codes.OK:
            kind = AccessDenied if answer.status == FORBIDDEN else Transient
            raise kind(GRAPH, f"answered {answer.status} to a list")
        body: Mapping[str, Any] | None = answer.body
        while body is not None:
            yield list(body.get("value") or ())
            body = await self._next_page(call, body)

    async def invite(self, invitation: Invitation, not_after: datetime) -> Invited:
        """Send one invitation, at most once, and only if its first byte can leave by ``not_after``.

        Raises:
            Transient: the invitation was certainly not sent.
            AccessDenied: the application may not invite.
            InvitationRefused: Graph refused the invitation; the error holds the reason.
            OutcomeUnknown: the invitation may have been sent; reading the account settles that.

        """
        inspected = HeadersInspectionHandlerOption(inspect_request_headers=False)
        configuration: RequestConfiguration[Any] = RequestConfiguration(options=[inspected])
        information = self.client.invitations.to_post_request_information(graph_invitation(invitation), configuration)
        try:
            with fenced(lambda: self._clock() <= not_after):
                content = await self._send(information)
        except FencePassedError as error:
            raise Transient("the app", "too much time has passed between the claim and the call") from error
        except AzureError as error:
            raise Transient("identity", f"no token: {type(error).__name__}") from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Transient(GRAPH, f"not reached: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown(f"no answer: {type(error).__name__}") from error
        except APIError as error:
            raise self._judged(error, invitation.user_id) from None  # Graph's own text may hold an address or a link
        used = limit_used(", ".join(inspected.response_headers.get(_LIMIT_USED)))
        call = _graph_id(", ".join(inspected.response_headers.get(REQUEST_ID)))
        return invited(content, invitation.user_id, used, call)

    async def _batch(self, root: str, calls: Sequence[Call]) -> list[Part | None]:
        """Send one `$batch` and return its parts in the order of the calls. The parts' statuses are not judged here."""
        information = RequestInformation(Method.POST, "{+root}/$batch", {"root": root})
        requests = [(number, self._relative(call.url), call.headers) for number, call in enumerate(calls)]
        information.set_stream_content(request_body(requests), "application/json")
        parts = parts_of(await self._fetch(information))
        return [parts.get(str(number)) for number in range(len(calls))]

    def _judged_parts(self, parts: Sequence[Part | None], tolerated: frozenset[int]) -> list[Answer]:
        answered = [part for part in parts if part is not None]
        self._refuse_failures(part for part in answered if part["status"] not in tolerated)
        if missing := len(parts) - len(answered):
            raise Transient(GRAPH, f"{missing} parts of a batch were not answered")
        return [answer_of(part) for part in answered]

    def _relative(self, url: str) -> str:
        """Return an address relative to v1.0. Once a request was sent, the SDK's builders return absolute addresses."""
        return url.removeprefix(self._roots[False])

    def _refuse_failures(self, parts: Any) -> None:
        failed = [
            part
            for part in parts
            if part["status"] not in {httpx.codes.OK, FORBIDDEN, NOT_FOUND} and not unlicensed(part.get("body") or {})
        ]
        if not failed:
            return
        waits = [wait for part in failed if (wait := self._heeded(part.get("headers") or {})) is not None]
        statuses = ", ".join(sorted({str(part["status"]) for part in failed}))
        raise Transient(GRAPH, f"answered {statuses} within a batch", max(waits, default=None))

    async def _all_pages(self, call: Call, answer: Answer) -> Answer:
        """Follow `@odata.nextLink`, which even an empty page may have, and return all values in one answer.

        Every page is requested with the headers of the call.
        """
        body = answer.body
        values = list(body.get("value") or ())
        for _ in range(MOST_PAGES):
            following = await self._next_page(call, body)
            if following is None:
                break
            body = following
            values += body.get("value") or ()
        else:
            raise Transient(GRAPH, f"a listing does not end after {MOST_PAGES} pages")
        return Answer(answer.status, {**answer.body, "value": values}) if "value" in answer.body else answer

    async def _next_page(self, call: Call, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the next page; None if ``body`` is the last page."""
        next_link = body.get("@odata.nextLink")
        if next_link is None:
            return None
        if not str(next_link).startswith(self._roots[call.beta]):
            raise Transient(GRAPH, "a page link points to another host")
        information = RequestInformation()
        information.http_method = Method.GET
        information.url = next_link
        for name, value in call.headers.items():
            information.headers.add(name, value)
        return json_object(await self._fetch(information))

    async def _fetch(self, information: RequestInformation) -> bytes:
        """Send a request that changes nothing in Graph, unless Graph asked this process to wait; return its answer."""
        if self._not_before is not None and (left := (self._not_before - self._clock()).total_seconds()) > 0:
            raise Transient(GRAPH, "asked the app to wait", left)
        try:
            return await self._send(information)
        except AzureError as error:
            raise Transient("identity", f"no token: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Transient(GRAPH, f"no answer: {type(error).__name__}") from error
        except APIError as error:
            status = error.response_status_code or 0
            kind = AccessDenied if status == FORBIDDEN else Transient
            raise kind(GRAPH, f"answered {status}", self._heeded(error.response_headers or {})) from None

    async def _send(self, information: RequestInformation) -> bytes:
        # Longer than httpx's own timeouts, whose errors say which step was slow.
        async with asyncio.timeout(self._timeout * LONGEST_CALL):
            content = await self._adapter.send_primitive_async(information, "bytes", _ERRORS)
        return content if isinstance(content, bytes) else b""

    def _judged(self, error: APIError, user_id: str) -> Exception:
        status, code, message = error.response_status_code or 0, "", ""
        if isinstance(error, ODataError) and error.error:
            code, message = error.error.code or "", error.error.message or ""
        if status == UNAUTHORIZED and code in {"", _TOKEN_REFUSED}:
            return Transient(GRAPH, f"the token was not accepted ({status} {code})")
        if status == UNAUTHORIZED or (status == FORBIDDEN and code == _DENIED):
            return AccessDenied(
                GRAPH,
                f"the application may not invite ({status} {code}): it needs User.Invite.All"
                " or, where that is not enough, User.ReadWrite.All",
            )
        if (
            not code
            or status in _IN_DOUBT
            or status >= httpx.codes.INTERNAL_SERVER_ERROR
            or status < httpx.codes.BAD_REQUEST
        ):
            wait = self._retry_after(error.response_headers or {})
            throttled = status == httpx.codes.TOO_MANY_REQUESTS
            return OutcomeUnknown(f"Graph answered {status} {code}".rstrip(), wait, throttled=throttled)
        found = refusal(status, code, message, user_id)
        return InvitationRefused(
            replace(found, request_id=_graph_id(_header(error.response_headers or {}, REQUEST_ID)))
        )

    def _heeded(self, headers: Mapping[str, str]) -> float | None:
        """Return the seconds that Graph asks for, and hold back this process's reads for as long."""
        wait = self._retry_after(headers)
        if wait is not None and wait >= SHORTEST_HOLD:
            until = self._clock() + timedelta(seconds=min(wait, LONGEST_HOLD))
            self._not_before = max(self._not_before or until, until)
        return wait

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        return retry_after(_header(headers, "retry-after"), self._clock())


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _graph_id(text: str) -> str:
    """Return Graph's id of a call; empty if the text is not a GUID."""
    return text.lower() if GUID.fullmatch(text) else ""


def scope_of(base_url: str) -> str:
    """Return the scope of the token for Graph at this URL. A host outside the national clouds gets the global scope.

    Source: https://learn.microsoft.com/graph/deployments.
    """
    host = urlsplit(base_url).hostname or ""
    return f"https://{host if host in _SOVEREIGN else 'graph.microsoft.com'}/.default"


def retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most a day; None if it cannot be read.

    The header may hold whole seconds, a fraction (Graph sends fractions, against the standard) or a date.
    """
    seconds = math.nan
    with suppress(ValueError):
        seconds = float(text)
    if math.isnan(seconds):
        with suppress(ValueError, TypeError):
            until = parsedate_to_datetime(text)
            seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
