"""One number a run: what its curve ends at, by a rule that is the same for every run; and which of several is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from experiment_utils.results.bands import Band, Summary, band
from experiment_utils.results.curves import Series
from experiment_utils.results.groups import spoken
from experiment_utils.results.run_intervals import wilson_interval
from experiment_utils.results.runs import Run
from experiment_utils.results.types import Floats

Rule = Literal["last", "last_tenth", "mean", "highest", "lowest"]
RULES: dict[Rule, str] = {
    "last": "the last one",
    "last_tenth": "mean of the last tenth",
    "mean": "mean of all",
    "highest": "highest ever",
    "lowest": "lowest ever",
}
LOWER_IS_BETTER = (
    "loss", "error", "steps_to_goal_mean", "rmse_steps", "_seconds", "regret",
    "steps_over_controller", "steps_over_random",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Success:
    """A success rate as what it is: so many of so many episodes, with Wilson's 95 % interval over episodes."""

    rate: float
    episodes: int
    low: float
    high: float


def final(run: Run, metric: str, rule: Rule = "last") -> float:
    """NaN of a run that never recorded a finite value."""
    if rule == "last":
        return run.metrics.last(metric)
    y = run.metrics.numbers([metric])[metric]
    y = y[np.isfinite(y)]
    if not len(y):
        return float("nan")
    if rule == "last_tenth":
        return float(y[-max(1, len(y) // 10) :].mean())
    return float({"mean": y.mean(), "highest": y.max(), "lowest": y.min()}[rule])


def finals(runs: Sequence[Run], metric: str, rule: Rule = "last") -> Floats:
    """[K] of the runs that have one."""
    values = np.array([final(run, metric, rule) for run in runs], dtype=np.float64)
    return values[np.isfinite(values)]


def over_seeds(
    curves: Sequence[Series], runs: Sequence[Run], metric: str, summary: Summary, max_points: int | None = None
) -> Band:
    """The band of these runs' curves, as their metric wants it: a rate's stays between 0 and 1."""
    counts = {episodes_of(run, metric) for run in runs}
    line = band(curves, summary, max_points=max_points, episodes=counts.pop() if len(counts) == 1 else None)
    if not metric.endswith("_rate"):
        return line
    return replace(line, low=np.maximum(line.low, 0.0), high=np.minimum(line.high, 1.0))


def is_lower_better(metric: str) -> bool:
    """By its name: losses, errors, steps to the goal, times."""
    return metric.endswith(LOWER_IS_BETTER)


def keep_best(
    groups: Mapping[str, Sequence[Run]], key: str, metric: str, rule: Rule, *, lowest: bool
) -> dict[str, list[Run]]:
    """Of each group only the runs with the value of `key` whose mean final is best; the label says which it is."""
    found: dict[str, list[Run]] = {}
    for label, runs in groups.items():
        by_value: dict[str, list[Run]] = {}
        for run in runs:
            by_value.setdefault(spoken(run.values.get(key)), []).append(run)
        scores = {value: finals(members, metric, rule) for value, members in by_value.items()}
        means = {value: float(score.mean()) for value, score in scores.items() if len(score)}
        if means:
            best = (min if lowest else max)(means, key=lambda value: means[value])
            words = f"best {key.rpartition('.')[2]}={best}"
            found[f"{label}, {words}" if label else words] = by_value[best]
    return found


def is_success_rate(metric: str) -> bool:
    """Whether each value is a share of an evaluation's episodes."""
    return metric.startswith("evaluation/") and metric.endswith(("success_rate", "success_at_end_rate"))


def episodes_of(run: Run, metric: str) -> int | None:
    """How many episodes each value is a share of; None where it is no success rate, or the variant does not say."""
    episodes: Any = run.values.get("evaluation.num_episodes")
    return episodes if is_success_rate(metric) and isinstance(episodes, int) and episodes > 0 else None


def success_of(run: Run, metric: str, rate: float) -> Success | None:
    """None where nobody knows of how many episodes it is."""
    episodes = episodes_of(run, metric)
    if episodes is None or not 0 <= rate <= 1:
        return None
    low, high = wilson_interval(round(rate * episodes), episodes)
    return Success(rate=rate, episodes=episodes, low=float(low), high=float(high))
