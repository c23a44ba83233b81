"""Poisson quasimetric embedding, Lebesgue measure and half-line shapes (Wang & Isola 2022, arXiv:2206.15478)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lifelong_rl.networks.energies.base import EnergyHead, component_size


@dataclass(frozen=True, kw_only=True)
class PQEConfig:
    """Components lie in [0, 1) and saturate: where distances are large, a large `scale` is needed."""

    component_size: int = 4  # must divide the size of the embeddings
    width: int = 64  # of the linear network that the weights of the components are a product of
    scale: float = 1.0  # bound on the distance at first, about


class PQE(EnergyHead):
    """Positive weighted sum of 1 - exp(-mean_j relu(x_j - y_j)).

    The weights are the squares of a product of three matrices: the depth biases learning towards few components.
    """

    is_quasimetric = True
    is_symmetric = False

    def __init__(self, config: PQEConfig, input_size: int) -> None:
        super().__init__()
        components = component_size("pqe.component_size", input_size, config.component_size)
        self.parts = (components, config.component_size)
        self.scale = config.scale
        self.first = nn.Parameter(torch.randn(config.width, components) * components**-0.5)
        self.second = nn.Parameter(torch.randn(config.width, config.width) * config.width**-0.5)
        self.third = nn.Parameter(torch.randn(config.width) * config.width**-0.5)

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        fall = (x - y).relu().unflatten(-1, self.parts).mean(-1)  # [..., K]
        weights = self.scale * (self.third @ self.second @ self.first).square()
        return torch.expm1(-fall) @ weights
