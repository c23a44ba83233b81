"""What a filter says, as a tree of frozen parts that a run's values match or not. Nothing in it can be executed.

A key that a run lacks matches no comparison, `!=` included: `a != 1` asks for runs that have `a`, and another one;
`not a = 1` lets those without `a` in as well. Values of different kinds are unequal and in no order; true is not 1.
"""

import json
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = "bool | int | float | str | None | tuple[Value, ...]"

RESERVED = frozenset({"and", "or", "not", "in", "contains", "exists", "missing"})
WORD = re.compile(r"""[^\s()\[\],"'`=!<>~]+""")
NUMBER = re.compile(r"[-+]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
NAMED = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Query(ABC):
    """`str(query)` is a text that says the same."""

    @abstractmethod
    def matches(self, values: Mapping[str, Any]) -> bool:
        """Whether a run with these values is meant; keys are dotted paths."""


@dataclass(frozen=True)
class Everything(Query):
    """The empty filter."""

    def matches(self, values: Mapping[str, Any]) -> bool:
        return True

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Comparison(Query):
    """`symbol` is one of = != < <= > >=."""

    key: str
    symbol: str
    value: Value

    def matches(self, values: Mapping[str, Any]) -> bool:
        if self.key not in values:
            return False
        if self.symbol in ORDERS:
            return _is_ordered(self.symbol, values[self.key], self.value)
        return _is_equal(values[self.key], self.value) == (self.symbol == "=")

    def __str__(self) -> str:
        return f"{_key_text(self.key)} {self.symbol} {_text(self.value)}"


@dataclass(frozen=True)
class OneOf(Query):
    """`key in (a, b)`."""

    key: str
    choices: tuple[Value, ...]

    def matches(self, values: Mapping[str, Any]) -> bool:
        return self.key in values and any(_is_equal(values[self.key], choice) for choice in self.choices)

    def __str__(self) -> str:
        return f"{_key_text(self.key)} in ({', '.join(map(_text, self.choices))})"


@dataclass(frozen=True)
class Contains(Query):
    """`key ~ pattern`: a piece of a text, the whole of it where the pattern has a *, an element of a list, or equal."""

    key: str
    pattern: str

    def matches(self, values: Mapping[str, Any]) -> bool:
        value = values.get(self.key)
        if isinstance(value, str):
            return _is_like(value, self.pattern)
        elements = value if isinstance(value, list | tuple) else [value] if self.key in values else []
        meant = literal(self.pattern)
        return any(_is_equal(element, self.pattern) or _is_equal(element, meant) for element in elements)

    def __str__(self) -> str:
        return f"{_key_text(self.key)} ~ {_text(self.pattern)}"


@dataclass(frozen=True)
class Exists(Query):
    """`key exists`; a key whose value is null does."""

    key: str

    def matches(self, values: Mapping[str, Any]) -> bool:
        return self.key in values

    def __str__(self) -> str:
        return f"{_key_text(self.key)} exists"


@dataclass(frozen=True)
class Not(Query):
    """What the part does not match."""

    part: Query

    def matches(self, values: Mapping[str, Any]) -> bool:
        return not self.part.matches(values)

    def __str__(self) -> str:
        return f"not {_inside(self.part)}"


@dataclass(frozen=True)
class All(Query):
    """`... and ...`."""

    parts: tuple[Query, ...]

    def matches(self, values: Mapping[str, Any]) -> bool:
        return all(part.matches(values) for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(map(_inside, self.parts))


@dataclass(frozen=True)
class AnyOf(Query):
    """`... or ...`."""

    parts: tuple[Query, ...]

    def matches(self, values: Mapping[str, Any]) -> bool:
        return any(part.matches(values) for part in self.parts)

    def __str__(self) -> str:
        return " or ".join(map(_inside, self.parts))


def literal(word: str) -> Value:
    """What a bare word stands for: a number, true, false, null, or itself."""
    match = NUMBER.fullmatch(word)
    if match is None:
        return NAMED.get(word, word)
    return float(word) if any(match.groups()) else int(word)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _is_ordered(symbol: str, one: Any, other: Any) -> bool:
    are_texts = isinstance(one, str) and isinstance(other, str)
    return (are_texts or (_is_number(one) and _is_number(other))) and ORDERS[symbol](one, other)


def _is_like(text: str, pattern: str) -> bool:
    """Whether the pattern occurs in the text; with a *, which stands for anything, whether it is all of the text."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern in text
    *middle, last = rest
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def _inside(part: Query) -> str:
    return f"({part})" if isinstance(part, All | AnyOf) else str(part)


def _is_plain(text: str) -> bool:
    return WORD.fullmatch(text) is not None and text.lower() not in RESERVED


def _key_text(key: str) -> str:
    return key if _is_plain(key) else json.dumps(key, ensure_ascii=False)


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, str) and _is_plain(value) and literal(value) is value:
        return value
    return json.dumps(value, ensure_ascii=False)
