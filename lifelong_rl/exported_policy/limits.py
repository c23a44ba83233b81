"""Bounds on what a description of networks may ask for: a file from elsewhere must not fill memory or run for hours."""

from typing import Any

from lifelong_rl.config import ConfigError

MAX_LIST = 64  # layers of a network
MAX_NUMBER = 1 << 22  # of a size, and of the numbers in one observation, goal or action
MAX_TEXT = 500  # characters of a complaint
LIMITS = {  # by key
    "layers": 64, "num_critics": 64, "num_candidates": 1 << 16, "num_samples": 1 << 16, "horizon": 1 << 10,
    "iterations": 1 << 10,
}  # fmt: skip


def check_limits(value: Any, place: str, limit: int = MAX_NUMBER) -> None:
    """A ConfigError where a list in a tree of JSON is longer, or a number larger, than any real one."""
    if isinstance(value, dict):
        for key, item in value.items():
            named = key if key.isidentifier() else repr(key)
            check_limits(item, f"{place}.{named:.40}", LIMITS.get(key, MAX_NUMBER))
    elif isinstance(value, list):
        if len(value) > MAX_LIST:
            raise ConfigError(f"{place}: has {len(value)} entries; at most {MAX_LIST} are read.")
        for index, item in enumerate(value):
            check_limits(item, f"{place}[{index}]", limit)
    elif isinstance(value, int | float) and not -limit <= value <= limit:
        raise ConfigError(f"{place}: {value:.3g} is out of bounds; at most {limit} is read.")


def short_line(error: Exception) -> str:
    """Its text as one line of bearable length, whatever values it quotes."""
    text = " ".join(str(error).split())
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def check_positive(name: str, sizes: Any) -> None:
    """A ConfigError unless all of `sizes` are at least 1."""
    if min(sizes, default=1) < 1:
        raise ConfigError(f"{name} must be at least 1 each, got {list(sizes)}.")
