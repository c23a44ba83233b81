"""Methods against each other: probabilities, aggregates and profiles of small cases, by hand."""

from pathlib import Path

import numpy as np
import pytest

from experiment_utils.report.comparisons import Comparisons, compare
from experiment_utils.report.scores import scores_of
from tests.experiment_utils.report.written_runs import SCORE, SUCCESS, study_of, write_finals

LOSS = "trainer/critic_loss"


def compared(folder: Path, **view: object) -> Comparisons:
    study = study_of(folder, **view)
    return compare(study, scores_of(study))


def test_a_probability_of_improvement_counts_pairs_and_halves_ties(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0, 3.0])
    write_finals(tmp_path, "b", [0.0, 2.0, 2.0])
    (found,) = compared(tmp_path).improvements
    assert (found.method, found.other) == ("a", "b")
    assert found.probability == pytest.approx(6 / 9)
    assert 0 <= found.low < 6 / 9 < found.high <= 1


def test_where_less_is_better_the_lower_run_wins(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0, 3.0], LOSS)
    write_finals(tmp_path, "b", [0.0, 2.0, 2.0], LOSS)
    assert compared(tmp_path, y=(LOSS,)).improvements[0].probability == pytest.approx(3 / 9)


def test_three_runs_that_beat_three_prove_little(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0, 3.0])
    write_finals(tmp_path, "b", [4.0, 5.0, 6.0])
    (found,) = compared(tmp_path).improvements
    assert (found.probability, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 3))


def test_two_runs_are_compared_without_an_interval(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0])
    write_finals(tmp_path, "b", [4.0, 5.0, 6.0])
    found = compared(tmp_path)
    assert found.improvements[0].probability == 0.0 and np.isnan(found.improvements[0].low)
    assert np.isnan(found.profiles[0].low).all() and np.isfinite(found.profiles[1].low).all()


def test_tasks_count_alike_in_averages_of_one_scale(tmp_path: Path):
    for task, shift in (("maze2d-umaze-v1", 0.0), ("maze2d-large-v1", 60.0)):
        write_finals(tmp_path, "a", [20.0 + shift, 30.0 + shift, 40.0 + shift], SCORE, task)
        write_finals(tmp_path, "b", [10.0] * 3, SCORE, task)
    found = {(one.method, one.name): one for one in compared(tmp_path).aggregates}
    assert found["a", "mean"].estimate == pytest.approx((0.3 + 0.9) / 2)
    assert found["a", "median"].estimate == pytest.approx(0.6)
    assert found["a", "IQM"].estimate == pytest.approx(np.mean([0.3, 0.4, 0.8, 0.9]))
    assert found["a", "optimality gap"].estimate == pytest.approx(1 - 0.6)
    assert found["a", "mean"].low < 0.6 < found["a", "mean"].high


def test_returns_of_different_tasks_are_not_averaged(tmp_path: Path):
    for task in ("ant", "hopper"):
        write_finals(tmp_path, "a", [1.0, 2.0, 3.0], task=task)
        write_finals(tmp_path, "b", [2.0, 3.0, 4.0], task=task)
    found = compared(tmp_path)
    assert not found.aggregates and not found.profiles
    assert found.improvements[0].num_tasks == 2
    assert "no scale of multi/return_mean in common" in found.notes[0]


def test_a_method_that_lacks_a_task_is_in_no_average(tmp_path: Path):
    write_finals(tmp_path, "a", [0.5] * 3, SUCCESS, "ant")
    write_finals(tmp_path, "a", [0.7] * 3, SUCCESS, "hopper")
    write_finals(tmp_path, "b", [0.6] * 3, SUCCESS, "ant")
    found = compared(tmp_path)
    assert {one.method for one in found.aggregates} == {"a"}
    assert "Not on all tasks" in found.notes[0] and found.notes[0].endswith(": b.")


def test_a_profile_is_the_share_of_runs_above_each_score(tmp_path: Path):
    write_finals(tmp_path, "a", [0.25, 0.5, 0.75], SUCCESS)
    write_finals(tmp_path, "b", [0.1, 0.1, 0.1], SUCCESS)
    profile = compared(tmp_path).profiles[0]
    shares = dict(zip(profile.thresholds.round(2), profile.share, strict=True))
    assert (shares[0.0], shares[0.3], shares[0.5], shares[1.0]) == pytest.approx((1, 2 / 3, 1 / 3, 0))


def test_one_method_alone_is_compared_with_nothing(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0, 3.0])
    assert compared(tmp_path) == Comparisons(metric=compared(tmp_path).metric)


def test_the_same_runs_always_get_the_same_intervals(tmp_path: Path):
    write_finals(tmp_path, "a", [1.0, 2.0, 3.0, 9.0])
    write_finals(tmp_path, "b", [0.0, 2.0, 2.0, 5.0])
    assert compared(tmp_path).improvements == compared(tmp_path).improvements
