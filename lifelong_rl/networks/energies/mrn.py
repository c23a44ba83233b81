"""Metric residual network (Liu et al. 2023, arXiv:2208.08133): a metric plus an asymmetric residual.

With the root that the authors put around the metric part in December 2022; squared, it breaks the triangle inequality.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.linalg import vector_norm

from lifelong_rl.networks.energies.base import EnergyHead
from lifelong_rl.networks.mlp import MLP


@dataclass(frozen=True, kw_only=True)
class MRNConfig:
    """The authors' sizes."""

    hidden_sizes: tuple[int, ...] = (176,)
    part_size: int = 16  # numbers in the symmetric part, and in the asymmetric part


class MRN(EnergyHead):
    """Root mean square of f(x) - f(y), plus the largest positive entry of h(x) - h(y)."""

    is_quasimetric = True
    is_symmetric = False

    def __init__(self, config: MRNConfig, input_size: int) -> None:
        super().__init__()
        self.symmetric = MLP(input_size, config.hidden_sizes, config.part_size)
        self.asymmetric = MLP(input_size, config.hidden_sizes, config.part_size)

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        difference = self.symmetric(x) - self.symmetric(y)
        metric = vector_norm(difference, dim=-1) * difference.shape[-1] ** -0.5  # has gradient 0 at 0; a root has none
        residual = (self.asymmetric(x) - self.asymmetric(y)).relu().amax(-1)
        return -(metric + residual)
