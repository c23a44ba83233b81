"""Model-predictive path integral control (Williams et al. 2017), for any model of what action sequences cost."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.config import ConfigError

PlanCost = Callable[[Tensor], Tensor]  # action sequences [K, N, H, A] in [-1, 1] -> cost [K, N]


@dataclass(frozen=True, kw_only=True)
class MPPIConfig:
    """`noise` and `temperature` are in halves of the action range and in units of cost."""

    horizon: int = 8
    num_samples: int = 64
    iterations: int = 2
    noise: float = 0.7
    temperature: float = 0.5

    def __post_init__(self) -> None:
        for name in ("horizon", "num_samples", "iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if self.noise <= 0 or self.temperature <= 0:
            raise ConfigError(f"noise and temperature must be positive, got {self.noise} and {self.temperature}.")


class MPPI:
    """Improves plans [N, H, A] by the cost-weighted mean of noisy copies. Holds no plan: the caller does."""

    def __init__(self, config: MPPIConfig, generator: torch.Generator) -> None:
        self.config, self._generator = config, generator

    def improve(self, plan: Tensor, cost: PlanCost) -> Tensor:
        for _ in range(self.config.iterations):
            noise = plan.new_empty((self.config.num_samples, *plan.shape)).normal_(generator=self._generator)
            candidates = (plan + self.config.noise * noise).clamp(-1, 1)
            candidates[0] = plan  # never lose what is there
            costs = cost(candidates)
            weights = torch.softmax(-(costs - costs.amin(0)) / self.config.temperature, 0)
            plan = (weights[..., None, None] * candidates).sum(0)
        return plan


def shifted(plan: Tensor) -> Tensor:
    """The plan one step later; its last action is repeated."""
    return torch.cat([plan[:, 1:], plan[:, -1:]], 1)
