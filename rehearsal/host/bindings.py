"""Build the inputs of functions as the runtime library's `Datum`, and read what HTTP functions return."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum

__all__ = ["Datum", "HttpAnswer", "QueueItem", "http_answer", "http_request", "queue_metadata", "timer_info"]

# Json.NET parses such a text as a date (DateParseHandling.DateTime) and writes it in another form.
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A queue message as the trigger sees it. `text` is decoded; the pop receipt is that of its delivery."""

    queue: str
    text: str
    id: str
    dequeue_count: int
    pop_receipt: str
    inserted: datetime
    expires: datetime
    next_visible: datetime


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to an HTTP caller."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def queue_metadata(item: QueueItem) -> dict[str, Datum]:
    """Return the trigger metadata of a queue message.

    If the body is a JSON object, its top-level properties override the built-in metadata of the same name in any case,
    unless they are arrays or null (Azure/azure-functions-host, FunctionBinding/Utility.ApplyBindingData). So a body can
    hide the id of its message. A body with `"dequeueCount": "many"` cannot be decoded, so the app never sees it.
    """
    metadata = {
        "QueueTrigger": Datum(item.text, "string"),
        "Id": Datum(item.id, "string"),
        "DequeueCount": Datum(str(item.dequeue_count), "json"),
        "PopReceipt": Datum(item.pop_receipt, "string"),
        "InsertionTime": _moment(item.inserted),
        "ExpirationTime": _moment(item.expires),
        "NextVisibleTime": _moment(item.next_visible),
    }
    spelling = {name.lower(): name for name in metadata}
    for name, value in _properties(item.text).items():
        metadata[spelling.setdefault(name.lower(), name)] = value
    return metadata


def timer_info(*, past_due: bool, status: Mapping[str, str] | None) -> Datum:
    """Return the input of a timer function. `status` holds `Last`, `Next` and `LastUpdated`; None: not monitored."""
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return Datum(json.dumps(info), "json")


def http_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    params: Mapping[str, str],
    body: bytes,
) -> Datum:
    """Return the input of an HTTP function."""
    return Datum(
        {
            "method": Datum(method, "string"),
            "url": Datum(url, "string"),
            "headers": _strings(headers),
            "query": _strings(query),
            "params": _strings(params),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def http_answer(value: Datum | None) -> HttpAnswer:
    """Return the answer for what an HTTP function returned: an `HttpResponse`, a text or nothing."""
    if value is None or value.value is None:
        return HttpAnswer(204)
    if value.type != "http":
        return HttpAnswer(200, (("content-type", "text/plain; charset=utf-8"),), str(value.value).encode())
    content = value.value
    headers = [(name, header.value) for name, header in content["headers"].items()]
    for cookies in content["cookies"] or ():
        headers += [("set-cookie", morsel.OutputString()) for morsel in cookies.values()]
    return HttpAnswer(int(content["status_code"].value), tuple(headers), content["body"].value)


def _moment(moment: datetime) -> Datum:
    return Datum(json.dumps(moment.astimezone(UTC).isoformat()), "json")


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _properties(text: str) -> dict[str, Datum]:
    """Return the top-level properties of a JSON object as binding data; empty if the text is no JSON object."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        name: _property(value) for name, value in content.items() if value is not None and not isinstance(value, list)
    }


def _property(value: Any) -> Datum:
    if isinstance(value, dict):
        return Datum(json.dumps(value), "json")
    return Datum(_dotnet_text(value), "string")


def _dotnet_text(value: str | float | bool) -> str:  # noqa: FBT001 - a JSON scalar, not a flag
    """Return a JSON scalar in the form that .NET's `(string)JToken` gives in the invariant culture."""
    if isinstance(value, str):
        return _dotnet_date(value) if _DATE.fullmatch(value) else value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _dotnet_date(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%m/%d/%Y %H:%M:%S")
