"""AdamW over some parameters, one call a step."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Optimizer:
    """Fused AdamW without weight decay (as in quasimetric-rl): `descend(loss)` is zero, backward, step."""

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self._adam = torch.optim.AdamW(self.parameters, lr=learning_rate, weight_decay=0.0, fused=True)

    def descend(self, loss: Tensor) -> None:
        """Gradients of `loss` are computed for these parameters only; the rest of the graph is left alone."""
        gradients = torch.autograd.grad(loss, self.parameters)
        self.step(gradients)

    def step(self, gradients: Iterable[Tensor]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return self._adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(copy.deepcopy(state))  # torch would go on writing to the given tensors
