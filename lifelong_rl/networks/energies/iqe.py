"""Interval quasimetric embedding (Wang & Isola 2022, arXiv:2211.15120), the head of QRL (arXiv:2304.01203)."""

from dataclasses import dataclass

from torch import Tensor

from lifelong_rl.networks.energies.base import EnergyHead, component_size
from lifelong_rl.networks.energies.intervals import union_length
from lifelong_rl.networks.energies.pieces import Reduce, Reduction


@dataclass(frozen=True, kw_only=True)
class IQEConfig:
    """QRL embeds in 2048 numbers: 64 components of 32."""

    components: int = 64  # must divide the size of the embeddings
    reduction: Reduction = "maxmean"


class IQE(EnergyHead):
    """Each component is the length of the union of the intervals from x_j up to y_j."""

    is_symmetric = False

    def __init__(self, config: IQEConfig, input_size: int) -> None:
        super().__init__()
        self.parts = (config.components, component_size("iqe.components", input_size, config.components))
        self.reduce = Reduce(config.reduction)
        self.is_quasimetric = self.reduce.is_quasimetric

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.reduce(union_length(x.unflatten(-1, self.parts), y.unflatten(-1, self.parts)))
