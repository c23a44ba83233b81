"""A sweep: the grid of `sweep_values` times explicit seeds, every point checked before the first job starts."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiment_utils.search_space import SearchValue
from lifelong_rl.config import ConfigError, from_dict, to_dict
from lifelong_rl.config_paths import path_keys, plain_copy, set_path

Setting = tuple[str, Any]  # a dotted path and its value, as `--set` gives them


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run to be: its resolved variant (all defaults filled in, seed included) and what was swept to get there."""

    variant: dict[str, Any]
    swept: dict[str, Any]

    @property
    def seed(self) -> int:
        return int(self.variant["seed"])


def expand(
    config_class: type, variant: Mapping[str, Any], *, sweep_values: Mapping[str, Sequence[Any]], seeds: Sequence[int],
    settings: Sequence[Setting] = (),
) -> list[Point]:  # fmt: skip
    """All points, seeds innermost. A setting goes before the swept values, unless it is about a part of one."""
    check_sweep(sweep_values, seeds)
    base = plain_copy(variant)
    for path, value in settings:
        set_path(base, path, plain_copy(value))
    inner = [setting for setting in settings if any(_is_inside(setting[0], path) for path in sweep_values)]

    points, seen = [], set()
    for values in itertools.product(*sweep_values.values()):
        swept = dict(zip(sweep_values, values, strict=True))
        candidate = plain_copy(base)
        for path, value in [*swept.items(), *inner]:
            set_path(candidate, path, plain_copy(value))
        resolved = to_dict(from_dict(config_class, candidate))
        text = json.dumps(resolved | {"seed": 0}, sort_keys=True)
        if text in seen:
            raise ConfigError(f"sweep_values: {swept!r} is the same run as a point before it.")
        seen.add(text)
        points += [Point(variant=resolved | {"seed": seed}, swept=swept) for seed in seeds]
    return points


def check_sweep(sweep_values: Mapping[str, Any], seeds: Sequence[int]) -> None:
    """Complains of values that are no list, or an empty one, and of a seed that stands twice or is negative."""
    for path, values in sweep_values.items():
        if isinstance(values, SearchValue):
            raise ConfigError(f"sweep_values[{path!r}]: {values} is searched, not gone through: say --search METHOD.")
        if not isinstance(values, list | tuple) or not values:
            raise ConfigError(f"sweep_values[{path!r}] must be a list of values, got {values!r}.")
    counts = Counter(seed for seed in seeds if isinstance(seed, int))
    for seed in seeds:
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise ConfigError(f"seeds must be whole numbers from 0 up, got {seed!r}.")
        if counts[seed] > 1:
            raise ConfigError(f"seeds: {seed} stands more than once.")


def slug(swept: Mapping[str, Any]) -> str:
    """A name for people, made of [A-Za-z0-9._-], at most 80 characters: `learning_rate-0.0001_energy.name-iqe`."""
    labels = short_labels(list(swept))
    parts = [f"{labels[path]}-{_word(value)}" for path, value in swept.items()]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "_".join(parts)).strip("-._")[:80].rstrip("-._")


def short_labels(paths: Sequence[str]) -> dict[str, str]:
    """The shortest end of each path that is no end of another: `agent.learning_rate` is `learning_rate`."""
    keys = {path: path_keys(path) for path in paths}
    labels = {}
    for path, own in keys.items():
        depth = 2 if own[-1] == "name" else 1
        while depth < len(own) and any(other[-depth:] == own[-depth:] for p, other in keys.items() if p != path):
            depth += 1
        labels[path] = ".".join(own[-depth:])
    return labels


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value["name"]) if "name" in value else json.dumps(value, sort_keys=True)
    return "x".join(map(_word, value)) if isinstance(value, list | tuple) else str(value)


def _is_inside(path: str, whole: str) -> bool:
    keys, outer = path_keys(path), path_keys(whole)
    return len(keys) > len(outer) and keys[: len(outer)] == outer
