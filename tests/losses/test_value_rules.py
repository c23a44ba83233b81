"""Targets and guides on numbers."""

import pytest
import torch
from torch import Tensor

from lifelong_rl.losses.value_rules import (
    VALUE_RULES,
    Pessimistic,
    PessimisticTarget,
    Single,
    bootstrapped,
    squared_error,
)

Q = torch.tensor([[1.0, 4.0], [2.0, 3.0]])  # two members, two rows


def test_a_target_is_reward_plus_discounted_value_and_the_reward_alone_at_the_end():
    target = bootstrapped(torch.tensor([-1.0, -1.0]), torch.tensor([0.9, 0.0]), torch.tensor([-5.0, -5.0]))
    assert target.tolist() == pytest.approx([-5.5, -1.0])


def test_targets_are_kept_within_what_returns_can_be():
    reward, discount, value = torch.tensor([-1.0, 0.0, -1.0]), torch.full((3,), 0.98), torch.tensor([-80.0, 3.0, -10.0])
    assert bootstrapped(reward, discount, value, (-50.0, 0.0)).tolist() == pytest.approx([-50.0, 0.0, -10.8])


@pytest.mark.parametrize(
    ("rule", "bootstraps", "guides"),
    [(Single(), [1.0, 4.0], [1.0, 4.0]), (Pessimistic(), [1.0, 3.0], [1.0, 3.0]),
     (PessimisticTarget(), [1.0, 3.0], [1.0, 4.0])],
)  # fmt: skip
def test_rules_choose_what_bootstraps_and_what_guides(rule, bootstraps, guides):
    assert rule.next_value(Q).tolist() == bootstraps
    assert rule.score(Q).tolist() == guides


@pytest.mark.parametrize("rule", [cls() for cls in VALUE_RULES.values()])
def test_the_named_number_of_members_is_enough_for_the_score(rule):
    assert torch.equal(rule.score(Q[: rule.num_guides]), rule.score(Q))


def gradient(q: Tensor, target: Tensor) -> Tensor:
    q = q.clone().requires_grad_()
    return torch.autograd.grad(squared_error(q, target), q)[0]


def test_members_learn_as_if_each_were_alone():
    target = torch.tensor([0.0, 1.0])
    assert squared_error(Q, target).item() == pytest.approx((1 + 9) / 2 + (4 + 4) / 2)
    assert torch.equal(gradient(Q, target)[1:], gradient(Q[1:], target))
