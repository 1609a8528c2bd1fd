"""Match requests to HTTP functions by their route templates.

A template has literals, `{name}`, `{name?}`, `{name=default}`, `{*rest}` and constraints. As in ASP.NET Core's routing
under the Functions host, functions are tried in the order of their names, and the first match wins, not the most
specific one. The method is a constraint like any other, so a request with another method does not match.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rehearsal.host.config import ConfigError
from rehearsal.host.worker import Function

Check = Callable[[str], bool]

_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^:{}?=]+)*)(?P<tail>\?|=[^{}]*)?\}")
_CONSTRAINT = re.compile(r"(\w+)(?:\((.*)\))?")
# A catch-all matches everything but an empty first segment: ASP.NET refuses `//` before it tries the catch-all.
_REST = "((?!/).*)"
_RESERVED = ("admin", "runtime")


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function, and how to recognize its requests."""

    function: Function
    methods: frozenset[str]
    """The methods of the function; empty: every method."""
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    checks: tuple[tuple[str, Check], ...]
    defaults: Mapping[str, str]

    @property
    def level(self) -> str:
        """The authorization level of the trigger: ANONYMOUS, FUNCTION or ADMIN."""
        return str(self.function.trigger.get("authLevel") or "function")

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the route parameters if the request is for this function, else None. `path` is decoded."""
        found = self.pattern.fullmatch(path)
        if found is None or (self.methods and method not in self.methods):
            return None
        values = {name: value for name, value in zip(self.names, found.groups(), strict=True) if value}
        if not all(check(values[name]) for name, check in self.checks if name in values):
            return None
        return {**self.defaults, **values}


def route(function: Function, prefix: str) -> Route:
    """Read the route of an HTTP trigger. Raises `ConfigError` if this host or the real one refuses it."""
    trigger = function.trigger
    template = str(trigger.get("route") or function.name).strip("/")
    if template.split("/")[0].lower() in _RESERVED:
        raise ConfigError(f"the route '{template}' begins with a reserved word")
    names: list[str] = []
    checks: list[tuple[str, Check]] = []
    defaults: dict[str, str] = {}
    pattern = "".join(_literal(part) for part in prefix.split("/") if part)
    for segment in template.split("/"):
        pattern += _segment(segment, names, checks, defaults)
    methods = frozenset(method.upper() for method in trigger.get("methods") or ())
    return Route(
        function, methods, re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL), tuple(names), tuple(checks), defaults
    )


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the first route that matches and its parameters, or None."""
    for candidate in routes:
        values = candidate.match(method, path)
        if values is not None:
            return candidate, values
    return None


def _literal(text: str) -> str:
    return "/" + re.escape(text)


def _segment(segment: str, names: list[str], checks: list[tuple[str, Check]], defaults: dict[str, str]) -> str:
    pattern, position = "/", 0
    whole = None
    for found in _PARAMETER.finditer(segment):
        name, tail = found["name"], found["tail"] or ""
        names.append(name)
        checks += [(name, _check(text)) for text in found["constraints"].split(":")[1:]]
        if tail.startswith("="):
            defaults[name] = tail[1:]
        pattern += re.escape(segment[position : found.start()]) + (_REST if found["rest"] else "([^/]+)")
        position = found.end()
        whole = found if found.span() == (0, len(segment)) else None
    pattern += re.escape(segment[position:])
    if "{" in segment[position:]:
        raise ConfigError(f"the route segment '{segment}' is not understood")
    return f"(?:{pattern})?" if whole and (whole["rest"] or whole["tail"]) else pattern


def _parses(read: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            read(value)
        except ValueError:
            return False
        return True

    return check


def _integer(bits: int) -> Check:
    limit = 2 ** (bits - 1)
    return lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and -limit <= int(value) < limit


def _at_least(least: float, measure: Callable[[str], float] = float) -> Check:
    return lambda value: _parses(measure)(value) and measure(value) >= least


def _at_most(most: float, measure: Callable[[str], float] = float) -> Check:
    return lambda value: _parses(measure)(value) and measure(value) <= most


def _both(first: Check, second: Check) -> Check:
    return lambda value: first(value) and second(value)


_CONSTRAINTS: Mapping[str, Callable[..., Check]] = {
    "int": lambda: _integer(32),
    "long": lambda: _integer(64),
    "guid": lambda: _parses(UUID),
    "alpha": lambda: lambda value: bool(re.fullmatch("[A-Za-z]*", value)),
    "bool": lambda: lambda value: value.lower() in ("true", "false"),
    "datetime": lambda: _parses(datetime.fromisoformat),
    "decimal": lambda: _parses(float),
    "double": lambda: _parses(float),
    "float": lambda: _parses(float),
    "min": lambda least: _at_least(int(least), int),
    "max": lambda most: _at_most(int(most), int),
    "range": lambda least, most: _both(_at_least(int(least), int), _at_most(int(most), int)),
    "minlength": lambda least: _at_least(int(least), len),
    "maxlength": lambda most: _at_most(int(most), len),
    "length": lambda least, most=None: _both(_at_least(int(least), len), _at_most(int(most or least), len)),
    "required": lambda: bool,
}


def _check(text: str) -> Check:
    found = _CONSTRAINT.fullmatch(text)
    if found and found[1] == "regex":
        return lambda value: re.search(found[2], value, re.IGNORECASE) is not None
    if found is None or found[1] not in _CONSTRAINTS:
        raise ConfigError(f"the route constraint '{text}' is not known")
    arguments = [part.strip() for part in found[2].split(",")] if found[2] else []
    try:
        return _CONSTRAINTS[found[1]](*arguments)
    except (TypeError, ValueError):
        raise ConfigError(f"the route constraint '{text}' has wrong arguments") from None
