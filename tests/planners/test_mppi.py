"""MPPI finds what is cheap, never loses a perfect plan, and keeps to the range."""

import pytest
import torch
from torch import Tensor

from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.planners.mppi import MPPI, MPPIConfig, shifted
from lifelong_rl.seeding import Seeds

TARGET = torch.tensor([[[0.5, -0.25], [0.5, -0.25], [-0.5, 0.75]], [[-0.9, 0.0], [0.0, 0.9], [0.3, 0.3]]])  # [N, H, A]


def squared_distance(actions: Tensor) -> Tensor:
    """[K, N, H, A] -> [K, N]."""
    return (actions - TARGET).square().sum((-1, -2))


def planner(**values: float) -> MPPI:
    return MPPI(MPPIConfig(**{"horizon": 3, "num_samples": 256, **values}), Seeds(0).torch("planner"))


def test_plans_of_all_environments_move_towards_their_own_cheapest_sequences():
    plan = planner(iterations=20, noise=0.3, temperature=0.05).improve(torch.zeros_like(TARGET), squared_distance)
    assert plan.shape == TARGET.shape
    assert (plan - TARGET).abs().max() < 0.15


def test_a_perfect_plan_is_kept_where_all_else_is_dear():
    plan = planner(temperature=1e-4).improve(TARGET, squared_distance)
    assert torch.allclose(plan, TARGET, atol=1e-3)


def test_plans_stay_in_range_even_if_the_cheapest_lies_outside():
    plan = planner(iterations=10).improve(torch.zeros_like(TARGET), lambda actions: -actions.sum((-1, -2)))
    assert plan.max() <= 1 and plan.mean() > 0.5


def test_a_large_constant_in_the_cost_changes_nothing():
    plain = planner().improve(torch.zeros_like(TARGET), squared_distance)
    raised = planner().improve(torch.zeros_like(TARGET), lambda actions: squared_distance(actions) + 1e4)
    assert torch.allclose(plain, raised, atol=1e-2)


def test_a_plan_one_step_later_repeats_its_last_action():
    assert torch.equal(shifted(TARGET), TARGET[:, [1, 2, 2]])


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"horizon": 0}, "horizon must be at least 1, got 0."),
        ({"num_samples": 0}, "num_samples must be at least 1, got 0."),
        ({"iterations": -1}, "iterations must be at least 1, got -1."),
        ({"temperature": 0.0}, "noise and temperature must be positive, got 0.7 and 0.0."),
    ],
)
def test_a_setting_that_cannot_plan_is_refused(values, complaint):
    with pytest.raises(ConfigError, match=f"^variant.agent.acting: {complaint}$"):
        from_dict(MPPIConfig, values, "variant.agent.acting")
