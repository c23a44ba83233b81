"""Which of the seen actions count as examples, and how much: weights of goal-conditioned imitation.

Shapes: all [B]. Sources: Ghosh et al. 2019, arXiv:1912.06088 (GCSL); Yang et al. 2022, arXiv:2202.04478 (WGCSL).
"""

import torch
from torch import Tensor


def achieved_weight(steps_to_goal: Tensor, discount: float = 1.0) -> Tensor:
    """discount ** steps until the goal was achieved; 0 where it never was (-1): no example of how to achieve it."""
    return torch.where(steps_to_goal >= 0, discount**steps_to_goal, 0.0)


def exponential_weight(advantage: Tensor, limit: float) -> Tensor:
    """exp(advantage), at most `limit`."""
    return advantage.exp().clamp(max=limit)


def gate(advantage: Tensor, threshold: Tensor | float, floor: float) -> Tensor:
    """1 from the threshold up, `floor` below it."""
    return torch.where(advantage >= threshold, 1.0, floor)


def order_statistic(values: Tensor, fraction: float) -> Tensor:
    """The value below which `fraction` of the values [N] lie: 0 gives the least, 1 the largest, nothing in between."""
    return values.kthvalue(1 + int(fraction * (len(values) - 1))).values


def squared_action_error(action: Tensor, seen: Tensor) -> Tensor:
    """[B, A], [B, A] -> [B], meaned over A."""
    return (action - seen).square().mean(-1)
