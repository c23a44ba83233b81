"""Methods against each other: how often one beats another, over all tasks, and how many runs reach how much.

Agarwal et al. 2021 (arXiv:2108.13264), with the intervals of `results/task_intervals.py`, which cover with few runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiment_utils.report.scores import Scores
from experiment_utils.report.study import Study
from experiment_utils.results import statistics
from experiment_utils.results.finals import is_success_rate
from experiment_utils.results.groups import some
from experiment_utils.results.statistics import LEAST_RUNS
from experiment_utils.results.task_intervals import (
    ESTIMATES,
    OverTasks,
    improvement_interval,
    profile_interval,
    task_interval,
)
from experiment_utils.results.types import Floats

CONFIDENCE = 0.95
MAX_METHODS = 12  # against each other
NUM_THRESHOLDS = 101
WORK = 2e7  # numbers that a bootstrap makes at once
AGGREGATES: dict[str, OverTasks] = {
    "IQM": "iqm", "median": "median", "mean": "mean", "optimality gap": "optimality_gap",
}  # fmt: skip

Tasks = dict[str, Floats]  # task -> a method's final values


@dataclass(frozen=True, kw_only=True)
class Improvement:
    """How probable it is that a run of `method` does better than one of `other`; low and high may be NaN."""

    method: str
    other: str
    probability: float
    low: float
    high: float
    num_tasks: int


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One number over all tasks; low and high may be NaN."""

    method: str
    name: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Share of a method's runs above each threshold, every task counting alike; low and high may be NaN."""

    method: str
    thresholds: Floats
    share: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """By one metric; `notes` say what could not be compared, and why."""

    metric: str
    improvements: Sequence[Improvement] = ()
    aggregates: Sequence[Aggregate] = ()
    profiles: Sequence[Profile] = ()
    notes: Sequence[str] = ()


def compare(study: Study, scores: Scores) -> Comparisons:
    """Nothing of a method alone."""
    metric, notes = study.metric, []
    by_method: dict[str, Tasks] = {}
    for score in scores.measured:
        if score.metric == metric:
            by_method.setdefault(score.method, {})[score.task] = score.values
    if len(by_method) < 2:
        return Comparisons(metric=metric)
    sign = -1.0 if study.is_lower_better(metric) else 1.0
    if len(by_method) > MAX_METHODS:
        notes.append(f"Of {len(by_method)} methods, the first {MAX_METHODS} are compared with each other.")
    compared = list(by_method)[:MAX_METHODS]
    improvements = [
        found for place, one in enumerate(compared) for other in compared[place + 1 :]
        if (found := _improvement(one, other, by_method[one], by_method[other], sign)) is not None
    ]  # fmt: skip
    aggregates, profiles, more = _over_tasks(metric, by_method)
    return Comparisons(
        metric=metric, improvements=improvements, aggregates=aggregates, profiles=profiles, notes=notes + more
    )


def unit_of(metric: str) -> float | None:
    """What counts as 1 on the scale that all tasks have in common; None where they have none."""
    return 1.0 if is_success_rate(metric) else 100.0 if metric.endswith("normalized_score") else None


def _over_tasks(metric: str, by_method: dict[str, Tasks]) -> tuple[list[Aggregate], list[Profile], list[str]]:
    tasks = list(dict.fromkeys(task for values in by_method.values() for task in values))
    unit = unit_of(metric)
    if len(tasks) > 1 and unit is None:
        why = f"Tasks have no scale of {metric.removeprefix('evaluation/')} in common: nothing is averaged over them."
        return [], [], [why]
    whole = {method: [own[task] for task in tasks] for method, own in by_method.items() if len(own) == len(tasks)}
    partial = [method for method in by_method if method not in whole]
    notes = [f"Not on all tasks, so in no average and no profile: {some(partial)}."] if partial else []
    scaled = {method: [values / (unit or 1.0) for values in own] for method, own in whole.items()}
    is_share = is_success_rate(metric)
    several = scaled.items() if len(tasks) > 1 else ()
    aggregates = [found for method, own in several for found in _aggregates(method, own, is_share=is_share)]
    return aggregates, _profiles(scaled, is_share=is_share), notes


def _improvement(one: str, other: str, x: Tasks, y: Tasks, sign: float) -> Improvement | None:
    tasks = [task for task in x if task in y]
    if not tasks:
        return None
    ours, theirs = [sign * x[task] for task in tasks], [sign * y[task] for task in tasks]
    low, high = np.nan, np.nan
    least = _least_runs([*ours, *theirs])
    if least >= LEAST_RUNS:
        pairs = max(len(a) * len(b) for a, b in zip(ours, theirs, strict=True))
        generator = np.random.default_rng(0)
        low, high = improvement_interval(ours, theirs, generator, num_resamples=_num_resamples(pairs))
    probability = float(statistics.probability_of_improvement(ours, theirs))
    if low == high and probability in (0.0, 1.0):
        low, high = _never_otherwise(probability, least * len(tasks))
    return Improvement(method=one, other=other, probability=probability, low=low, high=high, num_tasks=len(tasks))


def _never_otherwise(probability: float, num_pairs: int) -> tuple[float, float]:
    """Where no resample differs, which the bootstrap takes for certainty: runs in pairs, none of them used twice, are
    independent, and all were won or all lost (Clopper and Pearson 1934)."""
    bound = ((1 - CONFIDENCE) / 2) ** (1 / num_pairs)
    return (bound, 1.0) if probability == 1 else (0.0, 1 - bound)


def _aggregates(method: str, scores: Sequence[Floats], *, is_share: bool) -> list[Aggregate]:
    found = []
    for name, statistic in AGGREGATES.items():
        low, high = np.nan, np.nan
        if _least_runs(scores) >= LEAST_RUNS:
            low, high = task_interval(scores, statistic, np.random.default_rng(0))
        if is_share:
            low, high = max(low, 0.0), min(high, 1.0)  # NaN, where it comes first, stays
        estimate = float(ESTIMATES[statistic](scores))
        found.append(Aggregate(method=method, name=name, estimate=estimate, low=low, high=high))
    return found


def _profiles(by_method: dict[str, list[Floats]], *, is_share: bool) -> list[Profile]:
    every = np.concatenate([values for own in by_method.values() for values in own]) if by_method else np.zeros(1)
    lowest, highest = (0.0, 1.0) if is_share else (float(every.min()), float(every.max()))
    thresholds = np.linspace(lowest, highest, NUM_THRESHOLDS)
    found = []
    for method, own in by_method.items():
        share = statistics.performance_profile(own, thresholds)
        low = high = np.full_like(share, np.nan)
        if _least_runs(own) >= LEAST_RUNS:
            low, high = profile_interval(own, thresholds)
        found.append(Profile(method=method, thresholds=thresholds, share=share, low=low, high=high))
    return found


def _least_runs(scores: Sequence[Floats]) -> int:
    return min(map(len, scores))


def _num_resamples(size: int) -> int:
    return int(np.clip(WORK // size, 200, 2000))
