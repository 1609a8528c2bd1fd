"""Write requests to Graph's `$batch` and read its answers, which may come in any order.

Source: https://learn.microsoft.com/graph/json-batching.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from b2b.domain.errors import GRAPH, Transient

BATCH_LIMIT = 20
"""Graph takes at most 20 requests in one $batch."""


@dataclass(frozen=True)
class Call:
    """One GET to Graph v1.0, or to beta."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    beta: bool = False


@dataclass(frozen=True)
class Answer:
    """Graph's answer to one call. `Graph.read` puts all pages of a collection into one body."""

    status: int
    body: dict[str, Any]


def request_body(calls: Iterable[tuple[int, str, Mapping[str, str]]]) -> bytes:
    """Return the body of a `$batch` request. It holds each call's number, address relative to the root, and headers."""
    requests = [
        {"id": str(number), "method": "GET", "url": url, **({"headers": dict(headers)} if headers else {})}
        for number, url, headers in calls
    ]
    return json.dumps({"requests": requests}).encode()


def json_object(content: bytes) -> dict[str, Any]:
    """Parse an answer that must be a JSON object.

    Raises:
        Transient: the answer is something else, for example empty or the HTML of a gateway.

    """
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Transient(GRAPH, "the answer is not a JSON object")
    return body


def answer_of(part: Mapping[str, Any]) -> Answer:
    """Return the answer in one part of a batch. The body is empty if a failure has no JSON object.

    Raises:
        Transient: a part with status 200 has no JSON object.

    """
    body = part.get("body")
    if not isinstance(body, dict) and part["status"] == httpx.codes.OK:
        raise Transient(GRAPH, "a part of a batch is not a JSON object")
    return Answer(part["status"], body if isinstance(body, dict) else {})


def parts_of(content: bytes) -> dict[str, dict[str, Any]]:
    """Return the parts of a `$batch` answer by the ids of their requests.

    Raises:
        Transient: the content is not an answer to a batch.

    """
    try:
        return {part["id"]: {**part, "status": int(part["status"])} for part in json_object(content)["responses"]}
    except (KeyError, TypeError, ValueError) as error:
        raise Transient(GRAPH, "the answer to a batch cannot be read") from error


def unlicensed(body: object) -> bool:
    """Tell whether Graph refused a call because the tenant has no licence for the feature, and so does not use it."""
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("code") == "AadPremiumLicenseRequired"
