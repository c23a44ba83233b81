"""Weighted goal-conditioned supervised learning (Yang et al. 2022, arXiv:2202.04478): better examples count more."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.imitation import CloningRule, Imitator
from lifelong_rl.agents.off_policy import ActingPolicy, OffPolicyAgent, OffPolicyParts
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.imitation import achieved_weight, exponential_weight, gate, order_statistic
from lifelong_rl.networks.actors import ActorNetwork
from lifelong_rl.types import Batch, Metrics, Policy


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """Examples below a share of the recent advantages count `floor`; the share climbs from 0 over so many updates."""

    floor: float = 0.05
    final_fraction: float = 0.8
    updates: int = 8000
    num_recent: int = 50_000

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1 or not 0 <= self.final_fraction <= 1:
            values = f"{self.floor} and {self.final_fraction}"
            raise ConfigError(f"floor and final_fraction must lie in [0, 1], got {values}.")
        if min(self.updates, self.num_recent) < 1:
            values = f"{self.updates} and {self.num_recent}"
            raise ConfigError(f"updates and num_recent must be at least 1, got {values}.")

    def fraction_after(self, updates: int) -> float:
        return self.final_fraction * min(updates / self.updates, 1.0)


@dataclass(frozen=True, kw_only=True)
class ExampleWeightConfig:
    """discount ** steps to the goal, times exp(advantage) up to `advantage_limit`, times the gate (None: no gate)."""

    discount: float = 0.98
    advantage_limit: float = 10.0
    gate: GateConfig | None = GateConfig()

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1 or self.advantage_limit <= 0:
            values = f"{self.discount} and {self.advantage_limit}"
            raise ConfigError(f"discount must lie in (0, 1] and advantage_limit be positive, got {values}.")


class RecentValues:
    """A ring of the last numbers."""

    def __init__(self, size: int, device: torch.device) -> None:
        self._ring, self._num_seen = torch.zeros(size, device=device), 0

    def add(self, values: Tensor) -> None:
        """Of values [N], the last ones if there are more than the ring holds."""
        values = values[-len(self._ring) :]
        place = torch.arange(self._num_seen, self._num_seen + len(values), device=values.device) % len(self._ring)
        self._ring[place] = values
        self._num_seen += len(values)

    def order_statistic(self, fraction: float) -> Tensor | float:
        """Minus infinity where nothing was seen yet."""
        held = self._ring[: self._num_seen]
        return order_statistic(held, fraction) if len(held) else -torch.inf

    def state_dict(self) -> dict[str, Any]:
        return {"ring": self._ring, "num_seen": self._num_seen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._ring.copy_(state["ring"])
        self._num_seen = state["num_seen"]


class WGCSLAgent(OffPolicyAgent[ActorNetwork]):
    """The critic judges the actor's best actions under the goals of all rows; achieved goals alone give examples."""

    def __init__(self, parts: OffPolicyParts[ActorNetwork], rule: CloningRule, config: ExampleWeightConfig) -> None:
        super().__init__(parts)
        self.config, self.imitator = config, Imitator(rule, self.actor)
        size = 1 if config.gate is None else config.gate.num_recent
        self.recent_advantages = RecentValues(size, parts.generator.device)

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self.imitator.acting(explore, self.generator), self.normalizer, self.spec)

    def update_critic(self, batch: Batch) -> Metrics:
        with torch.no_grad():
            next_action = self.imitator.best(batch.next_observation, batch.goal)
        return self.critic.update(batch, next_action)

    def update_actor(self, batch: Batch) -> Metrics:
        advantage = self.advantage(batch)
        weight = self.example_weight(advantage, batch.steps_to_goal)
        loss = self.imitator.clone(batch, weight)
        return {"actor_loss": loss, "advantage_mean": advantage.mean(), "weight_mean": weight.mean()}

    @torch.no_grad()
    def advantage(self, batch: Batch) -> Tensor:
        """[B]: reward + discount * V(s', g) - V(s, g), with V(s, g) = Q(s, g, best action)."""
        next_value = self._value(batch.next_observation, batch)
        return batch.reward + batch.discount * next_value - self._value(batch.observation, batch)

    def example_weight(self, advantage: Tensor, steps_to_goal: Tensor) -> Tensor:
        """[B]. The batch's own advantages are among the recent ones."""
        weight = achieved_weight(steps_to_goal, self.config.discount)
        weight = weight * exponential_weight(advantage, self.config.advantage_limit)
        settings = self.config.gate
        if settings is None:
            return weight
        self.recent_advantages.add(advantage[steps_to_goal >= 0])
        threshold = self.recent_advantages.order_statistic(settings.fraction_after(self.num_updates))
        return weight * gate(advantage, threshold, settings.floor)

    def _value(self, observation: Tensor, batch: Batch) -> Tensor:
        q = self.critic.network(observation, self.imitator.best(observation, batch.goal), batch.goal)
        return self.critic.rule.next_value(q)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"recent_advantages": self.recent_advantages.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.recent_advantages.load_state_dict(state["recent_advantages"])
