"""Intervals of 95 % hold the truth about that often, by simulation; benchmarks/interval_coverage.py has it all."""

import numpy as np
import pytest
from scipy import stats

from experiment_utils.results import statistics
from experiment_utils.results.run_intervals import curve_estimate, curve_interval
from experiment_utils.results.task_intervals import ESTIMATES, improvement_interval, profile_interval, task_interval

SHAPES = [(1, 1), (2, 5), (0.5, 0.5), (8, 1), (0.5, 3), (30, 1), (1, 30), (0.5, 8), (20, 20)]  # of Beta
TASKS = [(2, 5), (8, 1), (0.5, 0.5), (30, 1)]
GRID = (np.arange(10_000) + 0.5) / 10_000
MIXES = {
    "different": SHAPES[-5:],
    "equal": [(5, 5)] * 8,
    "far apart": [(20 * level, 20 - 20 * level) for level in (0.1, 0.5, 0.9)],
    "skewed": [(0.5, 3)] * 5,
}


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


def plain(scores, statistic, generator, num_resamples):
    return statistics.stratified_bootstrap_interval(
        scores, ESTIMATES[statistic], generator=generator, num_resamples=num_resamples
    )


def ours(scores, statistic, generator, num_resamples):
    return task_interval(scores, statistic, generator, num_resamples=num_resamples)


def share_held_of_several(interval, shapes, statistic, *, num_runs=10, repeats=400, num_resamples=300):
    """Of the intervals for tasks that score as these shapes of Beta say."""
    generator, held = np.random.default_rng(0), 0
    truth = ESTIMATES[statistic]([stats.beta(a, b).ppf(GRID) for a, b in shapes])
    for _ in range(repeats):
        scores = [generator.beta(a, b, size=num_runs) for a, b in shapes]
        low, high = interval(scores, statistic, generator, num_resamples)
        held += low <= truth <= high
    return held / repeats


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median", "optimality_gap"])
def test_ten_runs_on_each_of_several_tasks_are_enough(statistic):
    assert 0.92 <= share_held_of_several(ours, TASKS, statistic) <= 0.98


@pytest.mark.parametrize("shapes", MIXES.values(), ids=MIXES)
def test_the_median_over_tasks_is_held_whether_they_are_alike_or_not(shapes):
    assert 0.92 <= share_held_of_several(ours, shapes, "median") <= 0.98


def test_five_runs_that_decide_the_interquartile_mean_of_three_tasks_are_enough():
    assert share_held_of_several(plain, SHAPES[-3:], "iqm", num_runs=5) < 0.80
    assert 0.90 <= share_held_of_several(ours, SHAPES[-3:], "iqm", num_runs=5) <= 0.98


def test_a_profile_is_held_where_hardly_any_run_lies_above_and_nearly_all_do():
    thresholds = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    generator = np.random.default_rng(0)
    truth = np.mean([stats.beta(a, b).sf(thresholds) for a, b in SHAPES], axis=0)
    intervals = [
        profile_interval([generator.beta(a, b, size=10) for a, b in SHAPES], thresholds) for _ in range(500)
    ]  # fmt: skip
    shares = np.mean([(low <= truth) & (truth <= high) for low, high in intervals], axis=0)
    assert (shares >= 0.92).all() and (shares <= 0.985).all()


def test_a_probability_of_improvement_is_held():
    generator, held = np.random.default_rng(0), 0
    for _ in range(300):
        x, y = generator.normal(0.5, 1, size=(10, 3)), generator.normal(0, 2, size=(10, 3))
        low, high = improvement_interval(x, y, generator, num_resamples=300)
        held += low <= stats.norm.cdf(0.5 / np.sqrt(5)) <= high
    assert 0.92 <= held / 300 <= 0.98


@pytest.mark.engines
@pytest.mark.parametrize("statistic", ["mean", "iqm", "median", "optimality_gap"])
@pytest.mark.parametrize("num_runs", [5, 10, 20])
def test_intervals_over_tasks_are_nearer_to_what_they_say_than_the_bootstraps(statistic, num_runs):
    size = {"num_runs": num_runs, "repeats": 1000, "num_resamples": 400}
    found = share_held_of_several(ours, TASKS, statistic, **size)
    assert abs(found - 0.95) < abs(share_held_of_several(plain, TASKS, statistic, **size) - 0.95) + 0.005
    assert 0.92 <= found <= 0.98
