"""Filters of Table Storage: `Name op value` with eq ne gt ge lt le, joined by and, or, not and parentheses.

A text is parsed once, and its parameters are filled in for each query. Conditions on the two keys become a span, so
that a table scans only those rows.
"""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from azure.data.tables import EntityProperty

from tests.simulation.storage_errors import Refusal
from tests.simulation.table_rows import Row, moment, plain

Test = Callable[[Row], bool]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_KINDS: tuple[tuple[type, ...], ...] = ((str,), (bool,), (int, float), (datetime,), (UUID,), (bytes,))
"""The kinds of value. A value of another kind is not equal; a missing value matches nothing."""
_TOKEN = re.compile(
    r"\s*(?:(?P<slot>\x00\d+\x00)|(?P<quoted>(?P<type>datetime|guid|binary|X)?'(?P<text>(?:[^']|'')*)')"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?L?)(?![\w.])|(?P<word>[^\W\d]\w*)|(?P<mark>[()]))"
)
_LITERALS: Mapping[str | None, Callable[[str], Any]] = {
    None: lambda text: text,
    "datetime": lambda text: moment(datetime.fromisoformat(text)),
    "guid": UUID,
    "binary": bytes.fromhex,
    "X": bytes.fromhex,
}
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of keys."""

    low: str = ""
    after_low: bool = False
    high: str | None = None
    up_to_high: bool = True

    def of(self, keys: Sequence[str]) -> tuple[int, int]:
        """Return the begin and end index of the span in sorted keys."""
        first = (bisect_right if self.after_low else bisect_left)(keys, self.low)
        if self.high is None:
            return first, len(keys)
        return first, (bisect_right if self.up_to_high else bisect_left)(keys, self.high)

    @property
    def single(self) -> str | None:
        """The only key in the span, if the query names one; otherwise None."""
        return self.low if self.low == self.high and not self.after_low and self.up_to_high else None


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter with its parameters: the spans of both keys, and a test of a row."""

    partitions: Span = Span()
    rows: Span = Span()
    test: Test | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    number: int


@dataclass(frozen=True, slots=True)
class _Comparison:
    name: str
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class _Junction:
    word: str
    parts: tuple[Any, ...]


def query(text: str, parameters: Mapping[str, Any] | None) -> Query:
    """Parse a filter in which names that begin with `@` are parameters.

    Raises:
        Refusal: storage cannot parse the text.
        KeyError: a parameter is missing (as in the SDK; AttributeError if it has no methods for the value).
        IndexError: a text with parameters contains two spaces in a row (as in the SDK).
    """
    if not parameters:
        return _bound(_parsed(text), ())
    template, names = _template(text)
    values = [_value(parameters[name]) for name in names]
    return _bound(_parsed(template), values)


@lru_cache(maxsize=512)
def _template(text: str) -> tuple[str, tuple[str, ...]]:
    words, names = text.split(" "), list[str]()
    for index, word in enumerate(words):
        if word[0] == "@":
            words[index] = f"\0{len(names)}\0"
            names.append(word[1:])
    return " ".join(words), tuple(names)


def _value(value: Any) -> Any:
    """Return a parameter's value as storage reads it from the text that the SDK makes."""
    if isinstance(value, (bool, int, float, UUID, bytes)):
        return value
    return moment(value) if isinstance(value, datetime) else plain(value.replace("", ""))


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    return _Parser(text).whole() if text.strip() else _Junction("and", ())


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[re.Match[str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            token = _TOKEN.match(text, position)
            if token is None:
                raise _unreadable()
            self._tokens.append(token)
            position = token.end()

    def whole(self) -> Any:
        found = self._junction("or")
        if self._tokens:
            raise _unreadable()
        return found

    def _junction(self, word: str) -> Any:
        part = self._conjunction if word == "or" else self._term
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else _Junction(word, tuple(parts))

    def _conjunction(self) -> Any:
        return self._junction("and")

    def _term(self) -> Any:
        if self._take("not"):
            return _Junction("not", (self._term(),))
        if self._take("("):
            found = self._junction("or")
            if not self._take(")"):
                raise _unreadable()
            return found
        name, compared, operand = self._next()["word"], self._next()["word"], self._operand()
        if name is None or compared not in _OPERATORS:
            raise _unreadable()
        return _Comparison(name, compared, operand)

    def _operand(self) -> Any:
        token = self._next()
        if token["slot"]:
            return _Slot(int(token["slot"].strip("\0")))
        if token["number"]:
            digits = token["number"]
            return float(digits) if re.search(r"[.eE]", digits) else int(digits.removesuffix("L"))
        if token["quoted"] and "\0" not in token["quoted"]:
            try:
                return _LITERALS[token["type"]](token["text"].replace("''", "'"))
            except ValueError as error:
                raise _unreadable() from error
        if token["word"] in _WORDS:
            return _WORDS[token["word"]]
        raise _unreadable()

    def _take(self, text: str) -> bool:
        if self._tokens and text in (self._tokens[0]["word"], self._tokens[0]["mark"]):
            self._tokens.pop(0)
            return True
        return False

    def _next(self) -> re.Match[str]:
        if not self._tokens:
            raise _unreadable()
        return self._tokens.pop(0)


def _unreadable() -> Refusal:
    return Refusal(400, "InvalidInput", "The query condition specified in the request is invalid.")


def _bound(node: Any, values: Sequence[Any]) -> Query:
    conjuncts = node.parts if isinstance(node, _Junction) and node.word == "and" else (node,)
    spans = {"PartitionKey": Span(), "RowKey": Span()}
    tests: list[Test] = []
    for part in conjuncts:
        if isinstance(part, _Comparison) and part.name in spans and part.operator != "ne":
            operand = _operand_of(part, values)
            if isinstance(operand, str):
                spans[part.name] = _narrowed(spans[part.name], part.operator, operand)
                continue
        tests.append(_test(part, values))
    return Query(spans["PartitionKey"], spans["RowKey"], _all(tests) if tests else None)


def _narrowed(span: Span, compared: str, key: str) -> Span:
    low, after_low, high, up_to_high = span.low, span.after_low, span.high, span.up_to_high
    if compared in ("eq", "ge", "gt") and (key, compared == "gt") > (low, after_low):
        low, after_low = key, compared == "gt"
    if compared in ("eq", "le", "lt") and (high is None or (key, compared != "lt") < (high, up_to_high)):
        high, up_to_high = key, compared != "lt"
    return Span(low, after_low, high, up_to_high)


def _operand_of(node: _Comparison, values: Sequence[Any]) -> Any:
    return values[node.operand.number] if isinstance(node.operand, _Slot) else node.operand


def _test(node: Any, values: Sequence[Any]) -> Test:
    if isinstance(node, _Comparison):
        return _comparison(node, _operand_of(node, values))
    tests = [_test(part, values) for part in node.parts]
    if node.word == "not":
        (test,) = tests
        return lambda row: not test(row)
    return _all(tests) if node.word == "and" else lambda row: any(test(row) for test in tests)


def _all(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _comparison(node: _Comparison, operand: Any) -> Test:
    name, compare = node.name, _OPERATORS[node.operator]
    kinds = next(kinds for kinds in _KINDS if isinstance(operand, kinds))
    numbers, unequal = int in kinds, node.operator == "ne"

    def test(row: Row) -> bool:
        value = row.written if name == "Timestamp" else row.values.get(name)
        if isinstance(value, EntityProperty):
            value = value.value
        if not isinstance(value, kinds) or (numbers and isinstance(value, bool)):
            return unequal and value is not None
        return compare(value, operand)

    return test
