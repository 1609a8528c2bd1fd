"""Read the host's configuration: `host.json`, its overrides in the environment, and `%SETTING%` names."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

OVERRIDE_PREFIX = "AzureFunctionsJobHost__"
LEASE_SETTING = "REHEARSAL_MESSAGE_LEASE_SECONDS"
"""For tests: the lease of a message in whole seconds, after which it returns to the queue if its host was killed."""

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,7})?)?")
_SETTING = re.compile(r"%([^%]+)%")
_UNBOUNDED = ("-1", "-1.00:00:00")
_BATCH_SIZES = range(1, 33)
_LEASE = timedelta(minutes=10)
_LEASES = range(1, 7 * 24 * 60 * 60 + 1)
"""In seconds. Storage can hide a message for seven days at most."""
_SHORTEST_POLL = timedelta(milliseconds=100)


class ConfigError(Exception):
    """`host.json` or a setting of the host is invalid; the text names it."""


class UnresolvedError(ConfigError):
    """A `%SETTING%` in a binding names a setting that does not exist, so the function cannot run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """`extensions.queues` of host.json, with the defaults of the storage extension (QueuesOptions.cs)."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    """The delay before a failed message is retried. It is not the lease of a message that is being processed."""
    max_polling_interval: timedelta = timedelta(minutes=1)
    message_encoding: Literal["none", "base64"] = "base64"
    lease: timedelta = _LEASE
    """How long a message that is being processed stays hidden unless it is renewed. Fixed in Azure; tests shorten
    it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """The configuration of the host, read once at its start."""

    queues: QueueOptions
    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    """None: no limit. The default is that of every hosting plan but Consumption."""

    @classmethod
    def read(cls, app: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the app's `host.json` with its overrides in the environment. Raises `ConfigError`, which names the
        fault.
        """
        tree = _overridden(_file(app / "host.json"), environment)
        queues = _Section(tree, "extensions:queues")
        http = _Section(tree, "extensions:http")
        return cls(
            queues=_queue_options(queues, environment),
            route_prefix=http.text("routePrefix", "api").strip("/"),
            function_timeout=_timeout(_Section(tree, "").text("functionTimeout", "00:30:00")),
        )


def timespan(text: str) -> timedelta:
    """Parse a .NET TimeSpan such as `00:00:30` or `1.12:00:00`. As in .NET, a bare number means days."""
    if text.isdecimal():
        return timedelta(days=int(text))
    match = _TIMESPAN.fullmatch(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a duration of the form hh:mm:ss.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = float(match[5] or 0)
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + fraction)


def resolve(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Replace each `%NAME%` by the setting of that name. Raises `UnresolvedError` if there is none."""

    def value(match: re.Match[str]) -> str:
        found = environment.get(match[1])
        if not found:
            raise UnresolvedError(f"'%{match[1]}%' does not resolve to a value.")
        return found

    return _SETTING.sub(value, text)


class _Section:
    """One section of the configuration as in .NET: keys ignore case, and every value is a text."""

    def __init__(self, tree: Mapping[str, str], path: str) -> None:
        self._tree = tree
        self._path = path

    def text(self, key: str, default: str) -> str:
        return self._tree.get(self._full(key), default)

    def number(self, key: str, default: int, allowed: range) -> int:
        text = self.text(key, str(default))
        if not text.isdecimal() or int(text) not in allowed:
            raise ConfigError(f"{self._path}:{key} in host.json is {text!r}; allowed: {allowed[0]} to {allowed[-1]}.")
        return int(text)

    def duration(self, key: str, default: timedelta) -> timedelta:
        text = self._tree.get(self._full(key))
        return default if text is None else timespan(text)

    def _full(self, key: str) -> str:
        return f"{self._path}:{key}".lstrip(":").lower()


def _queue_options(section: _Section, environment: Mapping[str, str]) -> QueueOptions:
    encoding = section.text("messageEncoding", "base64").lower()
    if encoding not in ("none", "base64"):
        raise ConfigError(f"messageEncoding in host.json is {encoding!r}; allowed: none, base64.")
    interval = section.duration("maxPollingInterval", timedelta(minutes=1))
    if interval < _SHORTEST_POLL:
        raise ConfigError("maxPollingInterval in host.json is below 100 ms.")
    batch_size = section.number("batchSize", 16, _BATCH_SIZES)
    threshold = batch_size // 2 * (os.cpu_count() or 1)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=section.number("newBatchThreshold", threshold, range(10**6)),
        max_dequeue_count=section.number("maxDequeueCount", 5, range(1, 10**6)),
        visibility_timeout=section.duration("visibilityTimeout", timedelta(0)),
        max_polling_interval=interval,
        message_encoding="none" if encoding == "none" else "base64",
        lease=_lease(environment.get(LEASE_SETTING)),
    )


def _lease(text: str | None) -> timedelta:
    if text is None:
        return _LEASE
    if not text.isdecimal() or int(text) not in _LEASES:
        raise ConfigError(f"{LEASE_SETTING} is {text!r}; allowed: whole seconds, {_LEASES[0]} to {_LEASES[-1]}.")
    return timedelta(seconds=int(text))


def _timeout(text: str) -> timedelta | None:
    return None if text in _UNBOUNDED else timespan(text)


def _file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: is this a function app?") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("version") != "2.0":
        raise ConfigError(f'{path} must be an object with "version": "2.0".')
    return content


def _overridden(content: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    tree = dict(_flat(content, ""))
    for name, value in environment.items():
        if name.lower().startswith(OVERRIDE_PREFIX.lower()):
            tree[name[len(OVERRIDE_PREFIX) :].replace("__", ":").lower()] = value
    return tree


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, child in value.items() for pair in _flat(child, f"{path}:{key}".lstrip(":"))]
    return [(path.lower(), value if isinstance(value, str) else json.dumps(value))]
