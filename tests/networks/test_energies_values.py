"""Heads of the metric residual study against numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from lifelong_rl.networks.energies import build_energy
from lifelong_rl.networks.energies.deep_norm import DeepNormConfig
from lifelong_rl.networks.energies.mrn import MRNConfig
from lifelong_rl.networks.energies.pieces import Concave, Reduce
from lifelong_rl.networks.energies.wide_norm import WideNormConfig

X, Y = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])


def identity(network: nn.Module) -> None:
    """A network without hidden layers passes its input on."""
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.eye(2))


def straight(concave: Concave) -> None:
    """Maps every component to itself: slope 2 sigmoid(0) = 1, and other lines far above."""
    with torch.no_grad():
        concave.raw_slope.zero_()
        concave.raw_intercept.fill_(1e3)


@pytest.mark.parametrize(
    ("ablation", "distance"),
    [
        ({}, math.sqrt(12.5) + 3),  # the root of the mean of 9 and 16, and the larger of 3 and 0
        ({"residual": None}, math.sqrt(12.5)),
        ({"has_metric": False}, 3),
        ({"residual": "softmax"}, math.sqrt(12.5) + 3 * math.exp(3) / (math.exp(3) + 1)),
        ({"residual": "log_mean_exp"}, math.sqrt(12.5) + math.log((math.exp(3) + 1) / 2)),
    ],
)
def test_a_metric_residual_is_a_root_mean_square_plus_a_largest_entry(ablation, distance: float):
    head = build_energy(MRNConfig(hidden_sizes=(), part_size=2, **ablation), 2)
    for part in (head.symmetric, head.asymmetric):
        if part is not None:
            identity(part)
    assert -head(X, Y).item() == pytest.approx(distance)
    assert head(X, X).item() == 0


@pytest.mark.parametrize(("reduction", "distance"), [("mean", 4.0), ("max", 5.0)])
def test_a_wide_norm_takes_norms_of_what_rises_and_what_falls(reduction, distance: float):
    head = build_energy(WideNormConfig(components=2, component_size=2, reduction=reduction), 2)
    straight(head.concave)
    with torch.no_grad():  # of [relu(x - y), relu(y - x)] = [3, 0, 0, 4]: (3, 4), and (3, 0)
        head.linear.root.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]))
    assert -head(X, Y).item() == pytest.approx(distance)


def test_a_deep_norm_is_a_positive_combination_of_rectified_differences():
    config = DeepNormConfig(components=1, hidden_size=2, layers=2, concave_lines=2, reduction="mean")
    head = build_energy(config, 2)
    straight(head.concave)
    with torch.no_grad():  # x - y = (3, -4): first layer relu(3, 4), second 1 * 3 + 4 * 4 - 3 * 3
        head.from_difference[0].weight.copy_(torch.tensor([[1.0, 0], [0, -1]]))
        head.from_layer[0].root.copy_(torch.tensor([[1.0, 2]]))
        head.from_difference[1].weight.copy_(torch.tensor([[-3.0, 0]]))
    assert -head(X, Y).item() == pytest.approx(3 + 16 - 9)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_the_least_line_and_its_gradients_are_those_of_a_minimum_over_all_lines(shape: tuple[int, ...]):
    torch.manual_seed(0)
    concave = Concave(4, lines=6).double()
    x = (3 * torch.rand(shape, dtype=torch.float64)).requires_grad_()
    weight = torch.randn(shape, dtype=torch.float64)

    def plainly(x: Tensor) -> Tensor:
        intercept = nn.functional.pad(nn.functional.softplus(concave.raw_intercept), (0, 0, 1, 0))
        return (x.unsqueeze(-2) * 2 * concave.raw_slope.sigmoid() + intercept).amin(-2)

    inputs = (x, concave.raw_slope, concave.raw_intercept)
    fast, plain = concave(x), plainly(x)
    assert torch.allclose(fast, plain)
    gradients = zip(*(torch.autograd.grad((weight * y).sum(), inputs) for y in (fast, plain)), strict=True)
    assert all(torch.allclose(one, other) for one, other in gradients)


def test_where_lines_cross_one_of_them_has_the_gradient():
    concave = Concave(1, lines=3)
    with torch.no_grad():
        concave.raw_slope.zero_()
        concave.raw_intercept.fill_(-1e3)  # softplus 0: all lines are the same
    x = torch.tensor([[2.0]], requires_grad=True)
    assert torch.autograd.grad(concave(x).sum(), x)[0].item() == 1


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("softmax", 3 * math.exp(3) / (math.exp(3) + 1)), ("log_mean_exp", math.log((math.exp(3) + 1) / 2))],
)
def test_reductions_that_grow_faster_than_their_components_break_the_triangle(reduction, expected: float):
    reduce = Reduce(reduction)
    assert reduce(torch.tensor([3.0, 0.0])).item() == pytest.approx(expected)
    assert reduce(torch.tensor([0.0, 0.0])).item() == 0
    assert reduce(torch.tensor([3.0, 0.0])) > 2 * reduce(torch.tensor([1.5, 0.0]))
    assert not reduce.is_quasimetric
