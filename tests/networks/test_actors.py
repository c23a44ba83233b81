"""The tanh-normal distribution against numbers and against itself."""

import math

import pytest
import torch

from lifelong_rl.networks.actors import TanhNormal, TanhNormalActor


def normal(mean: float, std: float) -> TanhNormal:
    return TanhNormal(torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[std]], dtype=torch.float64))


def test_log_prob_is_that_of_the_squashed_normal():
    action = torch.tensor([[0.3]], dtype=torch.float64)
    raw = math.atanh(0.3)
    expected = torch.distributions.Normal(0.5, 0.8).log_prob(torch.tensor(raw)) - math.log(1 - 0.09)
    assert normal(0.5, 0.8).log_prob(action).item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.7), (1.5, 0.4), (-2.0, 1.5)])
def test_the_density_integrates_to_one_with_its_tails(mean, std):
    grid = torch.linspace(-1, 1, 200_001, dtype=torch.float64)[:, None]
    density = normal(mean, std).log_prob(grid).exp()
    assert torch.trapezoid(density, grid[:, 0]).item() == pytest.approx(1, abs=2e-3)


def test_the_ends_of_the_range_have_finite_log_prob_and_gradient():
    mean = torch.zeros(1, 2, requires_grad=True)
    log_prob = TanhNormal(mean, torch.full((1, 2), 0.5)).log_prob(torch.tensor([[1.0, -1.0]]))
    (gradient,) = torch.autograd.grad(log_prob.sum(), mean)
    assert torch.isfinite(log_prob).all() and torch.isfinite(gradient).all() and gradient.abs().sum() > 0


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.693), (0.8, 0.3), (-1.0, 1.0)])
def test_entropy_agrees_with_minus_the_mean_log_prob_of_samples(mean, std):
    distribution = TanhNormal(torch.full((400_000, 1), mean), torch.full((400_000, 1), std))
    sampled = -distribution.log_prob(distribution.sample(torch.Generator().manual_seed(0))).mean()
    assert distribution.entropy()[0].item() == pytest.approx(sampled.item(), abs=0.01)


def test_a_new_actor_starts_at_mean_zero_and_spread_softplus_of_zero():
    distribution = TanhNormalActor(4, 2, 2, (8,))(torch.randn(5, 4), torch.randn(5, 2))
    assert (distribution.mean == 0).all()
    assert distribution.std[0, 0].item() == pytest.approx(math.log(2) + 1e-4)


def test_the_likeliest_sample_is_near_the_mode_of_the_density():
    distribution = TanhNormal(torch.zeros(1, 1), torch.full((1, 1), 2.0))  # its density is highest at the ends
    assert distribution.likeliest_of(100, torch.Generator().manual_seed(0)).abs().item() > 0.99
    assert distribution.squashed_mean().item() == 0
