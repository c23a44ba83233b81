"""Who goes on to a larger budget: the best third of a rung, without waiting for the others."""

import pytest

from experiment_utils.halving import Progress, promotion, rungs


def progress(*reached: float, is_active: bool = False) -> Progress:
    return Progress(reached=reached, is_active=is_active)


@pytest.mark.parametrize(
    ("top", "reduction", "lowest", "budgets"),
    [
        (27, 3, 1, (1, 3, 9, 27)), (10, 3, 1, (1, 3, 10)), (10, 3, 2, (3, 10)), (8, 2, 1, (1, 2, 4, 8)),
        (1, 3, 1, (1,)), (100, 4, 10, (25, 100)), (3, 2, 1, (1, 2, 3)),
    ],
)  # fmt: skip
def test_each_rung_has_so_many_times_the_budget_of_the_one_below(top, reduction, lowest, budgets):
    assert rungs(top, reduction, lowest) == budgets


def next_of(*trials: Progress, num_rungs: int = 3, more_to_come: bool = True) -> int | None:
    return promotion(trials, num_rungs=num_rungs, reduction=3, more_to_come=more_to_come)


def test_the_best_of_three_goes_on_and_no_other():
    assert next_of(progress(1.0), progress(3.0)) is None
    assert next_of(progress(1.0), progress(3.0), progress(2.0)) == 1
    assert next_of(progress(1.0), progress(3.0, is_active=True), progress(2.0)) is None


def test_who_is_on_the_way_up_counts_among_the_best():
    assert next_of(progress(3.0, 5.0), *(progress(1.0),) * 4) is None
    assert next_of(progress(3.0, 5.0), progress(2.0), *(progress(1.0),) * 4) == 1


def test_the_highest_rung_comes_first():
    higher = [progress(9.0, 1.0), progress(8.0, 2.0), progress(7.0, 3.0)]
    assert next_of(*higher, progress(6.5), *(progress(0.0),) * 8) == 2


def test_one_of_few_goes_on_once_no_other_can_come():
    few = [progress(1.0), progress(2.0)]
    assert next_of(*few, more_to_come=False) == 1
    assert next_of(*few, progress(is_active=True), more_to_come=False) is None
    assert next_of(progress(1.0), progress(2.0, 2.0), more_to_come=False) == 1
    assert next_of(progress(1.0), progress(2.0, 2.0, 2.0), more_to_come=False) is None
