"""Expectiles against numbers worked out by hand."""

import pytest
import torch

from lifelong_rl.losses.expectile import expectile_weight, mean_where


def test_what_was_better_than_expected_weighs_the_expectile_and_the_rest_what_is_left_of_one():
    weight = expectile_weight(torch.tensor([-2.0, -1e-6, 0.0, 3.0]), 0.9)
    assert weight.tolist() == pytest.approx([0.1, 0.1, 0.9, 0.9])


def test_an_expectile_of_one_half_weighs_all_alike():
    assert expectile_weight(torch.tensor([-1.0, 1.0]), 0.5).tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("expectile", "expected"), [(0.5, 0.5), (0.75, 0.75), (0.9, 0.9), (0.2, 0.2)])
def test_the_least_loss_of_a_fair_coin_lies_where_both_sides_pull_alike(expectile, expected):
    """Of the outcomes 0 and 1: expectile * (1 - v) = (1 - expectile) * v, hence v = expectile."""
    outcomes, value = torch.tensor([0.0, 1.0]), torch.tensor(0.5, requires_grad=True)
    for _ in range(300):
        error = outcomes - value
        loss = (expectile_weight(error.detach(), expectile) * error.square()).sum()
        value.data -= 0.1 * torch.autograd.grad(loss, value)[0]
    assert value.item() == pytest.approx(expected, abs=1e-3)


def test_a_mean_over_some_rows_leaves_the_others_out_for_each_member():
    value = torch.tensor([[1.0, 100.0, 3.0], [0.0, 7.0, 1.0]])
    assert mean_where(value, torch.tensor([True, False, True])).tolist() == [2.0, 0.5]


def test_a_mean_over_no_row_is_nought_and_has_a_gradient_of_nought():
    value = torch.ones(2, requires_grad=True)
    mean = mean_where(value, torch.tensor([False, False]))
    mean.backward()
    assert mean.item() == 0 and value.grad is not None and value.grad.tolist() == [0, 0]
