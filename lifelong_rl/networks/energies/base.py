"""What every energy head promises: two embeddings in, one number out, higher where they are closer."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class EnergyHead(nn.Module, ABC):
    """Energy of pairs of embeddings; minus the distance wherever the head is a metric of some kind.

    A quasimetric head keeps, for all parameters: energy <= 0, energy(x, x) = 0 and
    energy(x, z) >= energy(x, y) + energy(y, z). A symmetric one keeps energy(x, y) = energy(y, x).
    """

    is_quasimetric: bool
    is_symmetric: bool

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x [..., D], y [..., D] (leading shapes broadcast) -> energy [...], never in half precision.

        Distances of a few steps in a range of hundreds do not fit into 8 bits of mantissa, so autocast stops here.
        """
        with torch.autocast(x.device.type, enabled=False):
            return self.energy(_widened(x), _widened(y))

    @abstractmethod
    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        """The same, of embeddings in at least float32."""


def component_size(place: str, input_size: int, components: int) -> int:
    """How many of `input_size` numbers each component gets."""
    if components < 1 or input_size % components:
        divisors = [k for k in range(1, input_size + 1) if input_size % k == 0]
        nearest = min(divisors, key=lambda k: abs(k - components))
        raise ValueError(f"{place} must divide the input size {input_size}, got {components}. Nearest: {nearest}")
    return input_size // components


def _widened(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
