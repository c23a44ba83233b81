"""What a search draws values from: `uniform`, `log_uniform`, `int_uniform` and `choice`, in a script or as text."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifelong_rl.config import ConfigError, did_you_mean
from lifelong_rl.config_paths import parse_value

DIGITS = 4  # of a drawn number: the run's name and the table stay readable, and what is written is what was run


@dataclass(frozen=True, repr=False)
class Uniform:
    """A number in [low, high]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self)

    def __repr__(self) -> str:
        return f"uniform({self.low}, {self.high})"

    def rounded(self, value: float) -> float:
        """To a thousandth of the range or finer."""
        decimals = DIGITS - 1 - math.floor(math.log10(self.high - self.low))
        return min(max(round(value, decimals), self.low), self.high)

    def examples(self) -> list[Any]:
        return [self.low, self.high, self.rounded(self.low + (self.high - self.low) * 0.4567)]


@dataclass(frozen=True, repr=False)
class LogUniform:
    """A positive number whose logarithm is uniform: as often between 1e-5 and 1e-4 as between 1e-4 and 1e-3."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self)
        if self.low <= 0:
            raise ConfigError(f"{self!r}: both ends must be positive.")

    def __repr__(self) -> str:
        return f"log_uniform({self.low}, {self.high})"

    def rounded(self, value: float) -> float:
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def examples(self) -> list[Any]:
        return [self.low, self.high, self.rounded(math.sqrt(self.low * self.high))]


@dataclass(frozen=True, repr=False)
class IntUniform:
    """A whole number from low to high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _check_range(self)
        if not all(float(end).is_integer() for end in (self.low, self.high)):
            raise ConfigError(f"{self!r}: both ends must be whole numbers.")
        object.__setattr__(self, "low", int(self.low))  # 1e6 is how people write a million
        object.__setattr__(self, "high", int(self.high))

    def __repr__(self) -> str:
        return f"int_uniform({self.low}, {self.high})"

    def examples(self) -> list[Any]:
        return [self.low, self.high]


@dataclass(frozen=True, repr=False)
class Choice:
    """One of several plain values. They are compared, and kept in the study, as JSON."""

    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"choice([{', '.join(self.texts)}])"

    def examples(self) -> list[Any]:
        return [json.loads(text) for text in self.texts]


SearchValue = Uniform | LogUniform | IntUniform | Choice


def uniform(low: float, high: float) -> Uniform:
    """A number in [low, high]."""
    return Uniform(low, high)


def log_uniform(low: float, high: float) -> LogUniform:
    """A positive number, every order of magnitude as likely as any other: for learning rates."""
    return LogUniform(low, high)


def int_uniform(low: int, high: int) -> IntUniform:
    """A whole number from low to high, both included."""
    return IntUniform(low, high)


def choice(options: Sequence[Any]) -> Choice:
    """One of `options`, which may be dicts and lists as well. A plain list in `sweep_values` means the same."""
    if not isinstance(options, list | tuple) or not options:
        raise ConfigError(f"choice must be given a list of values, got {options!r}.")
    try:
        texts = tuple(json.dumps(option, ensure_ascii=False, allow_nan=False) for option in options)
    except (TypeError, ValueError):
        raise ConfigError(f"choice: {list(options)!r} holds what is no plain finite value.") from None
    if len(set(texts)) < len(texts):
        raise ConfigError(f"choice: {list(options)!r} holds a value twice.")
    return Choice(texts)


KINDS = {"uniform": uniform, "log_uniform": log_uniform, "int_uniform": int_uniform}
_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)


def parse_sweep(text: str) -> Any:
    """What `--sweep PATH=TEXT` sweeps over: `log_uniform(1e-5, 1e-3)`, `choice([1, 2])`, or a list as ever."""
    match = _CALL.fullmatch(text)
    if match is None:
        return parse_value(text)
    name, inside = match.groups()
    if name != "choice" and name not in KINDS:
        names = ["choice", *KINDS]
        raise ConfigError(f"unknown distribution {name!r}.{did_you_mean(name, names)} Valid: {', '.join(names)}.")
    values = parse_value(f"[{inside}]")
    if name == "choice":
        return choice(values[0] if len(values) == 1 and isinstance(values[0], list) else values)
    if len(values) != 2:
        raise ConfigError(f"{text.strip()}: {name} takes two numbers, low and high.")
    return KINDS[name](*values)


def shown(values: Any) -> str:
    """What is swept, for people."""
    return str(values if isinstance(values, SearchValue) else list(values))


def is_search(grid: Mapping[str, Any]) -> bool:
    """Whether anything in `sweep_values` is to be searched rather than gone through."""
    return any(isinstance(value, SearchValue) for value in grid.values())


def space_of(grid: Mapping[str, Any]) -> dict[str, SearchValue]:
    """`sweep_values` as a search space: a list is a choice."""
    return {path: value if isinstance(value, SearchValue) else _choice_at(path, value) for path, value in grid.items()}


def _choice_at(path: str, options: Any) -> Choice:
    try:
        return choice(options)
    except ConfigError as error:
        raise ConfigError(f"sweep_values[{path!r}]: {error}") from None


def _check_range(value: Uniform | LogUniform | IntUniform) -> None:
    for end in (value.low, value.high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise ConfigError(f"{value!r}: both ends must be finite numbers, got {end!r}.")
    if value.low >= value.high:
        raise ConfigError(f"{value!r}: the first number must be less than the second.")
