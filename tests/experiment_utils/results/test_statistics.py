"""Estimates and bootstraps over tasks: against rliable, and against numbers found by hand."""

import numpy as np
import pytest
from rliable import library, metrics

from experiment_utils.results import statistics
from experiment_utils.results.statistics import (
    expanded_confidence,
    improvement_interval,
    iqm,
    mean,
    median,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap_interval,
    task_profile,
)  # fmt: skip

THRESHOLDS = np.arange(-3, 4) / 2
RAGGED = [np.array([0.0, 1.0, 2.0, 3.0]), np.array([10.0])]


@pytest.fixture
def rliable_randomness():
    """rliable draws from numpy's global generator."""
    before = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(before)


def matrices(number: int) -> list[np.ndarray]:
    """Scores of 1 to 20 runs on 1 to 10 tasks; every third is rounded, so that there are ties."""
    generator = np.random.default_rng(0)
    drawn = [generator.normal(0.5, 1.0, size=generator.integers(1, (21, 11))) for _ in range(number)]
    return [scores.round(1) if index % 3 == 0 else scores for index, scores in enumerate(drawn)]


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return np.allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (iqm, metrics.aggregate_iqm),
        (mean, metrics.aggregate_mean),
        (median, metrics.aggregate_median),
        (optimality_gap, metrics.aggregate_optimality_gap),
        (lambda x: optimality_gap(x, target=0.3), lambda x: metrics.aggregate_optimality_gap(x, gamma=0.3)),
    ],
    ids=["iqm", "mean", "median", "optimality gap", "optimality gap of 0.3"],
)
def test_estimates_on_a_thousand_matrices_are_those_of_rliable(ours, theirs):
    assert all(close(ours(scores), theirs(scores)) for scores in matrices(1000))


def test_profiles_of_a_thousand_matrices_are_those_of_rliable():
    for scores in matrices(1000):
        assert close(performance_profile(scores, THRESHOLDS), library.score_distributions(scores, THRESHOLDS))
        beside = THRESHOLDS + 1e-4  # a mean that is a threshold but for rounding may fall on either side
        assert close(task_profile(scores, beside), library.average_score_distributions(scores, beside))


def test_the_probability_of_improvement_on_a_thousand_pairs_is_that_of_rliable():
    generator = np.random.default_rng(1)
    for index, scores in enumerate(matrices(1000)):
        x = scores[:, : 1 if index % 10 else 4]  # rliable's takes a millisecond a task
        y = generator.normal(0.7, 1.0, size=(generator.integers(1, 8), x.shape[1])).round(1)
        assert close(probability_of_improvement(x, y), metrics.probability_of_improvement(x, y))


def standard_errors_apart(ours, theirs, repeats=8):
    """How far the mean ends of two intervals lie apart, in standard errors of that; each takes a seed."""
    ends = np.array([[interval(seed) for seed in range(repeats)] for interval in (ours, theirs)])
    return np.abs(ends[0].mean(0) - ends[1].mean(0)) / np.sqrt(ends.var(1, ddof=1).sum(0) / repeats)


@pytest.mark.usefixtures("rliable_randomness")
@pytest.mark.parametrize("shape", [(10, 6), (4, 20)])
def test_bootstrap_intervals_are_those_of_rliable_within_their_noise(shape):
    scores = np.random.default_rng(2).beta(2, 5, size=shape)
    estimates = {iqm: metrics.aggregate_iqm, mean: metrics.aggregate_mean, median: metrics.aggregate_median}

    def ours(seed):
        generator = np.random.default_rng(seed)
        options = {"generator": generator, "num_resamples": 500}
        return np.transpose([stratified_bootstrap_interval(scores, estimate, **options) for estimate in estimates])

    def theirs(seed):
        _, found = library.get_interval_estimates(
            {"x": scores}, lambda x: np.array([estimate(x) for estimate in estimates.values()]), reps=500
        )
        return found["x"]

    assert (standard_errors_apart(ours, theirs) <= 2).all()


@pytest.mark.usefixtures("rliable_randomness")
def test_intervals_of_improvement_are_those_of_rliable_within_their_noise():
    generator = np.random.default_rng(3)
    x, y = generator.beta(3, 4, size=(8, 3)), generator.beta(3, 5, size=(6, 3))

    def ours(seed):
        return improvement_interval(x, y, generator=np.random.default_rng(seed), num_resamples=500)

    def theirs(seed):
        _, found = library.get_interval_estimates(
            {"x,y": (x, y)}, lambda x, y: np.array([probability_of_improvement(x, y)]), reps=500
        )
        return found["x,y"][:, 0]

    assert (standard_errors_apart(ours, theirs) <= 2).all()


def test_a_task_counts_once_however_many_runs_it_has():
    assert mean(RAGGED) == pytest.approx((1.5 + 10) / 2)
    assert median(RAGGED) == pytest.approx((1.5 + 10) / 2)
    assert optimality_gap(RAGGED, target=2.0) == pytest.approx(2 - (5 / 4 + 2) / 2)
    assert performance_profile(RAGGED, np.array([0.5, 5.0])) == pytest.approx([(3 / 4 + 1) / 2, 1 / 2])
    assert task_profile(RAGGED, np.array([1.0, 5.0])) == pytest.approx([1.0, 0.5])


def test_running_a_task_twice_with_the_same_scores_leaves_the_interquartile_mean_as_it_is():
    scores = np.random.default_rng(4).normal(size=(4, 2))
    once, twice = [scores[:, 0], scores[:, 1]], [scores[:, 0], np.tile(scores[:, 1], 2)]
    assert iqm(twice) == pytest.approx(float(iqm(once)), abs=1e-12)
    assert iqm([np.arange(1.0, 9.0)]) == pytest.approx(4.5)
    assert iqm([np.array([0.0, 1.0, 2.0, 1e9])]) == pytest.approx(1.5)


def test_a_tie_is_half_a_win():
    assert probability_of_improvement([np.array([1.0, 2.0])], [np.array([1.0])]) == pytest.approx(0.75)
    assert probability_of_improvement([np.ones(3)], [np.ones(2)]) == pytest.approx(0.5)
    assert probability_of_improvement([np.ones(3), np.zeros(3)], [np.zeros(2), np.ones(4)]) == pytest.approx(0.5)


def test_estimates_take_many_resamples_at_once():
    tasks = [np.random.default_rng(5).normal(size=(7, 5)), np.random.default_rng(6).normal(size=(7, 3))]
    thresholds = np.array([-1.0, 0.0])
    for estimate in (iqm, mean, median, optimality_gap, lambda x: performance_profile(x, thresholds)):
        one_by_one = [estimate([task[row] for task in tasks]) for row in range(7)]
        assert np.allclose(estimate(tasks), one_by_one, rtol=0, atol=1e-12)


def test_a_profile_has_a_band_and_the_same_generator_gives_the_same_interval():
    scores = np.random.default_rng(7).beta(2, 2, size=(6, 4))
    thresholds = np.linspace(0, 1, 11)
    bands = [
        stratified_bootstrap_interval(
            scores, lambda x: performance_profile(x, thresholds), generator=np.random.default_rng(0), num_resamples=300
        )
        for _ in range(2)
    ]
    low, high = bands[0]
    profile = performance_profile(scores, thresholds)
    assert low.shape == (11,) and ((low <= profile) & (profile <= high)).all() and (high > low).any()
    assert np.array_equal(bands[0], bands[1])


def test_percentiles_are_those_of_numpy():
    drawn = np.random.default_rng(8).normal(size=(101, 3))
    low, high = statistics.middle(np.sort(drawn, axis=0), 0.9)
    assert np.allclose((low, high), np.percentile(drawn, [5, 95], axis=0), rtol=0, atol=1e-12)


def test_few_runs_ask_for_more_confidence_and_many_do_not():
    assert expanded_confidence(0.95, num_runs=10) == pytest.approx(1 - 2 * 0.008546, abs=1e-5)  # 2.2622 * sqrt(10 / 9)
    assert expanded_confidence(0.95, num_runs=5) > expanded_confidence(0.95, num_runs=5, num_tasks=20) > 0.95
    assert expanded_confidence(0.95, num_runs=100_000) == pytest.approx(0.95, abs=1e-4)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.diag([1, np.nan]), "scores of task 1: one is not finite; leave its run out, or give it a score."),
        ([[1, 2, 3], [np.inf]], "scores of task 1: one is not finite; leave its run out, or give it a score."),
        ([np.ones(3), []], "scores of task 1: at least 1 runs are needed, got 0."),
        ([], "scores: expected a matrix [runs, tasks] or a list with the runs of each task."),
        (np.ones(3), "scores: expected a matrix [runs, tasks] or a list with the runs of each task."),
    ],
)  # fmt: skip
def test_scores_that_are_none_are_refused(scores, message):
    with pytest.raises(ValueError) as caught:
        iqm(scores)
    assert str(caught.value) == message


def test_two_runs_have_no_interval():
    with pytest.raises(ValueError, match="^scores of task 1: at least 3 runs are needed, got 2.$"):
        stratified_bootstrap_interval([np.ones(3), np.ones(2)], mean, generator=np.random.default_rng(0))
    with pytest.raises(ValueError, match="^scores of task 0: at least 3 runs are needed, got 2.$"):
        improvement_interval([np.ones(3)], [np.ones(2)], generator=np.random.default_rng(0))


def test_two_algorithms_are_compared_on_the_same_tasks():
    with pytest.raises(ValueError, match="shorter"):
        probability_of_improvement([np.ones(3), np.ones(3)], [np.ones(3)])
