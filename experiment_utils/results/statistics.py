"""Scores of a few runs on several tasks: the estimates, and the bootstrap, of Agarwal et al. 2021 (arXiv:2108.13264).

Scores are a matrix [runs, tasks], or a list with the runs [runs] of each task, which may differ in number. Every task
counts alike, however many runs it has; on a matrix the numbers are rliable's. Estimates take tasks [..., runs] as well,
and carry the leading axes along. Scores that are not finite are refused. The intervals are rliable's, and too narrow:
those to show are `task_interval` over several tasks, and `run_interval` of one.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy

Scores = np.ndarray | Sequence[np.ndarray]
Statistic = Callable[[Scores], np.ndarray]  # tasks, each [..., runs] -> [...] or [..., thresholds]
Interval = tuple[np.ndarray, np.ndarray]  # low, high

LEAST_RUNS = 3  # of fewer, show the points: there is no interval


def iqm(scores: Scores) -> np.ndarray:
    """Interquartile mean [...]: of the middle half of all runs, each weighing one over their number in its task."""
    tasks = tasks_of(scores)
    pooled = np.concatenate(tasks, axis=-1)
    num_scores, cut = pooled.shape[-1], pooled.shape[-1] // 4
    weights = np.concatenate([np.full(task.shape[-1], num_scores / (len(tasks) * task.shape[-1])) for task in tasks])

    order = np.argsort(pooled, axis=-1)
    weight = weights[order]
    end = np.cumsum(weight, axis=-1)  # in order, a score lies from end - weight to end; a weight is 1 on a matrix
    kept = np.clip(end, cut, num_scores - cut) - np.clip(end - weight, cut, num_scores - cut)
    return (kept * np.take_along_axis(pooled, order, axis=-1)).sum(axis=-1) / kept.sum(axis=-1)


def mean(scores: Scores) -> np.ndarray:
    """Mean of the tasks' means [...]."""
    return _means(tasks_of(scores)).mean(axis=0)


def median(scores: Scores) -> np.ndarray:
    """Median of the tasks' means [...], as published tables have it; of one task it is the mean, not the middle run."""
    return np.median(_means(tasks_of(scores)), axis=0)


def optimality_gap(scores: Scores, target: float = 1.0) -> np.ndarray:
    """How far runs stay below `target` on average [...]; what lies above it makes up for nothing."""
    return target - _means([np.minimum(task, target) for task in tasks_of(scores)]).mean(axis=0)


def performance_profile(scores: Scores, thresholds: np.ndarray) -> np.ndarray:
    """Share of runs that score above each threshold [..., thresholds]."""
    return np.mean([(task[..., None] > thresholds).mean(axis=-2) for task in tasks_of(scores)], axis=0)


def task_profile(scores: Scores, thresholds: np.ndarray) -> np.ndarray:
    """Share of tasks whose mean lies above each threshold [..., thresholds]."""
    return (_means(tasks_of(scores))[..., None] > thresholds).mean(axis=0)


def probability_of_improvement(x: Scores, y: Scores) -> np.ndarray:
    """How often a run of `x` beats one of `y` on the same task, a tie being half a win; mean over tasks [...]."""
    pairs = [(one[..., :, None], other[..., None, :]) for one, other in zip(tasks_of(x), tasks_of(y), strict=True)]
    chances = [(one > other).mean(axis=(-2, -1)) + (one == other).mean(axis=(-2, -1)) / 2 for one, other in pairs]
    return np.mean(chances, axis=0)


def stratified_bootstrap_interval(
    scores: Scores,
    statistic: Statistic,
    *,
    generator: np.random.Generator,
    confidence: float = 0.95,
    num_resamples: int = 2000,
) -> Interval:
    """Percentile interval of a statistic; each task's runs are drawn anew. ValueError where one has fewer than 3.

    rliable's, and too narrow: of 10 runs a task it covers 91 to 93 % of means, of 5 runs 87 to 89 %, where 95 % are
    asked for.
    """
    resampled = statistic(_resample(scores, num_resamples, generator))
    return middle(np.sort(resampled, axis=0), confidence)


def improvement_interval(
    x: Scores, y: Scores, *, generator: np.random.Generator, confidence: float = 0.95, num_resamples: int = 2000
) -> Interval:
    """The same of `probability_of_improvement`; the runs of `x` and those of `y` are drawn each for themselves."""
    drawn = _resample(x, num_resamples, generator), _resample(y, num_resamples, generator)
    return middle(np.sort(probability_of_improvement(*drawn), axis=0), confidence)


def expanded_confidence(confidence: float, num_runs: int, num_tasks: int = 1) -> float:
    """What to ask of a percentile interval for it to cover `confidence` (Hesterberg 2015, arXiv:1411.5279).

    A resample of n runs varies less than n runs do, by (n - 1) / n, and is not aware of Student's t.
    """
    quantile = scipy.special.stdtrit(num_tasks * (num_runs - 1), (1 + confidence) / 2)
    return float(1 - 2 * scipy.special.ndtr(-np.sqrt(num_runs / (num_runs - 1)) * quantile))


def middle(ordered: np.ndarray, confidence: float) -> Interval:
    """The percentiles between which the middle `confidence` lies of [resamples, ...] in ascending order."""
    places = (len(ordered) - 1) * np.array([1 - confidence, 1 + confidence]) / 2
    low, high = (ordered[int(p)] + (p % 1) * (ordered[int(np.ceil(p))] - ordered[int(p)]) for p in places)
    return low, high


def tasks_of(scores: Scores, *, least_runs: int = 1) -> list[np.ndarray]:
    """An array [..., runs] for each task."""
    columns = scores.T if isinstance(scores, np.ndarray) and scores.ndim == 2 else scores
    tasks = [np.asarray(task, dtype=float) for task in columns]
    if not tasks or any(task.ndim == 0 for task in tasks):
        raise ValueError("scores: expected a matrix [runs, tasks] or a list with the runs of each task.")
    for number, task in enumerate(tasks):
        if task.shape[-1] < least_runs:
            raise ValueError(f"scores of task {number}: at least {least_runs} runs are needed, got {task.shape[-1]}.")
        if not np.isfinite(task).all():
            raise ValueError(f"scores of task {number}: one is not finite; leave its run out, or give it a score.")
    return tasks


def _means(tasks: list[np.ndarray]) -> np.ndarray:
    return np.stack([task.mean(axis=-1) for task in tasks])  # [tasks, ...]


def _resample(scores: Scores, num_resamples: int, generator: np.random.Generator) -> list[np.ndarray]:
    """The runs of each task, drawn anew: [resamples, runs]."""
    tasks = tasks_of(scores, least_runs=LEAST_RUNS)
    return [task[generator.integers(len(task), size=(num_resamples, len(task)))] for task in tasks]
