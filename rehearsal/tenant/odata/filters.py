"""Compile a `$filter` into a predicate, for the part of OData that the directory supports.

Supported: eq, ne, ge, le, in, and, or, not, startsWith, endsWith, any-lambdas, `/$count eq 0`, parentheses, null. The
tables in `schema` list which operators each property supports, and which of them need an advanced query. Everything
else is refused with Graph's own error texts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.tenant.directory.schema import COLLECTION, COMPLEX_TYPES, ResourceType
from rehearsal.tenant.protocol import errors

Predicate = Callable[[Mapping[str, Any]], bool]
Getter = Callable[[Mapping[str, Any]], Any]

MAX_OR_CLAUSES = 15
"""From Graph's error: 'Too many child clauses specified in search filter expression containing 'OR' operators: 18. Max
allowed: 15.'"""

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?(?![0-9A-Za-z-]))"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<number>-?\d+)"
    r"|(?P<word>\$?[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<mark>[(),/:]))"
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, literal: bool(value == literal),
    "ne": lambda value, literal: bool(value != literal),
    "ge": lambda value, literal: value is not None and bool(value >= literal),
    "le": lambda value, literal: value is not None and bool(value <= literal),
    "startswith": lambda value, literal: value is not None and str(value).startswith(literal),
    "endswith": lambda value, literal: value is not None and str(value).endswith(literal),
}
_SPELLING = {"startswith": "startsWith", "endswith": "endsWith"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter. `advanced` is the first operator that needs an advanced query (None: no operator does)."""

    matches: Predicate
    advanced: str | None


def compile_filter(text: str, resource: ResourceType, exact: Callable[[str], bool] = lambda _: False) -> Filter:
    """Compile a `$filter` on a resource type. Raises `GraphError` with Graph's text for what it does not support.

    `exact` tells whether the comparison of a property is case-sensitive.
    """
    parser = _Parser(_tokens(text), resource, exact)
    matches = parser.alternatives()
    if parser.position != len(parser.tokens):
        raise errors.invalid_filter(f"unexpected '{parser.tokens[parser.position][1]}' in '{text}'.")
    return Filter(matches, parser.advanced)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise errors.invalid_filter(
                f"there is an unterminated literal or a bad character at {position} in '{text}'."
            )
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


@dataclass(slots=True)
class _Parser:
    tokens: list[tuple[str, str]]
    resource: ResourceType
    exact: Callable[[str], bool]
    position: int = 0
    advanced: str | None = None
    negations: int = 0
    variables: dict[str, str] = field(default_factory=dict)

    def alternatives(self) -> Predicate:
        """Parse one or more terms joined by `or`."""
        terms = [self._conjunction()]
        while self._accept("or"):
            terms.append(self._conjunction())
        if len(terms) > MAX_OR_CLAUSES:
            raise errors.unsupported_query(
                "Too many child clauses specified in search filter expression containing 'OR' operators: "
                f"{len(terms)}. Max allowed: {MAX_OR_CLAUSES}."
            )
        return terms[0] if len(terms) == 1 else lambda thing: any(term(thing) for term in terms)

    def _conjunction(self) -> Predicate:
        factors = [self._factor()]
        while self._accept("and"):
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else lambda thing: all(factor(thing) for factor in factors)

    def _factor(self) -> Predicate:
        if self._accept("not"):
            self.negations += 1
            inner = self._factor()
            self.negations -= 1
            return lambda thing: not inner(thing)
        if self._accept("("):
            inner = self.alternatives()
            self._expect(")")
            return inner
        kind, word = self._next()
        if kind != "word":
            raise errors.invalid_filter(f"a property or function was expected, not '{word}'.")
        if word.lower() in _SPELLING:
            self._expect("(")
            path = self._path(self._next()[1])
            self._expect(",")
            comparison = self._comparison(path, word.lower(), self._literal())
            self._expect(")")
            return comparison
        return self._clause(self._path(word))

    def _clause(self, path: list[str]) -> Predicate:
        if path[-1].lower() == "any":
            return self._lambda(path)
        operator = self._next()[1].lower()
        if path[-1] == "$count":
            return self._count(path, operator)
        if operator == "in":
            self._expect("(")
            literals = [self._literal()]
            while self._accept(","):
                literals.append(self._literal())
            self._expect(")")
            options = [self._comparison(path, "in", literal) for literal in literals]
            return lambda thing: any(option(thing) for option in options)
        if operator not in ("eq", "ne", "ge", "le"):
            raise errors.invalid_filter(f"unknown operator '{operator}'.")
        return self._comparison(path, operator, self._literal())

    def _lambda(self, path: list[str]) -> Predicate:
        name = self._property(path[0])
        self._expect("(")
        variable = self._next()[1]
        self._expect(":")
        self.variables[variable] = name
        inner = self.alternatives()
        del self.variables[variable]
        self._expect(")")
        return lambda thing: any(inner({variable: element}) for element in thing[name])

    def _count(self, path: list[str], operator: str) -> Predicate:
        name = self._property(path[0])
        self._require(name, "count", self.resource)
        literal = self._literal()
        if operator not in ("eq", "ne") or literal != 0:
            raise errors.unsupported_filter(name, self.resource.name)
        return lambda thing: (not thing[name]) == (operator == "eq")

    def _comparison(self, path: list[str], operator: str, literal: Any) -> Predicate:
        owner = self.variables.get(path[0]) or self._property(path[0])
        if path[0] not in self.variables and self.resource.properties[owner].endswith(COLLECTION):
            raise errors.unsupported_filter(owner, self.resource.name)
        if literal == "":
            raise errors.unsupported_filter(owner, self.resource.name)
        self._require(owner, "null" if literal is None else operator, self.resource)
        if operator in ("ne", "endswith"):
            self._needs_advanced(operator)
        if self.negations:
            self._require(owner, "not", self.resource)
        get, compare = self._getter(path, owner), _COMPARISONS["eq" if operator == "in" else operator]
        normal = self._normalizer(owner)
        wanted = normal(literal)
        return lambda thing: compare(normal(get(thing)), wanted)

    def _normalizer(self, owner: str) -> Callable[[Any], Any]:
        if self.resource.properties[owner] == "dateTime":
            return _moment
        return (lambda value: value) if self.exact(owner) else _without_case

    def _getter(self, path: list[str], owner: str) -> Getter:
        members = COMPLEX_TYPES.get(self.resource.properties[owner].removesuffix(COLLECTION), frozenset())
        for member in path[1:]:
            if member not in members:
                raise errors.unknown_property(member, self.resource.name)

        def get(thing: Mapping[str, Any]) -> Any:
            value: Any = thing[path[0]]
            for member in path[1:]:
                value = value.get(member)
            return value

        return get

    def _require(self, name: str, operator: str, resource: ResourceType) -> None:
        support = resource.filters.get(name, "")
        found = re.search(rf"\b{operator}(?P<level>[DA])\b", support)
        if found is None:
            raise errors.unsupported_filter(name, resource.name)
        if found["level"] == "A":
            self._needs_advanced(operator)

    def _needs_advanced(self, operator: str) -> None:
        self.advanced = self.advanced or _SPELLING.get(operator, operator)

    def _property(self, name: str) -> str:
        if name not in self.resource.properties:
            raise errors.unknown_property(name, self.resource.name)
        return name

    def _path(self, first: str) -> list[str]:
        path = [first]
        while self._accept("/"):
            path.append(self._next()[1])
        return path

    def _literal(self) -> Any:
        kind, raw = self._next()
        if kind == "text":
            return raw[1:-1].replace("''", "'")
        if kind == "number":
            return int(raw)
        if kind in ("guid", "moment"):
            return raw
        named = {"true": True, "false": False, "null": None}
        if raw not in named:
            raise errors.invalid_filter(f"a literal was expected, not '{raw}'.")
        return named[raw]

    def _next(self) -> tuple[str, str]:
        if self.position == len(self.tokens):
            raise errors.invalid_filter("it ends too early.")
        self.position += 1
        return self.tokens[self.position - 1]

    def _accept(self, word: str) -> bool:
        here = self.tokens[self.position] if self.position < len(self.tokens) else ("", "")
        if here[0] in ("word", "mark") and here[1].lower() == word:
            self.position += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise errors.invalid_filter(f"'{mark}' was expected.")


def _without_case(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise errors.invalid_filter(f"'{value}' is no date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
