"""Twin delayed DDPG (Fujimoto et al. 2018, arXiv:1802.09477): the critics' number, rule and delay are the parts'."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.agents.ddpg import DDPGAgent
from lifelong_rl.agents.learners import TargetConfig
from lifelong_rl.agents.off_policy import OffPolicyParts
from lifelong_rl.config import ConfigError
from lifelong_rl.networks.actors import DeterministicActor
from lifelong_rl.types import Batch


@dataclass(frozen=True, kw_only=True)
class SmoothingConfig:
    """Gaussian noise on the target's action, in halves of the action range."""

    std: float = 0.2
    clip: float = 0.5

    def __post_init__(self) -> None:
        if min(self.std, self.clip) < 0:
            raise ConfigError(f"std and clip must not be negative, got {self.std} and {self.clip}.")


class TD3Agent(DDPGAgent):
    """Similar actions shall have similar values: the target acts with noise."""

    def __init__(
        self, parts: OffPolicyParts[DeterministicActor], target: TargetConfig, smoothing: SmoothingConfig
    ) -> None:
        super().__init__(parts, target)
        self.smoothing = smoothing

    @torch.no_grad()
    def next_action(self, batch: Batch) -> Tensor:
        action = super().next_action(batch)
        noise = torch.empty_like(action).normal_(std=self.smoothing.std, generator=self.generator)
        return (action + noise.clamp(-self.smoothing.clip, self.smoothing.clip)).clamp(-1, 1)
