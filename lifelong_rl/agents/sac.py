"""Soft actor-critic (Haarnoja et al. 2018, arXiv:1801.01290, 1812.05905), told a goal where tasks have goals."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.off_policy import ActingPolicy, OffPolicyAgent, OffPolicyParts
from lifelong_rl.config import ConfigError
from lifelong_rl.networks.actors import ExponentialTanhNormalActor
from lifelong_rl.networks.optimizer import Optimizer
from lifelong_rl.types import Batch, Metrics, Policy


@dataclass(frozen=True, kw_only=True)
class TemperatureConfig:
    """What a nat of entropy is worth: learned, or kept at `initial`. `target_entropy=None` means -A."""

    initial: float = 1.0
    is_learned: bool = True
    learning_rate: float | None = None  # None: the actor's
    target_entropy: float | None = None

    def __post_init__(self) -> None:
        if self.initial <= 0 or (self.learning_rate is not None and self.learning_rate <= 0):
            raise ConfigError(f"initial and learning_rate must be positive, got {self.initial}, {self.learning_rate}.")


class SACAgent(OffPolicyAgent[ExponentialTanhNormalActor]):
    """Entropy counts as reward. The current actor acts in the critic's target; there is no target actor."""

    def __init__(self, parts: OffPolicyParts[ExponentialTanhNormalActor], temperature: TemperatureConfig) -> None:
        super().__init__(parts)
        self.config = temperature
        size = parts.spec.action_size
        self.target_entropy = -float(size) if temperature.target_entropy is None else temperature.target_entropy
        initial = torch.tensor(temperature.initial, device=parts.generator.device)
        self.log_temperature = initial.log().requires_grad_()
        rate = temperature.learning_rate or self.actor.config.learning_rate
        self._temperature_optimizer = Optimizer([self.log_temperature], rate) if temperature.is_learned else None

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self._sample if explore else self._mean, self.normalizer, self.spec)

    def update_critic(self, batch: Batch) -> Metrics:
        with torch.no_grad():
            distribution = self.actor.network(batch.next_observation, batch.goal)
            next_action, next_log_prob = distribution.sample_with_log_prob(self.generator)
            next_bonus = -self.log_temperature.exp() * next_log_prob
        return self.critic.update(batch, next_action, next_bonus)

    def update_actor(self, batch: Batch) -> Metrics:
        distribution = self.actor.network(batch.observation, batch.goal)
        action, log_prob = distribution.sample_with_log_prob(self.generator)
        temperature = self.log_temperature.detach().exp()
        loss = self.actor.climb(self.critic.score(batch, action) - temperature * log_prob, action)
        entropy = -log_prob.detach().mean()
        if self._temperature_optimizer is not None:
            self._temperature_optimizer.descend(self.log_temperature * (entropy - self.target_entropy))
        return {"actor_loss": loss, "entropy": entropy, "temperature": temperature}

    def _sample(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.actor.network(observation, goal).sample(self.generator)

    def _mean(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.actor.network(observation, goal).squashed_mean()

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict() | {"log_temperature": self.log_temperature.detach()}
        learned = self._temperature_optimizer
        return state if learned is None else state | {"temperature_optimizer": learned.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.log_temperature.data.copy_(state["log_temperature"])
        if self._temperature_optimizer is not None:
            self._temperature_optimizer.load_state_dict(state["temperature_optimizer"])
