"""`POST /$batch`: up to 20 calls in one request.

Each is served, charged and fails by itself (json-batching article).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Route, ok
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer, Request

MAX_PARTS = 20
FAILED = 400
FAILED_DEPENDENCY = 424


async def serve_batch(call: Call) -> Answer:
    """Serve the parts in order. The batch itself gets 200 even if parts fail. A switch decides the order of the
    answers.
    """
    parts = _parts(call.request.body)
    answers: dict[str, Answer] = {}
    for part in parts:
        broken = [name for name in part.get("dependsOn", ()) if answers[name.lower()].status >= FAILED]
        answers[part["id"].lower()] = _failed_dependency() if broken else await call.dispatch(_request(call, part))
    responses = [_response(part, answer) for part, answer in zip(parts, answers.values(), strict=True)]
    if call.tenant.switches["batch-order"] == "reversed":
        responses.reverse()
    return replace(ok({"responses": responses}), told=_told(answers.values()))


def _parts(body: Any) -> list[JSON]:
    parts = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts:
        raise errors.malformed("Invalid batch payload format.")
    if len(parts) > MAX_PARTS:
        raise errors.malformed(f"Number of batch request steps exceeds the maximum value of {MAX_PARTS}.")
    seen: set[str] = set()
    for part in parts:
        _check(part)
        if part["id"].lower() in seen:
            raise errors.malformed(f"Request Id {part['id']} has to be unique in a batch.")
        if any(name.lower() not in seen for name in part.get("dependsOn", ())):
            raise errors.malformed(f"Request Id {part['id']} depends on a request that does not come before it.")
        seen.add(part["id"].lower())
    return parts


def _check(part: Any) -> None:
    if not isinstance(part, dict) or not all(isinstance(part.get(key), str) for key in ("id", "method", "url")):
        raise errors.malformed("Each request of a batch needs an id, a method and a url.")
    strangers = part.keys() - {"id", "method", "url", "headers", "body", "dependsOn"}
    if strangers:
        raise errors.malformed(f"A request of a batch has no property '{min(strangers)}'.")
    if part["url"].startswith(("http://", "https://")):
        raise errors.malformed(f"Request Id {part['id']} has an absolute url; it has to be relative to the version.")
    if part["url"].strip("/").lower().startswith("$batch"):
        raise errors.malformed("A batch cannot hold a batch.")
    names = {name.lower() for name in part.get("headers") or ()}
    if "body" in part and "content-type" not in names:
        raise errors.malformed(f"Request Id {part['id']} has a body but no Content-Type header.")


def _request(call: Call, part: JSON) -> Request:
    path, _, query = part["url"].partition("?")
    headers = {name.lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    headers.setdefault("authorization", call.request.headers["authorization"])
    return Request(
        method=part["method"].upper(),
        version=call.request.version,
        path="/" + unquote(path).strip("/"),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=part.get("body"),
        origin=call.request.origin,
        batch=call.number,
    )


def _response(part: JSON, answer: Answer) -> JSON:
    response: JSON = {"id": part["id"], "status": answer.status, "headers": dict(answer.headers)}
    if answer.body is not None:
        response["body"] = answer.body
    return response


def _told(answers: Iterable[Answer]) -> dict[str, float]:
    """Merge the waits that the answers ask for. If several ask about the same limit, the first counts."""
    told: dict[str, float] = {}
    for answer in answers:
        told = {**answer.told, **told}
    return told


def _failed_dependency() -> Answer:
    error = {"code": "FailedDependency", "message": "A request that this one depends on has failed.", "innerError": {}}
    return Answer(FAILED_DEPENDENCY, {"error": error})


ROUTES = (Route("POST", "/$batch", serve_batch, permissions.ANY, cost=0),)
