"""Gradients are kept within limits before they are followed: all together, and each entry by itself."""

import pytest
import torch
from torch import Tensor

from lifelong_rl.agents.learners import LearningConfig, optimizer_for
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.networks.optimizer import DecayConfig, Optimizer

SLOPES = torch.tensor([3.0, -4.0, 0.5])  # 5.02 long


def followed(**limits: float) -> Tensor:
    """The gradient [3] that Adam is shown, for slopes of 3, -4 and 0.5: its first moment is a tenth of it."""
    parameter = torch.zeros(3, requires_grad=True)
    optimizer = optimizer_for([parameter], from_dict(LearningConfig, limits))
    optimizer.descend((SLOPES * parameter).sum())
    moment: Tensor = optimizer.state_dict()["means"][0]
    return moment * 10


def test_gradients_are_followed_as_they_are_where_nothing_limits_them():
    assert torch.allclose(followed(), SLOPES)


def test_each_entry_is_kept_within_its_limit_and_the_others_stay():
    assert torch.allclose(followed(max_gradient_value=2.0), torch.tensor([2.0, -2.0, 0.5]))
    assert torch.allclose(followed(max_gradient_value=5.0), SLOPES)


def test_a_gradient_that_is_too_long_keeps_its_direction():
    assert torch.allclose(followed(max_gradient_norm=1.0), SLOPES / SLOPES.norm(), atol=1e-5)


def test_the_length_is_limited_before_the_entries_are():
    shortened = SLOPES * 2.5 / SLOPES.norm()  # 1.49, -1.99, 0.25
    assert torch.allclose(followed(max_gradient_norm=2.5, max_gradient_value=1.0), shortened.clamp(-1, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["max_gradient_norm", "max_gradient_value"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ConfigError, match=f"variant: {name} must be positive, got 0.0"):
        from_dict(LearningConfig, {name: 0})


@pytest.mark.parametrize("decay", [None, DecayConfig(updates=4)])
def test_steps_are_those_of_torchs_adamw_to_the_last_bit_also_after_a_load(decay):
    ours, theirs, loaded = ([torch.linspace(-1, 1, 12).view(3, 4).clone().requires_grad_()] for _ in range(3))
    optimizer, reference = Optimizer(ours, 0.1, decay), torch.optim.AdamW(theirs, lr=0.1, weight_decay=0, fused=True)
    for step in range(6):
        if step == 3:
            other = Optimizer(loaded, 0.1, decay)
            other.load_state_dict(optimizer.state_dict())
            loaded[0].data.copy_(ours[0].data)
        reference.param_groups[0]["lr"] = 0.1 * (1 if decay is None else decay.factor(step))
        ((theirs[0] - 0.3) ** 4).sum().backward()  # type: ignore[no-untyped-call]
        reference.step()
        reference.zero_grad()
        optimizer.descend(((ours[0] - 0.3) ** 4).sum())
        if step >= 3:
            other.descend(((loaded[0] - 0.3) ** 4).sum())
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[0], loaded[0])


def test_gradients_of_any_layout_are_followed():
    """Of a sum they are one number seen many times, of a transposed view they lie in columns."""
    parameter, slopes = torch.zeros(2, 3, requires_grad=True), torch.arange(6.0).view(3, 2)
    for loss, gradient in ((parameter.sum(), torch.ones(2, 3)), ((parameter.t() * slopes).sum(), slopes.t())):
        optimizer = Optimizer([parameter], 0.1)
        optimizer.descend(loss)
        assert torch.allclose(optimizer.state_dict()["means"][0] * 10, gradient)
