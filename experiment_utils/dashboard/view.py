"""What a page shows, as one value; and the address that says it, so that a link is a figure."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

from experiment_utils.results.bands import Summary
from experiment_utils.results.finals import Rule

MAX_ADDRESS = 8000  # characters
TABS = ("curves", "finals", "runs", "run")
LISTS = ("y", "group", "split")
MAX_LISTED = 40  # names in one list


@dataclass(frozen=True, kw_only=True)
class View:
    """Where `x`, `y` and `group` say nothing, the runs decide: `selection.with_defaults` fills them in."""

    tab: str = "curves"
    show: str = ""  # a query; only runs that match
    hide: str = ""  # a query; runs that match are left out
    x: str = ""
    y: tuple[str, ...] | None = None
    group: tuple[str, ...] | None = None  # a line for each of their values
    split: tuple[str, ...] = ()  # a figure for each of their values
    best: str = ""  # of this key only the value with the best final
    rule: Rule = "last"  # which value of a run is its final one
    lowest: bool = False  # the lower final is the better one
    summary: Summary = "mean_se"
    seeds: bool = True  # a thin line for each run
    smooth: int = 1  # points
    low: float | None = None  # y is cut off below
    high: float | None = None
    so_far: bool = False  # each run's best value until then
    log_x: bool = False
    log_y: bool = False
    legend: str = ""  # "{agent.name} at {agent.learning_rate}" in place of the keys' own names
    lines: int = 40  # at most so many in a figure
    height: int = 330  # pixels of each y
    sort: str = ""  # a column of the table of runs, with "-" before it the highest first
    run: str = ""  # the id of the run that is looked at
    other: str = ""  # and of the one it is compared with

    def to_search(self, default: "View") -> str:
        """`?x=updates&group=agent.name`; what is as in `default` is left out. An empty list is an empty word."""
        pairs: list[tuple[str, str]] = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value == getattr(default, field.name):
                continue
            words = (value or [""]) if field.name in LISTS else [_word(value)]
            pairs += [(field.name, word) for word in words]
        return f"?{urlencode(pairs)}" if pairs else ""

    @classmethod
    def from_search(cls, search: str) -> "View":
        """What cannot be read counts as not said: an address is typed by anyone."""
        pairs = parse_qsl(search[:MAX_ADDRESS].removeprefix("?"), keep_blank_values=True)
        named: dict[str, list[str]] = {}
        for name, word in pairs:
            named.setdefault(name, []).append(word)
        return cls.of({name: words if name in LISTS else words[-1] for name, words in named.items()})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "View":
        """Of words, as an address or the page's controls give them."""
        known = {}
        for field in dataclasses.fields(cls):
            if field.name in values:
                value = _read(field.name, values[field.name])
                if value is not None:
                    known[field.name] = value
        return cls(**known)


def _read(name: str, value: Any) -> Any:
    """None where it is not what the field may be."""
    if name in LISTS:
        words = value if isinstance(value, Sequence) and not isinstance(value, str) else [value] if value else []
        return tuple(str(word) for word in words if word)[:MAX_LISTED]
    if name in ("seeds", "lowest", "log_x", "log_y", "so_far"):
        return value in (True, "1", "true")
    if name in ("smooth", "lines", "height"):
        return int(value) if str(value).isdecimal() and 1 <= int(value) <= 1000 else None
    if name in ("low", "high"):
        return _finite(value)
    choices = {"rule": get_args(Rule), "summary": get_args(Summary), "tab": TABS}.get(name)
    word = "" if value is None else str(value)
    return None if choices is not None and word not in choices else word[:1000]


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def _word(value: Any) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)
