"""Turn the text of a setting into its value. Each reader raises ValueError, which says what it expected."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from b2b.domain.eligibility.judge import PINNED, RULE_IDS
from b2b.domain.findings import Severity
from b2b.domain.request.ids import GUID
from b2b.domain.request.redirect import redirect_problem


@dataclass(frozen=True)
class Choice:
    """Reads one of the values of an enumeration."""

    kind: type[StrEnum]

    def __call__(self, text: str) -> StrEnum:
        """Return the value in a text."""
        try:
            return self.kind(text)
        except ValueError:
            raise ValueError(f"expected one of {', '.join(self.kind)}, got '{text}'") from None


def boolean(text: str) -> bool:
    """Return the truth value of `true`, `false`, `1` or `0`, in any case."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"expected true or false, got '{text}'")
    return known[text.lower()]


@dataclass(frozen=True)
class Seconds:
    """Reads a number of seconds between two bounds."""

    least: int
    most: int

    def __call__(self, text: str) -> float:
        """Return the seconds in a text."""
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"expected a number of seconds, got '{text}'") from None
        if not self.least <= value <= self.most:
            raise ValueError(f"expected {self.least:g} to {self.most:g} seconds, got {text}")
        return value


@dataclass(frozen=True)
class Days:
    """Reads a whole number of days between two bounds, or 0, which stands for never."""

    least: int
    most: int

    def __call__(self, text: str) -> int:
        """Return the days in a text."""
        value = int(text) if text.isascii() and text.isdigit() else -1
        if value and not self.least <= value <= self.most:
            raise ValueError(f"expected 0, or {self.least} to {self.most} days, got '{text}'")
        return value


@dataclass(frozen=True)
class Count:
    """Reads a whole number between two bounds."""

    least: int
    most: int

    def __call__(self, text: str) -> int:
        """Return the number in a text."""
        if not text.isascii() or not text.isdecimal() or not self.least <= int(text) <= self.most:
            raise ValueError(f"expected a whole number from {self.least} to {self.most}, got '{text}'")
        return int(text)


def share(text: str) -> float:
    """Return the share in a text: above 0, up to 1."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"expected a share such as 0.5, got '{text}'") from None
    if not 0 < value <= 1:
        raise ValueError(f"expected a share above 0 and up to 1, got {text}")
    return value


def guid(text: str) -> str:
    """Return an object id or client id in lower case; empty for an empty text."""
    if text and not GUID.fullmatch(text):
        raise ValueError(f"expected an object id (GUID), got '{text}'")
    return text.lower()


def optional_guid(text: str) -> str | None:
    """Return an object id in lower case; None for an empty text."""
    return guid(text) or None


CLOUDS = (
    "https://graph.microsoft.com/v1.0",
    "https://graph.microsoft.us/v1.0",
    "https://dod-graph.microsoft.us/v1.0",
    "https://microsoftgraph.chinacloudapi.cn/v1.0",
)
"""Graph of the global cloud, US Government L4, US Government L5 (DoD) and China
(https://learn.microsoft.com/graph/deployments). The templates accept only these clouds; the app also accepts a double
of Graph on a loopback address."""


def graph_url(text: str) -> str:
    """Return the root address of Graph v1.0. Plain http, which shows the token, is accepted for loopback only."""
    parts = urlsplit(text)
    if not parts.hostname or parts.username or parts.query or not parts.path.endswith("/v1.0"):
        raise ValueError(f"expected https://<host>/v1.0, got '{text}'")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(parts.hostname)):
        raise ValueError(f"expected https (plain http is for loopback only), got '{text}'")
    return text


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirect(text: str) -> str:
    """Return an absolute http or https address."""
    if problem := redirect_problem(text):
        raise ValueError(f"{problem}, got '{text}'")
    return text


def connection_string(text: str) -> str:
    """Return a storage connection string. No error repeats any of it, because it contains a key."""
    if text[:1] in "\"'" or text[-1:] in "\"'":
        raise ValueError("expected a storage connection string without quotation marks around it")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    local = parts.get("UseDevelopmentStorage", "").lower() == "true"
    with_key = {"AccountName", "AccountKey"} <= {name for name, value in parts.items() if value}
    if not (local or with_key) or not all(parts.values()):
        raise ValueError("expected a storage connection string with AccountName and AccountKey")
    with suppress(binascii.Error):
        base64.b64decode(parts.get("AccountKey", ""), validate=True)
        return text
    raise ValueError("expected AccountKey in base64")


def hosts(text: str) -> frozenset[str]:
    """Return host names, separated by commas in the text, in lower case."""
    found = frozenset(host.strip().lower() for host in text.split(",") if host.strip())
    wrong = sorted(host for host in found if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host))
    if wrong or not found:
        raise ValueError(f"expected host names separated by commas, got '{text}'")
    return found


def domains(text: str) -> frozenset[str]:
    """Return domain names, separated by commas in the text, in lower case. An empty text names none."""
    return hosts(text) if text.strip() else frozenset()


def base_url(text: str) -> str:
    """Return an https address without query, perhaps with a gateway's path; empty for an empty text."""
    if not text:
        return ""
    parts = urlsplit(text)
    if redirect_problem(text) or parts.scheme != "https" or parts.query or parts.fragment:
        raise ValueError(f"expected https://<host>, with a path if there is one and no query, got '{text}'")
    return text.rstrip("/")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the names and values of a JSON object, in which no name may appear twice.

    Raises:
        KeyError: a name appears twice. The error carries that name.

    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise KeyError(name)
        found[name] = value
    return found


def overrides(text: str) -> Mapping[str, Severity]:
    """Return severities by rule id, from a JSON object.

    Some rules block because there would be nothing to invite. Their severity can only be `block` or `fix`.
    """
    try:
        document = json.loads(text or "{}", object_pairs_hook=_each_once)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is given twice") from None
    except ValueError:
        raise ValueError("expected a JSON object of rule id to severity") from None
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object of rule id to severity")  # noqa: TRY004  one error type for all readers
    for rule, severity in document.items():
        if rule not in RULE_IDS:
            raise ValueError(f"no rule is called '{rule}'")
        if not isinstance(severity, str) or severity not in set(Severity):
            raise ValueError(f"{rule}: expected one of {', '.join(Severity)}, got {json.dumps(severity)}")
        if rule in PINNED and severity not in {Severity.BLOCK, Severity.FIX}:
            raise ValueError(f"{rule} cannot be softened: there would be nothing to invite")
    return {rule: Severity(severity) for rule, severity in document.items()}


_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
"""The fields of an NCRONTAB schedule, from seconds to weekdays: lowest number, highest number, names of the numbers."""
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:/([+-]?[0-9]{1,9}))?", re.ASCII | re.IGNORECASE)


def schedule(text: str) -> str:
    """Return a schedule of six NCRONTAB fields. The host ignores a function with a wrong schedule and says nothing.

    Two kinds of schedule that the host accepts are refused too: a range whose end is before its beginning, which the
    host reverses, and a date that never comes.
    """
    fields = [field for field in text.split(" ") if field]
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected six NCRONTAB fields such as '0 */10 * * * *', got '{text}'")
    *_, days, months, _ = (_scheduled(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True))
    if min(days) > max(_LAST_DAYS[month - 1] for month in months):
        raise ValueError(f"'{text}' never comes: no such month has that day")
    return text


def _scheduled(field: str, least: int, most: int, names: tuple[str, ...]) -> set[int]:
    """Return the numbers that one field of a schedule stands for."""
    numbers: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not part of an NCRONTAB field such as '*/10', '9-17' or 'MON'")
        ends = [least, most] if match[1] == "*" else [_named(end, least, names) for end in match[1].split("-")]
        if match[2] and len(ends) == 1:
            ends.append(most)
        if not least <= ends[0] <= ends[-1] <= most:
            raise ValueError(f"expected {least} to {most} in this field of a schedule, the least first, got '{part}'")
        numbers.update(range(ends[0], ends[-1] + 1, max(1, int(match[2] or 1))))
    return numbers


def _named(text: str, least: int, names: tuple[str, ...]) -> int:
    """Return the number in a text, or the number of the first name that starts with the text; -1 if there is none."""
    if text.isdecimal():
        return int(text)
    return next((number for number, name in enumerate(names, least) if name.startswith(text.lower())), -1)
