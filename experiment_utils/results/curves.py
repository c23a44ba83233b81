"""Learning curves: what each run recorded when, and which runs are the same but for their seed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiment_utils.results.metrics import OFFLINE_TABLE, ROW_NUMBER
from experiment_utils.results.runs import Run
from experiment_utils.results.types import Floats

AXES = ("env_steps", "updates", "epoch")
MAX_PANELS = 9


@dataclass(frozen=True, kw_only=True)
class Series:
    """One run's finite values [T] of one metric at increasing x [T]."""

    x: Floats
    y: Floats


def group_runs(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Label -> the seeds of one variant. The experiment's name is added where there are several experiments."""
    groups: dict[tuple[Path, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.directory.parent, run.kind), []).append(run)
    several = len({experiment for experiment, _ in groups}) > 1

    labels: dict[str, list[Run]] = {}
    for (experiment, kind), members in groups.items():
        slug = members[0].slug
        label = "/".join(filter(None, [experiment.name if several or not slug else "", slug]))
        labels[label if label not in labels else f"{label} ({kind})"] = members
    return labels


def series(run: Run, name: str, axis: str, smooth: int = 1) -> Series:
    """What a run recorded as `name`, the last value at each x; `smooth` is the width of a moving mean, in points."""
    if axis == "epoch":
        x, y = positions(run, axis), run.metrics.numbers([name])[name]
        x, y = x[: len(y)], y[: len(x)]  # a row may have come in between
    else:
        columns = run.metrics.numbers([axis, name])
        x, y = columns[axis], columns[name]
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    if len(x) > 1 and not (x[1:] > x[:-1]).all():
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
        last = np.append(x[1:] > x[:-1], True)
        x, y = x[last], y[last]
    return Series(x=x, y=moving_mean(y, smooth))


def positions(run: Run, axis: str) -> Floats:
    """[T]: where each row stands on an axis. `epoch` starts again in each phase, so phases are put end to end."""
    if axis != "epoch":
        return run.metrics.numbers([axis])[axis]
    phase, epoch = run.metrics.texts("phase"), run.metrics.numbers(["epoch"])["epoch"]
    phase, epoch = phase[: len(epoch)], epoch[: len(phase)]
    changes = np.array([one != other for one, other in zip(phase, phase[1:], strict=False)], dtype=bool)
    starts = np.append(False, changes | (epoch[1:] <= epoch[:-1]))[: len(epoch)]
    before = np.append(0.0, epoch[:-1])[: len(epoch)]
    return epoch + np.cumsum(np.where(starts, before, 0.0))


def boundaries(run: Run, axis: str) -> list[tuple[float, str, str]]:
    """Where one phase ends and the next begins: (x, phase before, phase after)."""
    x, phase = positions(run, axis), run.metrics.texts("phase")
    pairs = enumerate(zip(phase[: len(x)], phase[1:], strict=False))
    return [(float(x[i]), a, b) for i, (a, b) in pairs if a and b and a != b and x[i] > 0]


def moving_mean(values: Floats, width: int) -> Floats:
    """A centred mean over `width` points, over fewer near the ends."""
    kernel = np.ones(min(width, len(values)))
    if len(kernel) <= 1:
        return values
    return np.convolve(values, kernel, "same") / np.convolve(np.ones_like(values), kernel, "same")


def metric_names(runs: Sequence[Run]) -> list[str]:
    """Every name that a run recorded, but for those that say when; in order of first appearance."""
    plain = {*AXES, ROW_NUMBER, "phase"}
    return [name for name in dict.fromkeys(name for run in runs for name in run.metrics.names()) if name not in plain]


def default_names(names: Sequence[str]) -> list[str]:
    """What one wants to see first: success, score and steps to goal of each kind of evaluation, then losses."""
    endings = ("success_rate", "normalized_score", "steps_to_goal_mean")
    chosen = [name for ending in endings for name in names if re.fullmatch(rf"evaluation/(.*/)?{ending}", name)]
    chosen += [name for name in names if name.startswith("trainer/") and name.endswith("loss")]
    returns = [name for name in names if re.search(r"return.*(mean|average)|average.*return", name, re.IGNORECASE)]
    return (chosen or returns or list(names))[:MAX_PANELS]


def default_name(names: Sequence[str]) -> str:
    """The one that a study shows: success at the last step of an evaluation's episodes."""
    chosen = [name for name in names if re.fullmatch(r"evaluation/(.*/)?success_at_end_rate", name)]
    return (chosen or default_names(names))[0]


def natural_axis(runs: Sequence[Run]) -> str:
    """`updates` where any run has rows of training without env steps, else `env_steps`; of other loggers the rows."""
    names = {name for run in runs for name in run.metrics.names()}
    if "env_steps" not in names:
        return "updates" if "updates" in names else ROW_NUMBER
    learned_offline = any((run.directory / OFFLINE_TABLE).exists() for run in runs)
    return "updates" if "updates" in names and learned_offline else "env_steps"
