"""Actions as agents see them, and as tasks do: most agents work in [-1, 1], with choices as one-hot rows."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.types import TaskSpec


def to_range(action: Tensor, spec: TaskSpec) -> Tensor:
    """From [-1, 1] to the task's action range; choices stay."""
    if spec.discrete:
        return action
    return spec.action_low + (action + 1) * ((spec.action_high - spec.action_low) / 2)


def to_unit(action: Tensor, spec: TaskSpec) -> Tensor:
    """From the task's action range to [-1, 1]; choices stay."""
    if spec.discrete:
        return action
    return (action - spec.action_low) * (2 / (spec.action_high - spec.action_low)) - 1


def one_hot(action: Tensor, spec: TaskSpec) -> Tensor:
    """What latent dynamics take: choices [B] become [B, A]; other actions stay."""
    return F.one_hot(action, spec.action_size).to(torch.float32) if spec.discrete else action
