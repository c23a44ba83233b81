"""The losses of quasimetric RL on numbers."""

import math

import pytest
import torch

from lifelong_rl.losses.quasimetric import (
    excess,
    global_push,
    pessimistic_distance,
    two_way_consistency,
    weighted_excess,
)


def test_a_pair_at_the_offset_is_pushed_with_log_two_over_sharpness():
    assert global_push(torch.full((3,), 500.0), offset=500.0, sharpness=0.01).item() == pytest.approx(100 * math.log(2))


def test_a_push_fades_with_distance():
    distance = torch.tensor([0.0, 400.0, 500.0, 900.0], requires_grad=True)
    (slope,) = torch.autograd.grad(4 * global_push(distance, offset=500.0, sharpness=0.01), distance)
    assert torch.allclose(slope, -torch.sigmoid((500 - distance) / 100))


def test_distances_below_the_cost_violate_nothing():
    assert excess(torch.tensor([0.2, 1.0]), 1.0, slack=0.25).item() == pytest.approx(-0.0625)


def test_overshoot_is_squared_and_meaned():
    assert excess(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0]), slack=0.0).item() == pytest.approx(2.0)
    assert excess(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.5]), slack=0.0).item() == pytest.approx(0.625)


def test_pairs_of_weight_zero_are_left_out():
    weight = torch.tensor([1.0, 0.0])
    assert weighted_excess(torch.tensor([3.0, 99.0]), 1.0, weight, slack=0.0).item() == pytest.approx(4.0)
    assert weighted_excess(torch.tensor([3.0, 99.0]), 1.0, 0 * weight, slack=0.5).item() == pytest.approx(-0.25)


def test_consistency_counts_both_directions():
    assert two_way_consistency(torch.tensor([2.0]), torch.tensor([0.0])).item() == pytest.approx(2.0)


def test_the_largest_of_the_critics_counts():
    assert pessimistic_distance(torch.tensor([[1.0, 5.0], [3.0, 2.0]])).item() == pytest.approx(4.0)
