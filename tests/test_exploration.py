"""Random actions cover the range; noise is as strong as it says and stays inside."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lifelong_rl.exploration import GaussianNoise, RandomActions, RandomPolicy
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec

SPEC = TaskSpec(
    name="point", observation_shape=(3,), goal_shape=(2,), action_size=2, action_low=-2.0, action_high=6.0, horizon=10,
    reward_fn=lambda achieved, goal: achieved[..., 0], success_fn=lambda achieved, goal: achieved[..., 0] > 0,
)  # fmt: skip
MANY = (torch.zeros(20_000, 3), torch.zeros(20_000, 2))


class Constant:
    """Always acts alike, and counts its resets."""

    def __init__(self, value: float) -> None:
        self.value, self.resets = value, 0

    def reset(self, ended: Tensor) -> None:
        self.resets += 1

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        return torch.full((len(observation), 2), self.value)


def test_random_actions_are_uniform_over_the_range():
    action = RandomPolicy(SPEC, Seeds(0).torch("random"))(*MANY)
    assert action.shape == (20_000, 2)
    assert action.min() >= -2 and action.max() <= 6
    assert action.mean(0).tolist() == pytest.approx([2, 2], abs=0.1)
    assert action.std(0).tolist() == pytest.approx([8 / 12**0.5] * 2, abs=0.05)


def test_random_choices_are_equally_likely():
    choice = RandomPolicy(replace(SPEC, discrete=True, action_size=4), Seeds(0).torch("random"))(*MANY)
    assert choice.shape == (20_000,) and choice.dtype == torch.int64
    assert (choice.bincount(minlength=4) / 20_000).tolist() == pytest.approx([0.25] * 4, abs=0.02)


def test_noise_is_in_halves_of_the_action_range_around_the_policys_action():
    action = GaussianNoise(Constant(2.0), 0.1, SPEC, Seeds(0).torch("noise"))(*MANY)
    assert action.mean(0).tolist() == pytest.approx([2, 2], abs=0.02)
    assert action.std(0).tolist() == pytest.approx([0.4, 0.4], abs=0.02)


def test_noisy_actions_are_clipped_to_the_range():
    action = GaussianNoise(Constant(5.5), 1.0, SPEC, Seeds(0).torch("noise"))(*MANY)
    assert action.max() == 6 and action.min() >= -2
    assert (action == 6).float().mean() > 0.4


def test_noise_passes_resets_on():
    policy = Constant(0.0)
    GaussianNoise(policy, 0.1, SPEC, Seeds(0).torch("noise")).reset(torch.ones(3, dtype=torch.bool))
    assert policy.resets == 1


@pytest.mark.parametrize("discrete", [False, True])
def test_equal_seeds_give_equal_actions_and_other_seeds_others(discrete):
    spec = replace(SPEC, discrete=discrete)
    first, again, other = (RandomPolicy(spec, Seeds(seed).torch("random"))(*MANY) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_now_and_then_an_environment_gets_a_uniform_action_instead():
    action = RandomActions(Constant(1.0), 0.3, SPEC, Seeds(0).torch("random"))(*MANY)
    replaced = (action != 1).all(-1)
    assert replaced.float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(replaced, (action != 1).any(-1))
    assert action[replaced].mean().item() == pytest.approx(2, abs=0.1)
    assert action.min() < -1.9 and action.max() > 5.9


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_random_choices_come_never_or_always_if_told_so(probability):
    spec, seen = replace(SPEC, discrete=True, action_size=4), torch.zeros(1000, 3)
    never = torch.full((1000,), 7)

    class Chosen(Constant):
        def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
            return never

    policy = RandomActions(Chosen(0.0), probability, spec, Seeds(0).torch("random"))
    choice = policy(seen, torch.zeros(1000, 2))
    policy.reset(torch.ones(1000, dtype=torch.bool))
    assert choice.dtype == torch.int64 and (choice == 7).all() == (probability == 0)
    assert probability == 0 or choice.unique().tolist() == [0, 1, 2, 3]
