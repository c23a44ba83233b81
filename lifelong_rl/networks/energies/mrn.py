"""Metric residual network (Liu et al. 2023, arXiv:2208.08133): a metric plus an asymmetric residual.

With the root that the authors put around the metric part in December 2022; squared, it breaks the triangle inequality.
Their ablations leave out a part, or take something else than the maximum; here they have the root as well.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.linalg import vector_norm

from lifelong_rl.networks.energies.base import EnergyHead
from lifelong_rl.networks.energies.pieces import Reduce, Reduction
from lifelong_rl.networks.mlp import MLP


@dataclass(frozen=True, kw_only=True)
class MRNConfig:
    """The authors' sizes. `has_metric=False` leaves the metric part out, `residual=None` the asymmetric one."""

    hidden_sizes: tuple[int, ...] = (176,)
    part_size: int = 16  # numbers in the symmetric part, and in the asymmetric part
    has_metric: bool = True
    residual: Reduction | None = "max"


class MRN(EnergyHead):
    """Root mean square of f(x) - f(y), plus the largest positive entry of h(x) - h(y)."""

    def __init__(self, config: MRNConfig, input_size: int) -> None:
        super().__init__()
        if not config.has_metric and config.residual is None:
            raise ValueError("mrn.residual must not be None where has_metric is false: nothing would be left")
        sizes = (input_size, config.hidden_sizes, config.part_size)
        self.symmetric = MLP(*sizes) if config.has_metric else None
        self.asymmetric = None if config.residual is None else MLP(*sizes)
        self.reduce = Reduce(config.residual or "max")
        self.is_quasimetric, self.is_symmetric = self.reduce.is_quasimetric, self.asymmetric is None

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        parts = []
        if self.symmetric is not None:
            difference = self.symmetric(x) - self.symmetric(y)
            parts.append(vector_norm(difference, dim=-1) * difference.shape[-1] ** -0.5)  # gradient 0 at 0, not NaN
        if self.asymmetric is not None:
            parts.append(self.reduce((self.asymmetric(x) - self.asymmetric(y)).relu()))
        return -sum(parts[1:], parts[0])
