"""AdamW over some parameters, one call a step, with a learning rate that may fall."""

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class DecayConfig:
    """The learning rate falls along half a cosine, over `updates`, to `final_fraction` of itself, and stays there."""

    updates: int
    final_fraction: float = 0.1

    def __post_init__(self) -> None:
        if self.updates < 1 or not 0 <= self.final_fraction <= 1:
            raise ConfigError(f"updates must be at least 1 and final_fraction in [0, 1], got {self}.")

    def factor(self, update: int) -> float:
        """What the learning rate is multiplied by after `update` updates."""
        share = min(update / self.updates, 1.0)
        return self.final_fraction + (1 - self.final_fraction) * (1 + math.cos(math.pi * share)) / 2


class Optimizer:
    """Fused AdamW without weight decay (as in quasimetric-rl): `descend(loss)` is gradients, then a step.

    Gradients longer than `max_gradient_norm`, all of them taken together, are shortened to it; then each of their
    entries is kept within +-`max_gradient_value`.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter | Tensor], learning_rate: float, decay: DecayConfig | None = None,
        *, max_gradient_norm: float | None = None, max_gradient_value: float | None = None,
    ) -> None:  # fmt: skip
        self.parameters = list(parameters)
        self._max_gradient_norm, self._max_gradient_value = max_gradient_norm, max_gradient_value
        self._learning_rate, self._decay, self._updates = learning_rate, decay, 0
        self._adam = torch.optim.AdamW(self.parameters, lr=learning_rate, weight_decay=0.0, fused=True)

    def descend(self, loss: Tensor) -> None:
        """Gradients of `loss` are computed for these parameters only; other networks' are neither made nor touched."""
        gradients = torch.autograd.grad(loss, self.parameters)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        if self._max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self._max_gradient_norm)
        if self._max_gradient_value is not None:
            nn.utils.clip_grad_value_(self.parameters, self._max_gradient_value)
        if self._decay is not None:
            self._adam.param_groups[0]["lr"] = self._learning_rate * self._decay.factor(self._updates)
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        self._updates += 1

    def state_dict(self) -> dict[str, Any]:
        return {"adam": self._adam.state_dict(), "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(copy.deepcopy(state["adam"]))  # torch would go on writing to the given tensors
        self._updates = state["updates"]
