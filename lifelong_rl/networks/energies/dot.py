"""Inner product of the embeddings: the bilinear value network (Hong et al. 2022, arXiv:2204.13695)."""

from dataclasses import dataclass

from torch import Tensor

from lifelong_rl.networks.energies.base import EnergyHead


@dataclass(frozen=True, kw_only=True)
class DotConfig:
    """Nothing to choose."""


class Dot(EnergyHead):
    """x . y, of any sign: no distance."""

    is_quasimetric = False
    is_symmetric = True

    def __init__(self, config: DotConfig, input_size: int) -> None:
        super().__init__()

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum(-1)
