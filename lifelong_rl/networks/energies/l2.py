"""Minus the Euclidean distance of the embeddings: the symmetric baseline."""

from dataclasses import dataclass

from torch import Tensor
from torch.linalg import vector_norm

from lifelong_rl.networks.energies.base import EnergyHead


@dataclass(frozen=True, kw_only=True)
class L2Config:
    """Nothing to choose."""


class L2(EnergyHead):
    """-|x - y|, with gradient 0 where x = y."""

    is_quasimetric = True
    is_symmetric = True

    def __init__(self, config: L2Config, input_size: int) -> None:
        super().__init__()

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        return -vector_norm(x - y, dim=-1)
