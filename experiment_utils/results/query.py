"""A small typed language for filters of runs, read without evaluating anything.

    agent.name = qrl and (seed in (0, 1) or not agent.critic.learning_rate < 1e-3) and run ~ ant*

= (or ==) != < <= > >= in ~ (or contains) exists missing, and or not ( ), in any case. Values are numbers, true, false,
null, [lists], words, and "text" or 'text' with JSON's escapes; keys that are no plain words stand in quotes or `these`.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from experiment_utils.results.query_tree import (
    ORDERS,
    RESERVED,
    WORD,
    All,
    AnyOf,
    Comparison,
    Contains,
    Everything,
    Exists,
    Not,
    OneOf,
    Query,
    Value,
    literal,
)
from lifelong_rl.config import ConfigError, did_you_mean

RUN_KEYS = ("seed", "state", "run", "experiment")  # every run has them, whatever its variant
MOST_CHARACTERS = 1000
MOST_NESTING = 20
TOKEN = re.compile(rf"""(?P<space>\s+)|(?P<symbol>==|!=|<=|>=|[=<>~()\[\],])|(?P<word>{WORD.pattern})
    |(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)""", re.VERBOSE | re.DOTALL)  # fmt: skip
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"} | {sign: sign for sign in "\\\"'`/"}


class QueryError(ConfigError):
    """One line: where in the filter, what was expected, what stands there."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__(f"filter, column {column}: {problem}")
        self.column = column


def parse(text: str, known_keys: Iterable[str] | None = None) -> Query:
    """The filter that the text says; an empty one lets everything through. Without `known_keys`, any key is right."""
    if len(text) > MOST_CHARACTERS:
        raise QueryError(MOST_CHARACTERS + 1, f"a filter has at most {MOST_CHARACTERS} characters, got {len(text)}.")
    known = None if known_keys is None else frozenset(known_keys) | frozenset(RUN_KEYS)
    return _Parser(_tokens(text), known).whole()


@dataclass(frozen=True)
class _Token:
    kind: str  # symbol, word, one of the three quotes, or end
    text: str
    column: int

    def is_keyword(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind == "symbol" and self.text in symbols


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while position < len(text):
        match, column = TOKEN.match(text, position), position + 1
        if match is None:
            sign = text[position]
            problem = f"the quote {sign} is never closed." if sign in "\"'`" else f"did not expect {sign!r} here."
            raise QueryError(column, problem)
        position = match.end()
        if match.lastgroup == "quoted":
            tokens.append(_Token(match[0][0], _unquoted(match[0][1:-1], column), column))
        elif match.lastgroup in ("word", "symbol"):
            tokens.append(_Token(match.lastgroup, match[0], column))
    return [*tokens, _Token("end", "", len(text) + 1)]


def _unquoted(text: str, column: int) -> str:
    def meaning(match: re.Match[str]) -> str:
        sign = match[1]
        if len(sign) == 5:
            return chr(int(sign[1:], 16))
        if sign not in ESCAPES:
            raise QueryError(column + 1 + match.start(), f"unknown escape {match[0]!r}; a backslash itself is \\\\.")
        return ESCAPES[sign]

    return ESCAPE.sub(meaning, text)


class _Parser:
    """One method a rule of the grammar; each begins at the next token and ends behind what it took."""

    def __init__(self, tokens: list[_Token], known: frozenset[str] | None) -> None:
        self._tokens, self._known = tokens, known
        self._position = 0

    def whole(self) -> Query:
        if self._next.kind == "end":
            return Everything()
        query = self._either(0)
        if self._next.kind != "end":
            is_text = self._next.kind == "word" or self._next.is_symbol("=")
            self._expected("AND, OR or the end", "; text that is more than a word goes in quotes" if is_text else "")
        return query

    def _either(self, depth: int) -> Query:
        parts = [self._both(depth)]
        while self._took(self._next.is_keyword("or")):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while self._took(self._next.is_keyword("and")):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Query:
        self._check_depth(depth)
        if self._took(self._next.is_keyword("not")):
            return Not(self._one(depth + 1))
        if self._took(self._next.is_symbol("(")):
            query = self._either(depth + 1)
            if not self._took(self._next.is_symbol(")")):
                self._expected("AND, OR or ')'")
            return query
        if self._took(self._next.is_keyword("exists")):
            return Exists(self._key())
        if self._took(self._next.is_keyword("missing")):
            return Not(Exists(self._key()))
        return self._condition()

    def _condition(self) -> Query:
        key, sign = self._key(), self._next
        if self._took(sign.is_symbol("=", "==", "!=", *ORDERS)):
            return Comparison(key, "=" if sign.text == "==" else sign.text, self._value(0))
        if self._took(sign.is_symbol("~") or sign.is_keyword("contains")):
            return Contains(key, self._word("a piece of text").text)
        if self._took(sign.is_keyword("exists")):
            return Exists(key)
        if self._took(sign.is_keyword("missing")):
            return Not(Exists(key))
        if not self._took(sign.is_keyword("in")):
            self._expected(f"one of = != < <= > >= ~ in exists missing after {_shown(key)}")
        if not self._took(self._next.is_symbol("(")):
            self._expected("a list in parentheses")
        return OneOf(key, self._values(")", 0))

    def _key(self) -> str:
        token = self._next
        if not self._took(token.kind in ("word", '"', "'", "`") and not token.is_keyword(*RESERVED)):
            self._expected("a key")
        if self._known is not None and token.text not in self._known:
            ends = sorted(key for key in self._known if key.endswith(f".{token.text}"))
            hint = f" Did you mean {ends[0]!r}?" if ends else did_you_mean(token.text, self._known)
            raise QueryError(token.column, f"unknown key {_shown(token.text)}.{hint}")
        return token.text

    def _value(self, depth: int) -> Value:
        self._check_depth(depth)
        if self._took(self._next.is_symbol("[")):
            return self._values("]", depth + 1)
        token = self._word("a value")
        value = literal(token.text) if token.kind == "word" else token.text
        if isinstance(value, float) and math.isinf(value):
            raise QueryError(token.column, f"{_shown(token.text)} is too large for a number.")
        return value

    def _values(self, end: str, depth: int) -> tuple[Value, ...]:
        values: list[Value] = []
        while not self._took(self._next.is_symbol(end)):
            values.append(self._value(depth))
            if not self._took(self._next.is_symbol(",")) and not self._next.is_symbol(end):
                self._expected(f"',' or {end!r}")
        return tuple(values)

    def _word(self, what: str) -> _Token:
        token = self._next
        quoted = "; in quotes it is text" if token.is_keyword(*RESERVED) else ""
        if not self._took(token.kind in ("word", '"', "'") and not quoted):
            self._expected(what, quoted)
        return token

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _took(self, is_right: bool) -> bool:
        """Steps over the next token if it is the right one."""
        self._position += is_right
        return is_right

    def _check_depth(self, depth: int) -> None:
        if depth > MOST_NESTING:
            raise QueryError(self._next.column, f"nested more than {MOST_NESTING} deep.")

    def _expected(self, what: str, hint: str = "") -> NoReturn:
        got = "the end" if self._next.kind == "end" else _shown(self._next.text)
        raise QueryError(self._next.column, f"expected {what}, got {got}{hint}.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
