"""What a run is worth to a search: one number out of its `metrics.jsonl`."""

import math
from pathlib import Path

from lifelong_rl.config import ConfigError, did_you_mean
from lifelong_rl.recording.metrics_file import read_metrics


class NoValueError(Exception):
    """The run has the metric, but no value that could be compared with others."""


def metric_of(run_dir: Path, name: str, last: int = 1) -> float:
    """The mean of the last values of `name` (of all, where there are fewer); rows without it do not count."""
    path = run_dir / "metrics.jsonl"
    try:
        rows = read_metrics(path) if path.exists() else []
    except ValueError as error:
        raise NoValueError(str(error)) from None
    if not rows:
        raise NoValueError("the run wrote no metrics.jsonl")
    known = {key: None for row in rows for key, value in row.items() if _is_number(value)}
    if name not in known:
        end = [key for key in known if "/" in key and key.rpartition("/")[2] == name.rpartition("/")[2]]
        hint = f" Did you mean {end[0]!r}?" if end else did_you_mean(name, known)
        raise ConfigError(f"--metric: {path} has no {name!r}.{hint} It has: {', '.join(known)}.")
    values = [row[name] for row in rows if _is_number(row.get(name))][-last:]
    value = sum(values) / len(values)
    if not math.isfinite(value):
        raise NoValueError(f"{name} is {value}")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
