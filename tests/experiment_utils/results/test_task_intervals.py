"""Intervals over several tasks: against formulas, and what they do with few, equal and missing scores."""

import numpy as np
import pytest
from scipy import stats

from experiment_utils.results.run_intervals import run_interval, wilson_interval
from experiment_utils.results.task_intervals import ESTIMATES, improvement_interval, profile_interval, task_interval

SCORES = np.random.default_rng(0).beta(2, 3, size=(6, 4))
RAGGED = [np.random.default_rng(1).normal(size=size) for size in (3, 5, 9)]


def generator():
    return np.random.default_rng(0)


def test_the_mean_of_two_tasks_has_the_interval_of_welch():
    x, y = RAGGED[1], RAGGED[2]
    welch = stats.ttest_ind(x, -y, equal_var=False).confidence_interval(0.9)  # of mean x + mean y, twice the mean
    found = task_interval([x, y], "mean", generator(), confidence=0.9, num_resamples=100_000)
    assert found == pytest.approx((welch.low / 2, welch.high / 2), abs=0.01)


def test_the_median_of_one_task_has_the_interval_of_its_mean():
    found = task_interval([RAGGED[2]], "median", generator(), num_resamples=100_000)
    assert found == pytest.approx(run_interval(RAGGED[2], "mean"), abs=0.02)


def test_the_median_of_tasks_far_apart_has_the_interval_of_the_middle_one():
    found = task_interval([RAGGED[1] - 100, RAGGED[2], RAGGED[0] + 100], "median", generator(), num_resamples=100_000)
    assert found == pytest.approx(run_interval(RAGGED[2], "mean"), abs=0.02)


@pytest.mark.parametrize("statistic", ESTIMATES)
@pytest.mark.parametrize("scores", [SCORES, RAGGED], ids=["matrix", "ragged"])
def test_an_interval_holds_the_estimate_and_the_same_generator_gives_it_again(scores, statistic):
    low, high = task_interval(scores, statistic, generator())
    assert low < ESTIMATES[statistic](scores) < high
    assert task_interval(scores, statistic, generator()) == (low, high)


@pytest.mark.parametrize("statistic", ESTIMATES)
def test_more_confidence_and_fewer_runs_are_wider(statistic):
    widths = [
        np.ptp(task_interval(scores, statistic, generator(), confidence=confidence))
        for scores, confidence in ((SCORES, 0.8), (SCORES, 0.95), (SCORES[:3], 0.95))
    ]
    assert widths == sorted(widths)


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
def test_an_interval_moves_and_grows_with_its_scores(statistic):
    low, high = task_interval(SCORES, statistic, generator())
    found = task_interval(10 * SCORES + 3, statistic, generator())
    assert found == pytest.approx((10 * low + 3, 10 * high + 3))


@pytest.mark.parametrize("statistic", ESTIMATES)
def test_runs_that_all_score_the_same_leave_no_width(statistic):
    low, high = task_interval(np.full((4, 3), 0.25), statistic, generator())
    assert low == high == pytest.approx(0.75 if statistic == "optimality_gap" else 0.25)


def test_the_profile_of_tasks_that_are_alike_is_that_of_one_with_as_many_runs():
    task = np.arange(10.0)
    found = profile_interval([task, task, task], np.array([1.5]))
    low, high = wilson_interval(24, 30)
    assert found == (pytest.approx([low]), pytest.approx([high]))


def test_a_profile_stays_between_none_and_all_and_knows_that_tasks_are_apart():
    low, high = profile_interval([np.zeros(5), np.ones(5)], np.array([-1.0, 0.5, 2.0]))
    assert ((low >= 0) & (high <= 1) & (low < high)).all()
    pooled = wilson_interval(5, 10)
    assert pooled[0] < low[1] < 0.5 < high[1] < pooled[1]


@pytest.mark.parametrize("scores", [[np.ones(3), np.ones(2)], [np.ones(3), np.array([1, 2, np.nan])]])
def test_scores_without_an_interval_are_refused(scores):
    whole = [np.ones(3), np.ones(3)]
    for call in (
        *(lambda statistic=statistic: task_interval(scores, statistic, generator()) for statistic in ESTIMATES),
        lambda: profile_interval(scores, np.array([0.5])),
        lambda: improvement_interval(whole, scores, generator()),
        lambda: improvement_interval(scores, whole, generator()),
    ):
        with pytest.raises(ValueError, match="^scores of task 1: (at least 3 runs are needed|one is not finite)"):
            call()
