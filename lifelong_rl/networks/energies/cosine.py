"""Cosine of the angle between the embeddings, as contrastive learners use it (Chen et al. 2020, arXiv:2002.05709)."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.networks.energies.base import EnergyHead


@dataclass(frozen=True, kw_only=True)
class CosineConfig:
    """Energies lie in +-1 / temperature."""

    temperature: float = 1.0


class Cosine(EnergyHead):
    """cos(x, y) / temperature; 0, with finite gradients, where an embedding is 0."""

    is_quasimetric = False
    is_symmetric = True

    def __init__(self, config: CosineConfig, input_size: int) -> None:
        super().__init__()
        if config.temperature <= 0:
            raise ValueError(f"cosine.temperature must be positive, got {config.temperature}")
        self.temperature = config.temperature

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cosine_similarity(x, y, dim=-1) / self.temperature
