"""AdamW over some parameters, one call a step, with a learning rate that may fall."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
    """AdamW without weight decay (as in quasimetric-rl): `descend(loss)` is gradients, then a step.

    Gradients longer than `max_gradient_norm`, all of them taken together, are shortened to it; then each of their
    entries is kept within +-`max_gradient_value`. The step is torch's fused kernel, asked directly: `torch.optim`
    spends as long again on its own bookkeeping, a step counter for each tensor among it.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter | Tensor], learning_rate: float, decay: DecayConfig | None = None,
        *, max_gradient_norm: float | None = None, max_gradient_value: float | None = None,
    ) -> None:  # fmt: skip
        self.parameters = list(parameters)
        self._max_gradient_norm, self._max_gradient_value = max_gradient_norm, max_gradient_value
        self._learning_rate, self._decay, self._updates = learning_rate, decay, 0
        self._means = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self._squares = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self._steps = torch.zeros((), device=self.parameters[0].device)  # as many as updates, where the kernel reads it

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self._learning_rate * (1.0 if self._decay is None else self._decay.factor(self._updates))

    def descend(self, loss: Tensor) -> None:
        """Gradients of `loss` are computed for these parameters only; other networks' are neither made nor touched."""
        gradients = [each.contiguous() for each in torch.autograd.grad(loss, self.parameters)]  # the kernel wants it
        if self._max_gradient_norm is not None:
            norm = nn.utils.get_total_norm(gradients)
            torch._foreach_mul_(gradients, (self._max_gradient_norm / (norm + 1e-6)).clamp(max=1.0))
        if self._max_gradient_value is not None:
            torch._foreach_clamp_max_(gradients, self._max_gradient_value)
            torch._foreach_clamp_min_(gradients, -self._max_gradient_value)
        self._step(gradients)
        self._updates += 1

    @torch.no_grad()
    def _step(self, gradients: list[Tensor]) -> None:
        self._steps += 1
        torch._fused_adamw_(
            self.parameters, gradients, self._means, self._squares, [], [self._steps] * len(gradients),
            lr=self.learning_rate, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        return {"means": self._means, "squares": self._squares, "updates": self._updates}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, own in (("means", self._means), ("squares", self._squares)):
            for tensor, given in zip(own, state[name], strict=True):
                tensor.copy_(given)
        self._updates = state["updates"]
        self._steps.fill_(self._updates)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is computed within has no gradients of these parameters: they are not made where another climbs."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self.parameters:
                parameter.requires_grad_(True)
