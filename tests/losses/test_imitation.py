"""Weights of examples on numbers."""

import math

import pytest
import torch

from lifelong_rl.losses.imitation import (
    achieved_weight,
    exponential_weight,
    gate,
    order_statistic,
    squared_action_error,
)

ADVANTAGE = torch.tensor([-1.0, 0.0, 0.5, 4.0])


def test_a_goal_that_was_never_achieved_gives_no_example_and_others_count_alike():
    assert achieved_weight(torch.tensor([1.0, 7.0, -1.0])).tolist() == [1.0, 1.0, 0.0]


def test_examples_of_longer_ways_count_less():
    weight = achieved_weight(torch.tensor([1.0, 2.0, 5.0, -1.0]), 0.5)
    assert weight.tolist() == [0.5, 0.25, 0.03125, 0.0]


def test_weights_grow_with_the_advantage_up_to_their_limit():
    expected = [math.exp(-1), 1.0, math.exp(0.5), 10.0]
    assert exponential_weight(ADVANTAGE, 10.0).tolist() == pytest.approx(expected)
    assert exponential_weight(torch.tensor([1e6]), 10.0).tolist() == [10.0]


def test_the_gate_opens_at_the_threshold():
    assert gate(ADVANTAGE, 0.5, 0.05).tolist() == pytest.approx([0.05, 0.05, 1.0, 1.0])
    assert gate(ADVANTAGE, -math.inf, 0.05).tolist() == [1.0] * 4


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 1.0), (0.2, 2.0), (0.5, 3.0), (0.79, 4.0), (1.0, 6.0)])
def test_a_share_of_the_values_lies_below_their_order_statistic(fraction, expected):
    assert order_statistic(torch.tensor([4.0, 1.0, 6.0, 2.0, 3.0, 5.0]), fraction) == expected


def test_gated_weights_of_four_rows_by_hand():
    """Of advantages -1, 0, 0.5 and 4 the share 0.5 lies below the second least, 0; the last goal was never achieved."""
    threshold = order_statistic(ADVANTAGE, 0.5)
    weight = achieved_weight(torch.tensor([1.0, 3.0, 2.0, -1.0]), 0.9) * exponential_weight(ADVANTAGE, 1.5)
    expected = [0.9 * math.exp(-1) * 0.1, 0.9**3, 0.81 * 1.5, 0.0]
    assert (weight * gate(ADVANTAGE, threshold, 0.1)).tolist() == pytest.approx(expected)


def test_errors_of_actions_are_meaned_over_their_entries():
    action, seen = torch.tensor([[1.0, 0.0], [0.5, -1.0]]), torch.tensor([[-1.0, 1.0], [0.5, -1.0]])
    assert squared_action_error(action, seen).tolist() == [2.5, 0.0]


