"""What was swept, and runs put together by it: values that differ between runs, groups of equal ones, their names."""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from experiment_utils.results.runs import Run
from experiment_utils.sweep import short_labels
from lifelong_rl.config import ConfigError, did_you_mean

ABSENT = "absent"  # how a value is called that a run's variant does not have
OWN_KEYS = ("experiment", "run", "seed", "state")  # of `Run.values`, besides the variant's paths
NEVER_SWEPT = {"seed", "run", "state", "log_dir", "exp_id", "exp_name", "log_to_wandb", "log_to_tensorboard", "device"}

Groups = dict[str, list[Run]]


def all_keys(runs: Sequence[Run]) -> list[str]:
    """Every key of any run's values, in order of first appearance."""
    return list(dict.fromkeys(itertools.chain(*(run.values for run in runs))))


def swept_keys(runs: Sequence[Run]) -> list[str]:
    """Keys with more than one value among the runs: the experiment first, then as in the variants, without seeds."""
    seen: dict[str, set[Any]] = {}
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.values.keys())
        for key, value in run.values.items():
            seen.setdefault(key, set()).add(_hashable(value))
    found = [key for key in seen if key not in NEVER_SWEPT and (len(seen[key]) > 1 or counts[key] < len(runs))]
    return sorted(found, key=lambda key: key != "experiment")


def telling_keys(runs: Sequence[Run], swept: Sequence[str]) -> list[str]:
    """Of the swept keys a few that tell all variants apart: names of parts first, and none that splits nothing more."""
    kinds = len({(run.directory.parent, run.kind) for run in runs})
    chosen: list[str] = []
    parts: list[tuple[Any, ...]] = [()] * len(runs)
    for key in sorted(swept, key=lambda key: (key != "experiment", not key.endswith("name"))):
        finer = [(*part, _hashable(run.values.get(key, ABSENT))) for part, run in zip(parts, runs, strict=True)]
        if len(set(finer)) > len(set(parts)):
            chosen, parts = [*chosen, key], finer
        if len(set(parts)) >= kinds:
            break
    return chosen


def check_keys(keys: Sequence[str], runs: Sequence[Run], what: str) -> None:
    """Complains of the first key that no run has."""
    known = all_keys(runs)
    for key in keys:
        if key not in known:
            raise ConfigError(f"{what}: no run has {key!r}.{did_you_mean(key, known)}")


def group_by(runs: Sequence[Run], keys: Sequence[str]) -> Groups:
    """Label -> runs that have the same values of `keys`, sorted by value; one group named "" without keys.

    A key with one value for all of them is in no label; where there is but one group, it goes by names.
    """
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(_hashable(run.values.get(key, ABSENT)) for key in keys), []).append(run)
    telling = [place for place in range(len(keys)) if len({values[place] for values in groups}) > 1]
    names = [place for place, key in enumerate(keys) if key.endswith(("experiment", "name"))]
    places = telling or names or range(len(keys))
    labels = short_labels([keys[place] for place in places])
    found: Groups = {}
    for values in sorted(groups, key=lambda values: [order_of(value) for value in values]):
        label = ", ".join(spoken_pair(labels[keys[place]], values[place]) for place in places)
        while label in found:  # 1 and "1" sound alike
            label += "'"
        found[label] = groups[values]
    return found


def spoken_pair(label: str, value: Any) -> str:
    """Experiments and parts go by their names alone."""
    is_name = label.endswith(("experiment", "name")) and value != ABSENT
    return spoken(value) if is_name else f"{label}={spoken(value)}"


def mixed_keys(runs: Sequence[Run]) -> list[str]:
    """In what else than the seed these runs differ: a line over them is no line over seeds alone."""
    return [key for key in swept_keys(runs) if key not in OWN_KEYS]


def differences(one: Run, other: Run) -> list[tuple[str, str, str]]:
    """Key and both values, of every key in which two runs differ."""
    keys = dict.fromkeys([*one.values, *other.values])
    pairs = ((key, one.values.get(key, ABSENT), other.values.get(key, ABSENT)) for key in keys)
    return [(key, spoken(a), spoken(b)) for key, a, b in pairs if _hashable(a) != _hashable(b)]


def some(names: Sequence[str], most: int = 4) -> str:
    """The first few, and how many more."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def spoken(value: Any) -> str:
    """What a legend calls it."""
    if isinstance(value, tuple | list):
        joint = "x" if all(isinstance(part, int | float) for part in value) else "+"
        return joint.join(map(spoken, value)) if len(value) else "none"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, Mapping):
        return str(value.get("name", json.dumps(value, sort_keys=True)))
    if isinstance(value, float):
        return short if float(short := f"{value:g}") == value or value != value else repr(value)
    return str(value)


def order_of(value: Any) -> tuple[int, float, str]:
    """A key to sort by: numbers by size, before words."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), "") if is_number else (1, 0.0, spoken(value))


def _hashable(value: Any) -> Any:
    """1 and 1.0 are the same value, 1 and true are not."""
    if type(value) in (str, float, int):
        return value
    if isinstance(value, bool | dict | list):
        return json.dumps(value, sort_keys=True)
    return tuple(map(_hashable, value)) if isinstance(value, tuple) else value
