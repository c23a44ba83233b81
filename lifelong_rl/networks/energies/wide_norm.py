"""Wide norm (Pitis et al. 2020, arXiv:2002.05825): many norms of the positive and negative parts of x - y."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lifelong_rl.networks.energies.base import EnergyHead
from lifelong_rl.networks.energies.pieces import Concave, PositiveLinear, Reduce, Reduction


@dataclass(frozen=True, kw_only=True)
class WideNormConfig:
    """Has 2 D x components x component_size weights."""

    components: int = 32
    component_size: int = 32
    reduction: Reduction = "maxmean"


class WideNorm(EnergyHead):
    """Component k is |W_k [relu(x - y), relu(y - x)]| with W_k >= 0."""

    is_quasimetric = True
    is_symmetric = False

    def __init__(self, config: WideNormConfig, input_size: int) -> None:
        super().__init__()
        self.parts = (config.components, config.component_size)
        self.linear = PositiveLinear(2 * input_size, config.components * config.component_size)
        self.concave = Concave(config.components)
        self.reduce = Reduce(config.reduction)

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        difference = x - y
        both_ways = torch.cat((difference, -difference), -1).relu()
        norms = vector_norm(self.linear(both_ways).unflatten(-1, self.parts), dim=-1)  # [..., K]
        return -self.reduce(self.concave(norms))
