"""Intervals that cover, for a few runs of one task: of their mean, interquartile mean or median, along a curve too.

95 % by name should be 95 % by simulation (benchmarks/interval_coverage.py). The usual bootstraps are not: of 10 skewed
runs, percentiles and BCa of the mean cover 84 to 88 %. What is taken instead, none of it random:

* mean: Student's t, corrected for the skewness of the runs (Johnson 1978; Hall 1992);
* iqm: percentiles of the bootstrap, expanded for few runs (Hesterberg 2015), all curves sharing the same resamples;
* median: order statistics (Hettmansperger and Sheather 1986), exact for any distribution; of 5 runs the range, 93.75 %;
* iqm and median of fewer than 5 runs, where the range covers too little: Student's t times the bootstrap's spread.

So 10 runs cover 92 to 98 %; 5 runs too, but for very skewed means (89 %). Of 3 runs the mean covers 85 to 95 %.
"""

import functools
from typing import Literal

import numpy as np
import scipy  # its parts are imported when they are first used

from experiment_utils.results.statistics import LEAST_RUNS, Interval, expanded_confidence, middle, tasks_of

OfRuns = Literal["mean", "iqm", "median"]

NUM_RESAMPLES = 2000
SHORTFALL = 0.02  # how much less than it should the range of few runs may cover


def run_interval(values: np.ndarray, statistic: OfRuns, confidence: float = 0.95) -> tuple[float, float]:
    """Low and high for one task's values [runs]. ValueError where there are fewer than 3, or one is not finite."""
    (runs,) = tasks_of([values], least_runs=LEAST_RUNS)
    low, high = curve_interval(runs[:, None], statistic, confidence)
    return float(low[0]), float(high[0])


def curve_estimate(values: np.ndarray, statistic: OfRuns) -> np.ndarray:
    """The statistic [T] of values [runs, T]. NaN is a run without a value there, and the answer where none has one."""
    estimate = np.full(values.shape[1], np.nan)
    for columns, ordered in _by_number(values):
        estimate[columns] = _trimmed_mean(ordered, statistic)
    return estimate


def curve_interval(values: np.ndarray, statistic: OfRuns, confidence: float = 0.95) -> Interval:
    """Low and high [T] for values [runs, T]. NaN is a run without a value there, and the answer for fewer than 3."""
    low, high = np.full((2, values.shape[1]), np.nan)
    with np.errstate(invalid="ignore"):  # a run that has gone to infinity leaves no number
        for columns, ordered in _by_number(values):
            if len(ordered) >= LEAST_RUNS:
                low[columns], high[columns] = _interval(ordered, statistic, confidence)
    return low, high


def means_at(t: np.ndarray | float, values: np.ndarray) -> np.ndarray:
    """The mean of the runs [n, ...] that lies `t` standard errors below theirs, by Student's t corrected for skewness.

    Hall's transformation of t, (1 + 2 lean t)^3 up to shift and scale, turned round.
    """
    num_runs, centre, spread = len(values), values.mean(axis=0), values.std(axis=0, ddof=1)
    skewness = (((values - centre) / np.where(spread > 0, spread, 1.0)) ** 3).mean(axis=0)
    lean = skewness / (6 * np.sqrt(num_runs))
    lean = np.where(np.abs(lean) < 1e-9, 1e-9, lean)  # as good as t
    below = (np.cbrt(1 + 6 * lean * (t - lean)) - 1) / (2 * lean)
    return centre - below * spread / np.sqrt(num_runs)


def wilson_interval(successes: np.ndarray | float, trials: np.ndarray | float, confidence: float = 0.95) -> Interval:
    """Interval of a probability [...] (Wilson 1927), NaN without trials. For one policy's episodes: runs differ too."""
    wins, count = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    if not ((wins >= 0) & (wins <= count)).all():
        raise ValueError(f"wilson_interval: expected 0 <= successes <= trials, got {successes} of {trials}.")
    z = scipy.special.ndtri((1 + confidence) / 2)
    with np.errstate(invalid="ignore"):  # 0 of 0
        centre = (wins + z**2 / 2) / (count + z**2)
        half = z * np.sqrt(wins * (count - wins) / count + z**2 / 4) / (count + z**2)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _by_number(values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns with equally many values, and these in ascending order [n, columns]; columns without any are left out."""
    ordered, numbers = np.sort(values, axis=0), (~np.isnan(values)).sum(axis=0)  # NaN comes last
    groups = [(np.flatnonzero(numbers == n), n) for n in np.unique(numbers) if n > 0]
    return [(columns, ordered[:n, columns]) for columns, n in groups]


def _num_trimmed(statistic: OfRuns, num_runs: int) -> int:
    return {"mean": 0, "iqm": num_runs // 4, "median": (num_runs - 1) // 2}[statistic]  # at either end


def _trimmed_mean(ordered: np.ndarray, statistic: OfRuns) -> np.ndarray:
    cut = _num_trimmed(statistic, len(ordered))
    return ordered[cut : len(ordered) - cut].mean(axis=0)


def _interval(ordered: np.ndarray, statistic: OfRuns, confidence: float) -> Interval:
    range_covers = 1 - 2.0 ** (1 - len(ordered))  # of a median: all runs lie on one side of it once in 2^(n - 1)
    if statistic == "mean":
        return _skewed_t(ordered, confidence)
    if range_covers < confidence - SHORTFALL:
        return _spread_t(ordered, statistic, confidence)
    if statistic == "median":
        return _order_statistics(ordered, confidence)
    resampled = _resampled(ordered, statistic)
    resampled.sort(axis=1)  # in its place: the rest of the work is small beside a second such array
    low, high = middle(resampled.T, expanded_confidence(confidence, len(ordered)))
    return ordered[0] + low, ordered[0] + high


def _skewed_t(ordered: np.ndarray, confidence: float) -> Interval:
    quantile = scipy.special.stdtrit(len(ordered) - 1, (1 + confidence) / 2)
    low, high = means_at(np.array([[quantile], [-quantile]]), ordered)
    return low, high


def _order_statistics(ordered: np.ndarray, confidence: float) -> Interval:
    """From the d-th run from below to the d-th from above; d between whole numbers, such that `confidence` is met."""
    num_runs = len(ordered)
    covers = 1 - 2 * scipy.special.bdtr(np.arange(num_runs // 2 + 1), num_runs, 0.5)  # for d = 1, 2, ..
    d = max(1, int((covers >= confidence).sum()))
    share = max(0.0, (covers[d - 1] - confidence) / (covers[d - 1] - covers[d]))
    inwards = (num_runs - d) * share / (d + (num_runs - 2 * d) * share)
    low = ordered[d - 1] + inwards * (ordered[d] - ordered[d - 1])
    return low, ordered[num_runs - d] - inwards * (ordered[num_runs - d] - ordered[num_runs - d - 1])


def _spread_t(ordered: np.ndarray, statistic: OfRuns, confidence: float) -> Interval:
    num_runs, centre = len(ordered), _trimmed_mean(ordered, statistic)
    spread = np.sqrt(num_runs / (num_runs - 1)) * _resampled(ordered, statistic).std(axis=1)
    half = scipy.special.stdtrit(num_runs - 1, (1 + confidence) / 2) * spread
    return centre - half, centre + half


def _resampled(ordered: np.ndarray, statistic: OfRuns) -> np.ndarray:
    """How far the statistic of each resample lies above the lowest run [T, resamples]."""
    above = (ordered - ordered[0]).astype(np.float32)  # exact to 1e-7 of the range, and sorts twice as fast
    return above.T @ _resampling_weights(len(ordered), statistic).T


@functools.lru_cache(maxsize=256)
def _resampling_weights(num_runs: int, statistic: OfRuns) -> np.ndarray:
    """What each run, in ascending order, weighs in the statistic of each resample [resamples, runs]."""
    drawn = np.random.default_rng(0).integers(num_runs, size=(NUM_RESAMPLES // 2, num_runs))
    drawn = np.sort(np.concatenate([drawn, num_runs - 1 - drawn]), axis=1)  # mirrored too: -scores get (-high, -low)
    cut = _num_trimmed(statistic, num_runs)
    places = drawn[:, cut : num_runs - cut] + num_runs * np.arange(NUM_RESAMPLES)[:, None]
    counts = np.bincount(places.ravel(), minlength=num_runs * NUM_RESAMPLES).reshape(NUM_RESAMPLES, num_runs)
    return (counts / (num_runs - 2 * cut)).astype(np.float32)
