"""Models of what a step does, and how they learn; for agents that imagine (Yang et al. 2021, arXiv:2107.00306)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.learners import LearningConfig, optimizer_for
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.dynamics import absolute_error
from lifelong_rl.networks.dynamics import Dynamics
from lifelong_rl.types import Metrics


@dataclass(frozen=True, kw_only=True)
class DynamicsLearningConfig(LearningConfig):
    """`fits_per_batch` steps of the optimizer follow each batch of real steps."""

    learning_rate: float = 1e-3
    fits_per_batch: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fits_per_batch < 1:
            raise ConfigError(f"fits_per_batch must be at least 1, got {self.fits_per_batch}.")


class DynamicsLearner:
    """K models; each learns from rows of its own, so they differ where little was seen."""

    def __init__(self, config: DynamicsLearningConfig, network: Dynamics) -> None:
        self.config, self.network = config, network
        self.optimizer = optimizer_for(network.parameters(), config)

    def update(self, observation: Tensor, action: Tensor, next_observation: Tensor) -> Metrics:
        """From real steps: [B, O] as the task shows them, [B, A] in [-1, 1] or one-hot, [B, O]."""
        network = self.network
        network.learn(observation, next_observation)
        rows = own_rows(network.config.num_models, len(observation), observation.device)
        wanted = network.wanted(observation, next_observation)[rows]
        for _ in range(self.config.fits_per_batch):
            loss = absolute_error(network(observation[rows], action[rows]), wanted)
            self.optimizer.descend(self.config.loss_scale * loss)
        return {"model_error": loss.detach() / network.config.num_models}  # in units of the usual change

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def own_rows(num_models: int, batch_size: int, device: torch.device) -> Tensor:
    """[K, B // K] row numbers, none of them twice; one row each, taken in turn, where there are fewer rows than models.

    Up to K - 1 rows at the end are left out: a batch is in random order.
    """
    size = max(1, batch_size // num_models)
    return (torch.arange(num_models * size, device=device) % batch_size).view(num_models, size)
