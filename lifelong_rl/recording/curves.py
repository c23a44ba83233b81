"""Learning curves out of run directories: which runs are the same but for their seed, and what they recorded when."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lifelong_rl.recording.metrics_file import Row, read_metrics

AXES = ("env_steps", "updates", "epoch")
MAX_PANELS = 9
_RUN_ID = re.compile(r"(?:(?P<slug>.*?)-)?(?P<fingerprint>[0-9a-f]{8})-s\d+")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run directory's whole rows, and what it shares with the runs that differ in the seed only."""

    directory: Path
    rows: list[Row]
    variant: str  # the same for every seed
    label: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """One run's finite values [T] of one metric at increasing x [T]."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Over the seeds that have come as far as each x [T], where at least half of them have."""

    x: np.ndarray
    y: np.ndarray
    standard_error: np.ndarray  # NaN where fewer than three seeds
    num_seeds: np.ndarray


def find_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """The runs that have rows, in or directly below `folders`; and one line about each that cannot be read."""
    runs, problems = [], []
    for path in dict.fromkeys(file for folder in folders for file in _metric_files(folder)):
        try:
            rows = read_metrics(path)
            variant, label = _identity(path.parent)
        except ValueError as error:
            problems.append(str(error))
            continue
        if rows:
            runs.append(Run(directory=path.parent, rows=rows, variant=variant, label=label))
    return runs, problems


def group_runs(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Label -> the seeds of one variant. The experiment's name is added where there are several experiments."""
    groups: dict[tuple[Path, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.directory.parent, run.variant), []).append(run)
    several = len({experiment for experiment, _ in groups}) > 1

    labels: dict[str, list[Run]] = {}
    for (experiment, variant), members in groups.items():
        slug = members[0].label
        label = "/".join(filter(None, [experiment.name if several or not slug else "", slug]))
        labels[label if label not in labels else f"{label} ({variant})"] = members
    return labels


def series(run: Run, name: str, axis: str, smooth: int = 1) -> Series:
    """What a run recorded as `name`, the last value at each x; `smooth` is the width of a moving mean, in points."""
    places = zip(positions(run, axis), run.rows, strict=True)
    points = sorted({x: row[name] for x, row in places if _is_number(row, name)}.items())
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return Series(x=x, y=moving_mean(y, smooth))


def positions(run: Run, axis: str) -> list[float]:
    """Where each row stands on an axis. `epoch` starts again in each phase, so phases are put end to end."""
    if axis != "epoch":
        return [float(row[axis]) for row in run.rows]
    before, found = 0, []
    for previous, row in zip([None, *run.rows[:-1]], run.rows, strict=True):
        if previous is not None and (previous["phase"] != row["phase"] or row["epoch"] <= previous["epoch"]):
            before += previous["epoch"]
        found.append(float(before + row["epoch"]))
    return found


def boundaries(run: Run, axis: str) -> list[tuple[float, str, str]]:
    """Where one phase ends and the next begins: (x, phase before, phase after)."""
    x = positions(run, axis)
    pairs = zip(run.rows, run.rows[1:], strict=False)
    return [(x[i], a["phase"], b["phase"]) for i, (a, b) in enumerate(pairs) if a["phase"] != b["phase"] and x[i] > 0]


def mean_over_seeds(curves: Sequence[Series]) -> Mean:
    """Curves on different grids are interpolated on the union of them, never beyond their own ends."""
    x = np.unique(np.concatenate([curve.x for curve in curves]))
    values = np.stack([np.interp(x, curve.x, curve.y, left=np.nan, right=np.nan) for curve in curves])  # [seeds, T]
    present = np.isfinite(values)
    num_seeds = present.sum(0)
    total = np.where(present, values, 0.0).sum(0)
    mean = total / np.maximum(num_seeds, 1)
    squares = np.where(present, (values - mean) ** 2, 0.0).sum(0)
    error = np.sqrt(squares / np.maximum(num_seeds - 1, 1) / np.maximum(num_seeds, 1))

    kept = num_seeds >= len(curves) / 2
    error = np.where(num_seeds >= 3, error, np.nan)
    return Mean(x=x[kept], y=mean[kept], standard_error=error[kept], num_seeds=num_seeds[kept])


def moving_mean(values: np.ndarray, width: int) -> np.ndarray:
    """A centred mean over `width` points, over fewer near the ends."""
    kernel = np.ones(min(width, len(values)))
    if len(kernel) <= 1:
        return values
    return np.convolve(values, kernel, "same") / np.convolve(np.ones_like(values), kernel, "same")


def metric_names(runs: Sequence[Run]) -> list[str]:
    """Every metric with a number in any row, in order of first appearance."""
    names = dict.fromkeys(name for run in runs for row in run.rows for name in row if "/" in name)
    return [name for name in names if any(_is_number(row, name) for run in runs for row in run.rows)]


def default_names(names: Sequence[str]) -> list[str]:
    """What one wants to see first: success, score and steps to goal of each kind of evaluation, then losses."""
    endings = ("success_rate", "normalized_score", "steps_to_goal_mean")
    chosen = [name for ending in endings for name in names if re.fullmatch(rf"evaluation/(.*/)?{ending}", name)]
    chosen += [name for name in names if name.startswith("trainer/") and name.endswith("loss")]
    return (chosen or list(names))[:MAX_PANELS]


def default_name(names: Sequence[str]) -> str:
    """The one that a study shows: success at the last step of an evaluation's episodes."""
    chosen = [name for name in names if re.fullmatch(r"evaluation/(.*/)?success_at_end_rate", name)]
    return (chosen or default_names(names))[0]


def _metric_files(folder: Path) -> list[Path]:
    own = folder / "metrics.jsonl"
    return [own.absolute()] if own.exists() else sorted(path.absolute() for path in folder.glob("*/metrics.jsonl"))


def _identity(directory: Path) -> tuple[str, str]:
    """A run's name says its variant; where it does not, `variant.json` does."""
    if match := _RUN_ID.fullmatch(directory.name):
        return match["fingerprint"], match["slug"] or ""
    variant = directory / "variant.json"
    if not variant.exists():
        name = re.sub(r"[-_]?s\d+$", "", directory.name)
        return name, name
    values = json.loads(variant.read_bytes())
    values.pop("seed", None)
    return json.dumps(values, sort_keys=True), re.sub(r"[-_]?s\d+$", "", directory.name)


def _is_number(row: Row, name: str) -> bool:
    value = row.get(name)
    return isinstance(value, int | float) and bool(np.isfinite(value))
