"""Intervals of 95 % hold the truth about that often, by simulation; benchmarks/interval_coverage.py has it all."""

import numpy as np
import pytest
from scipy import stats

from experiment_utils.results import statistics
from experiment_utils.results.run_intervals import curve_estimate, curve_interval

SHAPES = [(1, 1), (2, 5), (0.5, 0.5), (8, 1), (0.5, 3), (30, 1), (1, 30), (0.5, 8), (20, 20)]  # of Beta
TASKS = [(2, 5), (8, 1), (0.5, 0.5), (30, 1)]
GRID = (np.arange(10_000) + 0.5) / 10_000
SEVERAL = [statistics.mean, statistics.iqm, statistics.optimality_gap]


def share_held(a, b, statistic, num_runs, repeats=2000):
    """Of the intervals for runs that score as Beta(a, b) says."""
    truth = curve_estimate(stats.beta(a, b).ppf(GRID)[:, None], statistic)
    low, high = curve_interval(np.random.default_rng(0).beta(a, b, size=(num_runs, repeats)), statistic)
    return np.mean((low <= truth) & (truth <= high))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
@pytest.mark.parametrize("num_runs", [10, 20])
def test_intervals_of_ten_and_twenty_runs_hold_the_truth(shape, statistic, num_runs):
    assert 0.92 <= share_held(*shape, statistic, num_runs) <= 0.98


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("statistic", ["iqm", "median"])
def test_five_runs_are_enough_for_an_interquartile_mean_and_a_median(shape, statistic):
    assert 0.92 <= share_held(*shape, statistic, num_runs=5) <= 0.98


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_mean_of_five_very_skewed_runs_is_held_less_often_but_more_often_than_by_student(shape):
    scores = np.random.default_rng(0).beta(*shape, size=(5, 2000))
    low, high = stats.t.interval(0.95, 4, loc=scores.mean(axis=0), scale=stats.sem(scores, axis=0))
    truth = stats.beta(*shape).mean()
    assert share_held(*shape, "mean", num_runs=5) > max(0.88, np.mean((low <= truth) & (truth <= high)) - 0.01)


@pytest.mark.parametrize(("statistic", "least"), [("mean", 0.84), ("iqm", 0.87), ("median", 0.92)])
def test_three_runs_say_little_and_the_mean_least(statistic, least):
    shares = [share_held(*shape, statistic, num_runs=3) for shape in SHAPES]
    assert least <= min(shares) and max(shares) <= 0.985


def shares_held_of_several(confidence, *, num_runs, repeats, num_resamples):
    """Of the stratified intervals for the statistics of SEVERAL."""
    generator = np.random.default_rng(0)
    truths = [statistic([stats.beta(a, b).ppf(GRID) for a, b in TASKS]) for statistic in SEVERAL]
    held = np.zeros(len(SEVERAL))
    for _ in range(repeats):
        scores = [generator.beta(a, b, size=num_runs) for a, b in TASKS]
        for index, statistic in enumerate(SEVERAL):
            low, high = statistics.stratified_bootstrap_interval(
                scores, statistic, generator=generator, confidence=confidence, num_resamples=num_resamples
            )
            held[index] += low <= truths[index] <= high
    return held / repeats


def test_stratified_intervals_of_ten_runs_a_task_hold_the_truth_if_expanded():
    expanded = statistics.expanded_confidence(0.95, num_runs=10, num_tasks=len(TASKS))
    shares = shares_held_of_several(expanded, num_runs=10, repeats=400, num_resamples=300)
    assert (shares >= 0.92).all() and (shares <= 0.98).all()


@pytest.mark.engines
@pytest.mark.parametrize("num_runs", [5, 10, 20])
def test_expanding_brings_stratified_intervals_nearer_to_what_they_say(num_runs):
    size = {"num_runs": num_runs, "repeats": 2000, "num_resamples": 1000}
    plain = shares_held_of_several(0.95, **size)
    shares = shares_held_of_several(statistics.expanded_confidence(0.95, num_runs, len(TASKS)), **size)
    assert (np.abs(shares - 0.95) < np.abs(plain - 0.95) + 0.005).all()
    assert (shares >= (0.90 if num_runs == 5 else 0.92)).all() and (shares <= 0.98).all()
