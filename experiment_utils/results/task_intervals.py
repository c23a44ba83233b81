"""Intervals that cover, for the scores of a few runs on each of several tasks (see `statistics`, the estimates).

95 % by name should be 95 % by simulation (benchmarks/interval_coverage.py --several). Percentiles of the stratified
bootstrap are not, where the runs of one task decide the answer: a resample is not aware of Student's t, and of how few
runs that task has. What is taken instead:

* mean, iqm, optimality gap: Student's t times the bootstrap's spread, with the degrees of freedom that the tasks'
  shares of that spread leave (Welch 1947; Satterthwaite 1946);
* median: the median of task means drawn each from its confidence distribution (Singh, Xie and Strawderman 2005), skewed
  as in `run_intervals`. Its percentiles are counted from the median of these distributions' middles, which is half of
  Efron's (1981) bias correction: one task alone, or far from the others, has the interval of its mean.

So 10 and 20 runs a task cover 92 to 98 %, and 5 runs 91 to 99 %. But a median that is the lower of two equally hard
tasks is held in 90 % by 10 runs: neither this nor the bootstrap (83 %) knows which of the two it is.
"""

from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from experiment_utils.results import statistics
from experiment_utils.results.run_intervals import means_at, wilson_interval
from experiment_utils.results.statistics import LEAST_RUNS, Interval, Scores, Statistic, expanded_confidence, tasks_of

OverTasks = Literal["mean", "iqm", "median", "optimality_gap"]

ESTIMATES: dict[OverTasks, Statistic] = {
    "mean": statistics.mean, "iqm": statistics.iqm, "median": statistics.median,
    "optimality_gap": statistics.optimality_gap,
}  # fmt: skip


def task_interval(
    scores: Scores,
    statistic: OverTasks,
    generator: np.random.Generator,
    *,
    confidence: float = 0.95,
    num_resamples: int = 1000,
) -> tuple[float, float]:
    """Low and high; they may lie beyond the range of scores. ValueError where a task has fewer than 3 runs."""
    tasks = tasks_of(scores, least_runs=LEAST_RUNS)
    if statistic == "median":
        return _median_interval(tasks, generator, confidence, num_resamples)
    return _spread_interval(tasks, ESTIMATES[statistic], generator, confidence, num_resamples)


def profile_interval(scores: Scores, thresholds: np.ndarray, *, confidence: float = 0.95) -> Interval:
    """Low and high of `performance_profile` [thresholds], each threshold for itself; nothing random.

    Wilson's, with as many runs as would be worth those of the tasks (Kish 1965): more than there are where tasks are
    far apart. A bootstrap has no width where all runs, or none, lie above.
    """
    tasks = tasks_of(scores, least_runs=LEAST_RUNS)
    num_runs = np.array([len(task) for task in tasks])[:, None]
    above = np.stack([(task[:, None] > thresholds).sum(axis=0) for task in tasks])  # [tasks, thresholds]
    rates = (above + 0.5) / (num_runs + 1)  # never 0 or 1 (Jeffreys)
    variance = (rates * (1 - rates) / num_runs).sum(axis=0) / len(tasks) ** 2
    worth = rates.mean(axis=0) * (1 - rates.mean(axis=0)) / variance
    return wilson_interval((above / num_runs).mean(axis=0) * worth, worth, confidence)


def improvement_interval(
    x: Scores, y: Scores, generator: np.random.Generator, *, confidence: float = 0.95, num_resamples: int = 1000
) -> tuple[float, float]:
    """Low and high of `probability_of_improvement`, by expanded percentiles. ValueError as in `task_interval`."""
    tasks = [*tasks_of(x, least_runs=LEAST_RUNS), *tasks_of(y, least_runs=LEAST_RUNS)]
    expanded = expanded_confidence(confidence, min(len(task) for task in tasks), len(tasks))
    low, high = statistics.improvement_interval(
        x, y, generator=generator, confidence=expanded, num_resamples=num_resamples
    )
    return float(low), float(high)


def _median_interval(
    tasks: list[np.ndarray], generator: np.random.Generator, confidence: float, num_draws: int
) -> tuple[float, float]:
    draws = [means_at(generator.standard_t(len(task) - 1, size=num_draws), task[:, None]) for task in tasks]
    medians, middle = np.median(draws, axis=0), np.median([means_at(0.0, task) for task in tasks])

    below = ((medians < middle).mean() + (medians <= middle).mean()) / 2
    centre, half = ndtri(np.clip(below, 1 / num_draws, 1 - 1 / num_draws)), ndtri((1 + confidence) / 2)
    low, high = np.quantile(medians, ndtr([centre - half, centre + half]))
    return float(low), float(high)


def _spread_interval(
    tasks: list[np.ndarray], statistic: Statistic, generator: np.random.Generator, confidence: float, num_resamples: int
) -> tuple[float, float]:
    freedom = np.array([len(task) - 1 for task in tasks])
    resampled = [_resampled(place, tasks, statistic, generator, num_resamples) for place in range(len(tasks))]
    variance = np.var(resampled, axis=1) * (freedom + 1) / freedom  # n runs, drawn anew, vary less: by (n - 1) / n

    estimate, whole = float(statistic(tasks)), float(variance.sum())
    if whole == 0:
        return estimate, estimate
    half = stdtrit(1 / ((variance / whole) ** 2 / freedom).sum(), (1 + confidence) / 2) * np.sqrt(whole)
    return estimate - half, estimate + half


def _resampled(
    place: int, tasks: list[np.ndarray], statistic: Statistic, generator: np.random.Generator, num_resamples: int
) -> np.ndarray:
    """The statistic [resamples] where the runs of one task are drawn anew, and the others are as they are."""
    resampled = [np.broadcast_to(task, (num_resamples, len(task))) for task in tasks]
    resampled[place] = tasks[place][generator.integers(len(tasks[place]), size=(num_resamples, len(tasks[place])))]
    return statistic(resampled)
