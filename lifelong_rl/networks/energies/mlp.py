"""A plain network of both embeddings: what is left without any structure."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.networks import mlp
from lifelong_rl.networks.energies.base import EnergyHead


@dataclass(frozen=True, kw_only=True)
class MLPConfig:
    """ReLU after each hidden layer."""

    hidden_sizes: tuple[int, ...] = (512, 512)


class MLP(EnergyHead):
    """Any number: neither zero at x = y nor of one sign."""

    is_quasimetric = False
    is_symmetric = False

    def __init__(self, config: MLPConfig, input_size: int) -> None:
        super().__init__()
        self.network = mlp.MLP(2 * input_size, config.hidden_sizes, 1)

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        return self.network(torch.cat(torch.broadcast_tensors(x, y), -1)).squeeze(-1)
