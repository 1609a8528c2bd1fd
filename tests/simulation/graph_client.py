"""A request adapter for msgraph-sdk on a directory in memory: no HTTP, and every send passes a gate."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx
import msgspec
from azure.core.exceptions import ClientAuthenticationError
from kiota_abstractions.api_error import APIError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.serialization import ParseNodeFactoryRegistry, SerializationWriterFactoryRegistry
from msgraph.generated.models.o_data_errors.main_error import MainError
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter

from b2b.adapters.fence import check_of_now
from tests.simulation.directory import Directory
from tests.simulation.directory_query import page_token, query_of
from tests.simulation.directory_reads import is_eventual, parts_of
from tests.simulation.directory_refusals import Invite
from tests.simulation.directory_state import Refused
from tests.simulation.gate import OPEN, Call, Gate

ROOT = "https://graph.microsoft.com/v1.0"
_LOST: Mapping[str, Callable[[str], Exception]] = {
    "unreachable": httpx.ConnectError,
    "reset": httpx.ReadError,
    "timeout": httpx.ReadTimeout,
    "no-token": ClientAuthenticationError,
}
"""Kinds of trouble that end without an answer, with the exceptions of httpx and of the identity client."""
_ANSWERED: Mapping[str, tuple[int, str]] = {
    "throttled": (429, "TooManyRequests"),
    "busy": (503, "ServiceUnavailable"),
    "error": (500, "InternalServerError"),
    "conflict": (409, "Directory_ConcurrencyViolation"),
    "not-found": (404, "Request_ResourceNotFound"),
    "unauthorized": (401, "InvalidAuthenticationToken"),
    "refused": (400, "BadRequest"),
    "denied": (403, "Authorization_RequestDenied"),
}
"""Kinds of trouble that end with an answer, with its status and error code. A kind may end in a colon and
Retry-After."""
_GATEWAY = "gateway"
"""A 504 with a page of HTML, from which the SDK makes an error without a code."""
_TEMPLATE = re.compile(r"\{\+(?P<root>\w+)\}(?P<path>(?:/[$\w]+)+)")
_body = msgspec.json.Decoder(dict[str, Any]).decode


class MemoryGraphAdapter(GraphRequestAdapter):
    """Replaces the SDK's request adapter in `Graph`. Each instance of the app has its own; all share one directory."""

    def __init__(self, directory: Directory, gate: Gate = OPEN, base_url: str = ROOT) -> None:
        # The parent's constructor is not called, because it builds an HTTP client, which takes milliseconds.
        self._directory, self._gate, self._base_url = directory, gate, base_url
        self._roots = {base_url, base_url.removesuffix("/v1.0") + "/beta"}
        self._serialization_writer_factory = SerializationWriterFactoryRegistry()
        self._parse_node_factory = ParseNodeFactoryRegistry()

    @property
    def base_url(self) -> str:
        """The root URL of Graph v1.0."""
        return self._base_url

    @base_url.setter
    def base_url(self, value: str) -> None:
        self._base_url = value

    async def send_primitive_async(self, request_info: RequestInformation, response_type: str, error_map: Any) -> bytes:
        """Send a batch, the next page of a listing, or an invitation; any other request raises AssertionError."""
        assert response_type == "bytes", f"the directory in memory answers with bytes, not {response_type}"
        assert error_map == {"XXX": ODataError}, f"errors are not read as ODataError: {error_map}"
        self.set_base_url_for_request_information(request_info)
        call, effect = self._prepared(request_info)
        return await self._gate.call(call, effect, self._failure)

    def _prepared(self, information: RequestInformation) -> tuple[Call, Callable[[], bytes]]:
        method, url, content = information.http_method, _url(information), information.content
        if method is Method.GET and page_token(url) is not None:
            return self._page(url, information.request_headers or {})
        root, _, path = url.rpartition("/")
        if method is Method.POST and root in self._roots and content is not None:
            if path == "$batch":
                return self._batch(root, content)
            if path == "invitations" and root == self._base_url:
                return self._invitation(content)
        raise AssertionError(f"the directory in memory does not know {method} {url}")

    def _batch(self, root: str, content: bytes) -> tuple[Call, Callable[[], bytes]]:
        parts, version = parts_of(content), root.rpartition("/")[2]
        subject = self._directory.subject(query_of(version, part.url) for part in parts)
        return Call("graph", "read", subject, changes=False), lambda: self._directory.reads.batch(root, parts)

    def _page(self, url: str, headers: Mapping[str, str]) -> tuple[Call, Callable[[], bytes]]:
        reads, eventual = self._directory.reads, is_eventual(headers)
        query = reads.walked(url)
        call = Call("graph", "page", "list" if query is None else self._directory.subject([query]), changes=False)
        return call, lambda: _answered(lambda: reads.page(url, eventual=eventual))

    def _invitation(self, content: bytes) -> tuple[Call, Callable[[], bytes]]:
        invite = Invite.parse(_body(content))
        return Call("graph", "invite", invite.user_id, changes=True), InvitationEffect(
            self._directory, invite, check_of_now()
        )

    def _failure(self, kind: str) -> BaseException:
        name, _, retry_after = kind.partition(":")
        if name in _LOST:
            return _LOST[name](f"{name} in the simulation")
        headers = {"Retry-After": retry_after} if retry_after else {}
        if name == _GATEWAY:
            return APIError("no JSON", 504, httpx.Headers(headers))  # type: ignore[arg-type]
        if name == "throttled" and not retry_after and self._directory.retry_after is not None:
            headers = {"Retry-After": self._directory.retry_after}
        status, code = _ANSWERED[name]
        return _error(status, code, "", headers)


@dataclass(frozen=True, slots=True)
class InvitationEffect:
    """Sends one invitation. Instead, a gate may ask for the answer `refused`, `denied` or `another`."""

    directory: Directory
    invite: Invite
    fence: Callable[[], None]
    """Checks the claim's age just before the bytes would leave, as the app's own transport does."""

    def __call__(self) -> bytes:
        """Send the invitation; return the body of the answer."""
        return self._sent(lambda: self.directory.invitations.take(self.invite))

    def replaced(self, answer: str) -> bytes:
        """Return the answer that `Invitations.replace` gives."""
        return self._sent(lambda: self.directory.invitations.replace(self.invite, answer))

    def _sent(self, answer: Callable[[], dict[str, Any]]) -> bytes:
        self.fence()
        return _answered(lambda: msgspec.json.encode(answer()))


def _answered(effect: Callable[[], bytes]) -> bytes:
    """Return the body of the answer. If the directory refuses, raise the SDK's error."""
    try:
        return effect()
    except Refused as refused:
        raise _error(refused.status, refused.code, refused.message, refused.headers) from None


def _url(information: RequestInformation) -> str:
    """Return the URL. A template that is only a root and a fixed path is filled in here, because the SDK's expansion is
    slow.
    """
    template = _template(information.url_template or "")
    if template is not None and not information.query_parameters:
        return f"{information.path_parameters[template[0]]}{template[1]}"
    return str(information.url)


@lru_cache(maxsize=64)
def _template(template: str) -> tuple[str, str] | None:
    match = _TEMPLATE.fullmatch(template)
    return None if match is None else (match["root"], match["path"])


def _error(status: int, code: str, message: str, headers: Mapping[str, str]) -> ODataError:
    """Return the error that the SDK makes from an answer."""
    error = ODataError(error=MainError(code=code, message=message))
    error.response_status_code = status
    error.response_headers = httpx.Headers(headers)  # type: ignore[assignment]
    return error
