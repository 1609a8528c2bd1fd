"""Microsoft Graph over msgraph-sdk: reads in `$batch`, and the invitation.

Requests are built with the SDK's builders and models and sent as bytes: the SDK's model deserialiser costs seconds on
its first call and blocks the event loop for 11-27 ms on each later one. The SDK's own retries are off: it would re-send
`POST /invitations` on 429, 503 and 504, and each of those may come after the mail went out. So are redirects: they
would take an address to another host.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
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

_SOVEREIGN = frozenset({"graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"})
MOST_PAGES = 100
LONGEST_RETRY_AFTER = 86_400.0
CONNECT_TIMEOUT = 5.0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
_LIMIT_USED = "x-ms-throttle-limit-percentage"
_DENIED = "Authorization_RequestDenied"
_TOKEN_REFUSED = "InvalidAuthenticationToken"  # noqa: S105  Graph's error code
_ERRORS: dict[str, Any] = {"XXX": ODataError}
_IN_DOUBT = frozenset({NOT_FOUND, httpx.codes.REQUEST_TIMEOUT, httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS})
"""Refusals of an invitation that prove nothing: a replica that lags, or a throttle that came after the work."""


def http_transport(base_url: str) -> httpx.AsyncHTTPTransport:
    """Return the transport to Graph: HTTP/2 over TLS, HTTP/1.1 to a double on loopback."""
    return httpx.AsyncHTTPTransport(http2=base_url.startswith("https"))


class Closing(Protocol):
    """A connection that is closed at the end of the process."""

    async def aclose(self) -> None:
        """Close it."""


class Graph:
    """One Graph client for the life of the process."""

    def __init__(self, adapter: GraphRequestAdapter, timeout: float, clock: Clock, *closed: Closing) -> None:
        """Send through ``adapter``; `aclose` closes ``closed``. ``timeout`` is in seconds, for one answer."""
        self._adapter, self._timeout, self._clock, self._closed = adapter, timeout, clock, closed
        root = adapter.base_url
        self._roots = {False: root, True: root.removesuffix("/v1.0") + "/beta"}
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
        """Build the HTTP client; nothing is sent."""
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
        # Set after the construction: httpx appends a slash to a base URL, and the SDK would join "/v1.0//users".
        adapter.base_url = base_url
        # The SDK's middleware hides the transport from the client, which would leave it open.
        return cls(adapter, timeout, clock, http, transport)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._closed:
            await connection.aclose()

    async def read(self, calls: Sequence[Call], tolerated: frozenset[int] = frozenset()) -> list[Answer]:
        """Make all calls, 20 to a round trip with those of others, and follow the pages of collections.

        Answers are in the order of the calls; 200, 403, 404, a missing licence and what is ``tolerated`` are for the
        caller to judge.

        Raises:
            Transient: any other status, or no answer at all; waits as long as Graph asked. A token that is not accepted
                (401) is among them: the next one may be.
            AccessDenied: Graph refuses the application as a whole.

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
        """Give a collection page by page, for as long as the caller goes on. A page may be short, or empty.

        Raises:
            Transient: as `read`; the list has broken off.
            AccessDenied: as `read`, or Graph refuses this call.

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
        """Send one invitation, once; not if its first byte would leave later than ``not_after``.

        Raises:
            Transient: it was certainly not sent.
            AccessDenied: the application may not invite.
            InvitationRefused: Graph said no, and why.
            OutcomeUnknown: it may have been sent; settle that by reading the account.

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
        return invited(content, invitation.user_id, used)

    async def _batch(self, root: str, calls: Sequence[Call]) -> list[Part | None]:
        """Send one `$batch`. What its parts say is for those who asked to judge, each for its own."""
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
        """The SDK's builders give relative addresses until the first request was sent, and absolute ones afterwards."""
        return url.removeprefix(self._roots[False])

    def _refuse_failures(self, parts: Any) -> None:
        failed = [
            part
            for part in parts
            if part["status"] not in {httpx.codes.OK, FORBIDDEN, NOT_FOUND} and not unlicensed(part.get("body") or {})
        ]
        if not failed:
            return
        waits = [wait for part in failed if (wait := self._retry_after(part.get("headers") or {})) is not None]
        statuses = ", ".join(sorted({str(part["status"]) for part in failed}))
        raise Transient(GRAPH, f"answered {statuses} within a batch", max(waits, default=None))

    async def _all_pages(self, call: Call, answer: Answer) -> Answer:
        """Follow `@odata.nextLink`: a short or even empty page may have one. Headers go along with every page."""
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
        """Return the next page, or None if this was the last."""
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
        """Send something that changes nothing."""
        try:
            return await self._send(information)
        except AzureError as error:
            raise Transient("identity", f"no token: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Transient(GRAPH, f"no answer: {type(error).__name__}") from error
        except APIError as error:
            status = error.response_status_code or 0
            kind = AccessDenied if status == FORBIDDEN else Transient
            raise kind(GRAPH, f"answered {status}", self._retry_after(error.response_headers or {})) from None

    async def _send(self, information: RequestInformation) -> bytes:
        async with asyncio.timeout(self._timeout * LONGEST_CALL):  # httpx names its own timeouts first
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
        return InvitationRefused(refusal(status, code, message, user_id))

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        return retry_after(text, self._clock())


def scope_of(base_url: str) -> str:
    """Return the scope of Graph's token: a national cloud has its own, everything else is the global one's.

    Source: https://learn.microsoft.com/graph/deployments.
    """
    host = urlsplit(base_url).hostname or ""
    return f"https://{host if host in _SOVEREIGN else 'graph.microsoft.com'}/.default"


def retry_after(text: str, now: datetime) -> float | None:
    """Read Retry-After: whole seconds, a fraction (Graph sends those, against the standard) or a date; else None."""
    seconds = math.nan
    with suppress(ValueError):
        seconds = float(text)
    if math.isnan(seconds):
        with suppress(ValueError, TypeError):
            until = parsedate_to_datetime(text)
            seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
