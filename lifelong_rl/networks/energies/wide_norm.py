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
    concave_lines: int = 5
    reduction: Reduction = "maxmean"


class WideNorm(EnergyHead):
    """Component k is |W_k [relu(x - y), relu(y - x)]| with W_k >= 0."""

    is_symmetric = False

    def __init__(self, config: WideNormConfig, input_size: int) -> None:
        super().__init__()
        self.parts = (config.components, config.component_size)
        self.linear = PositiveLinear(2 * input_size, config.components * config.component_size)
        self.concave = Concave(config.components, config.concave_lines)
        self.reduce = Reduce(config.reduction)
        self.is_quasimetric = self.reduce.is_quasimetric

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        difference = x - y
        both_ways = torch.cat((difference, -difference), -1).relu()
        norms = _Norms.apply(self.linear(both_ways).unflatten(-1, self.parts))  # [..., K]
        return -self.reduce(self.concave(norms))


class _Norms(torch.autograd.Function):
    """Of x [..., K, D] over its last dimension, with gradient 0 at 0.

    x is by far the largest tensor of a critic. This backward writes one like it, vector_norm's own three.
    """

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        norms = vector_norm(x, dim=-1)
        ctx.save_for_backward(x, norms)
        return norms

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        x, norms = ctx.saved_tensors
        return x * torch.where(norms > 0, gradient / norms, 0.0).unsqueeze(-1)
