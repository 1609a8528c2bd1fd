"""The format of `$batch`: calls in, their answers out, in whatever order they come.

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
    """One GET, relative to the root of v1.0 or beta."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    beta: bool = False


@dataclass(frozen=True)
class Answer:
    """What Graph said to a call: its status, and its body; of a collection, all pages together."""

    status: int
    body: dict[str, Any]


def request_body(calls: Iterable[tuple[int, str, Mapping[str, str]]]) -> bytes:
    """Write GETs into one request: number, relative address, headers."""
    requests = [
        {"id": str(number), "method": "GET", "url": url, **({"headers": dict(headers)} if headers else {})}
        for number, url, headers in calls
    ]
    return json.dumps({"requests": requests}).encode()


def json_object(content: bytes) -> dict[str, Any]:
    """Read the JSON object that Graph answers with.

    Raises:
        Transient: the answer is empty, or a gateway's HTML.

    """
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Transient(GRAPH, "the answer is not a JSON object")
    return body


def answer_of(part: Mapping[str, Any]) -> Answer:
    """Take one part's answer out. A failure may have a gateway's HTML for a body; only a success must say something.

    Raises:
        Transient: a success without a JSON object.

    """
    body = part.get("body")
    if not isinstance(body, dict) and part["status"] == httpx.codes.OK:
        raise Transient(GRAPH, "a part of a batch is not a JSON object")
    return Answer(part["status"], body if isinstance(body, dict) else {})


def parts_of(content: bytes) -> dict[str, dict[str, Any]]:
    """Read the answers of a batch by the ids of their requests, in whatever order they come.

    Raises:
        Transient: the answer is no batch.

    """
    try:
        return {part["id"]: {**part, "status": int(part["status"])} for part in json_object(content)["responses"]}
    except (KeyError, TypeError, ValueError) as error:
        raise Transient(GRAPH, "the answer to a batch cannot be read") from error


def unlicensed(body: object) -> bool:
    """Tell whether Graph refused because the tenant has no licence for the feature, and so does not use it."""
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("code") == "AadPremiumLicenseRequired"
