"""Intervals for the runs of one task: what they are by hand, and what stays when scores are shifted or turned."""

import numpy as np
import pytest
from scipy import stats

from experiment_utils.results.run_intervals import curve_estimate, curve_interval, run_interval, wilson_interval

STATISTICS = ("mean", "iqm", "median")
SKEWED = np.array([0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.4, 0.9])

each = pytest.mark.parametrize("statistic", STATISTICS)


def test_the_mean_of_runs_that_lie_evenly_round_it_has_the_interval_of_student():
    runs = np.array([-3.0, -1.0, -0.5, 0.5, 1.0, 3.0]) + 7
    expected = stats.t.interval(0.9, len(runs) - 1, loc=runs.mean(), scale=runs.std(ddof=1) / np.sqrt(len(runs)))
    assert run_interval(runs, "mean", confidence=0.9) == pytest.approx(expected, abs=1e-6)


def test_the_interval_of_a_mean_leans_to_where_the_tail_is():
    low, high = run_interval(SKEWED, "mean")
    student_low, student_high = stats.t.interval(0.95, 7, loc=SKEWED.mean(), scale=stats.sem(SKEWED))
    assert student_low < low < SKEWED.mean() < student_high < high


def test_the_median_lies_between_two_runs_as_often_as_a_coin_says():
    assert run_interval(np.arange(5.0), "median") == (0.0, 4.0)
    # of 10: the 2nd to the 9th cover 1 - 22 / 1024, the 3rd to the 8th 1 - 112 / 1024; 95 % lies between
    share = (0.95 - (1 - 22 / 1024)) / ((1 - 112 / 1024) - (1 - 22 / 1024))
    inwards = 8 * share / (2 + 6 * share)
    assert run_interval(np.arange(10.0), "median") == pytest.approx((1 + inwards, 8 - inwards))


def test_the_interval_of_an_interquartile_mean_is_wider_than_its_percentiles_but_stays_between_the_runs():
    runs = np.random.default_rng(0).beta(2, 5, size=10)
    drawn = runs[np.random.default_rng(1).integers(10, size=(20_000, 10))]
    plain = np.percentile(stats.trim_mean(drawn, 0.25, axis=1), [2.5, 97.5])
    low, high = run_interval(runs, "iqm")
    assert runs.min() <= low < plain[0] < stats.trim_mean(runs, 0.25) < plain[1] < high <= runs.max()


@each
@pytest.mark.parametrize("num_runs", [3, 4, 5, 6, 10, 21])
def test_intervals_move_with_the_scores_and_hold_the_estimate(statistic, num_runs):
    values = np.random.default_rng(num_runs).gamma(1.0, size=(num_runs, 40))
    low, high = curve_interval(values, statistic)
    estimate = curve_estimate(values, statistic)

    assert ((low < estimate) & (estimate < high)).all()
    assert np.allclose(curve_interval(5 * values - 1000, statistic), (5 * low - 1000, 5 * high - 1000), atol=1e-5)
    assert np.allclose(curve_interval(-values, statistic), (-high, -low), atol=1e-5)
    assert (curve_interval(values, statistic, confidence=0.8)[1] < high).all()


@each
def test_many_runs_say_what_the_normal_distribution_says(statistic):
    low, high = curve_interval(np.random.default_rng(2).normal(size=(200, 100)), statistic)
    spread = {"mean": 1.0, "iqm": 1.09, "median": np.sqrt(np.pi / 2)}[statistic] / np.sqrt(200)  # asymptotic
    assert np.mean(high - low) / (2 * 1.96) == pytest.approx(spread, rel=0.05)


@each
def test_runs_that_agree_leave_no_doubt(statistic):
    for num_runs in (3, 5, 10):
        assert run_interval(np.full(num_runs, 0.3), statistic) == pytest.approx((0.3, 0.3))


@each
def test_each_point_of_a_curve_is_about_the_runs_that_come_as_far(statistic):
    values = np.random.default_rng(3).normal(size=(7, 5))
    values[6, 1:] = values[3:, 2] = values[2:, 3] = values[:, 4] = np.nan  # 7, 6, 3, 2 and 0 runs
    low, high = curve_interval(values, statistic)
    estimate = curve_estimate(values, statistic)

    for column, num_runs in enumerate((7, 6, 3)):
        there = values[~np.isnan(values[:, column]), column]
        assert len(there) == num_runs
        assert (low[column], high[column]) == pytest.approx(run_interval(there, statistic))
    assert np.isnan(low[3:]).all() and np.isnan(high[3:]).all()
    assert estimate[3] == pytest.approx(values[:2, 3].mean()) and np.isnan(estimate[4])


@each
@pytest.mark.filterwarnings("error")
def test_a_run_that_has_gone_to_infinity_takes_only_its_own_point_along(statistic):
    values = np.random.default_rng(5).normal(size=(5, 2))
    values[2, 1] = np.inf
    low, high = curve_interval(values, statistic)
    assert np.isfinite((low[0], high[0])).all() and not np.isfinite(high[1])


def test_estimates_of_a_curve_are_the_usual_ones():
    for num_runs in range(1, 12):
        values = np.random.default_rng(num_runs).normal(size=(num_runs, 3))
        assert np.allclose(curve_estimate(values, "mean"), values.mean(axis=0))
        assert np.allclose(curve_estimate(values, "median"), np.median(values, axis=0))
        assert np.allclose(curve_estimate(values, "iqm"), stats.trim_mean(values, 0.25, axis=0))


def test_the_same_curve_always_has_the_same_interval():
    values = np.random.default_rng(4).normal(size=(5, 3))
    assert np.array_equal(curve_interval(values, "iqm"), curve_interval(values[::-1], "iqm"))


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([0.1, 0.2], "scores of task 0: at least 3 runs are needed, got 2."),
        ([0.1, 0.2, np.nan], "scores of task 0: one is not finite; leave its run out, or give it a score."),
    ],
)
def test_two_runs_and_runs_without_a_score_have_no_interval(runs, message):
    with pytest.raises(ValueError) as caught:
        run_interval(np.array(runs), "mean")
    assert str(caught.value) == message


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (199, 200), (1, 1)])
def test_the_interval_of_a_success_rate_is_that_of_wilson(successes, trials):
    for confidence in (0.9, 0.95):
        expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        assert wilson_interval(successes, trials, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_success_rates_along_a_curve_have_intervals_where_there_were_trials():
    low, high = wilson_interval(np.array([0.0, 0.0, 5.0]), np.array([0.0, 10.0, 10.0]))
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert low[1] == 0 and high[1] == pytest.approx(0.2775, abs=1e-4)
    assert low[2] + high[2] == pytest.approx(1.0)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="^wilson_interval: expected 0 <= successes <= trials, got 11 of 10.$"):
        wilson_interval(11, 10)
