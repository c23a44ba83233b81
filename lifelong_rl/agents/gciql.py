"""Goal-conditioned implicit Q-learning (Kostrikov et al. 2022, arXiv:2110.06169; Park et al. 2024, OGBench)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from lifelong_rl.agents.imitation import Imitator
from lifelong_rl.agents.learners import CriticLearner
from lifelong_rl.agents.off_policy import ActingPolicy, as_networks_take_it
from lifelong_rl.agents.value_learning import ValueLearner, WeightingConfig, among_reached, judged
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.expectile import mean_where
from lifelong_rl.losses.value_rules import bootstrapped
from lifelong_rl.networks.actors import TanhNormal
from lifelong_rl.networks.values import GoalValue
from lifelong_rl.types import Batch, Metrics, Policy, TaskSpec


class Extraction(Protocol):
    """How the actor learns from Q and V."""

    def score(
        self, distribution: TanhNormal, action: Tensor, q_of: Callable[[Tensor], Tensor], value: Tensor
    ) -> Tensor:
        """[B], what the actor climbs: `action` [B, A] is the data's, `q_of` maps actions to the least Q [B]."""
        ...


@dataclass(frozen=True, kw_only=True)
class AdvantageWeightedConfig(WeightingConfig):
    """Copies the data's actions, the more the better they are than V (Peng et al. 2019, arXiv:1910.00177)."""

    scale: float = 3.0

    def score(
        self, distribution: TanhNormal, action: Tensor, q_of: Callable[[Tensor], Tensor], value: Tensor
    ) -> Tensor:
        weight = self.weight(q_of(action).detach() - value)
        return weight * distribution.log_prob(action)


@dataclass(frozen=True, kw_only=True)
class GradientAndCloningConfig:
    """Climbs Q, in units of its mean size, and stays near the data (Fujimoto and Gu 2021, arXiv:2106.06860)."""

    cloning_weight: float = 0.3

    def __post_init__(self) -> None:
        if self.cloning_weight < 0:
            raise ConfigError(f"cloning_weight must not be negative, got {self.cloning_weight}.")

    def score(
        self, distribution: TanhNormal, action: Tensor, q_of: Callable[[Tensor], Tensor], value: Tensor
    ) -> Tensor:
        q = q_of(distribution.squashed_mean())
        return q / q.detach().abs().mean().clamp(min=1e-6) + self.cloning_weight * distribution.log_prob(action)


EXTRACTIONS = {"ddpg_bc": GradientAndCloningConfig, "awr": AdvantageWeightedConfig}


class GCIQLAgent:
    """Q learns from V at the next state, V an expectile of Q over the data's actions: no other action is ever asked."""

    def __init__(
        self,
        value: ValueLearner[GoalValue],
        critic: CriticLearner,
        imitator: Imitator,
        extraction: Extraction,
        spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:
        self.value, self.critic, self.imitator, self.extraction = value, critic, imitator, extraction
        self.actor, self.spec, self.generator = imitator.actor, spec, generator

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self.imitator.acting(explore, self.generator), None, self.spec)

    def prepare(self) -> Metrics:
        return {}

    def update(self, batch: Batch) -> Metrics:
        batch = as_networks_take_it(batch, None, self.spec)
        metrics = self._update_value(batch) | self._update_critic(batch) | self._update_actor(batch)
        self.critic.target.follow()
        return metrics

    def _update_value(self, batch: Batch) -> Metrics:
        with torch.no_grad():
            q = self.critic.rule.next_value(self.critic.target.network(batch.observation, batch.action, batch.goal))
        advantage = q - self.value.value(batch.observation, batch.goal)
        return self.value.learn(batch, q, advantage, judged(batch, self.spec).is_known)

    def _update_critic(self, batch: Batch) -> Metrics:
        way, critic = judged(batch, self.spec), self.critic
        next_value = self.value.value(batch.next_observation, batch.goal)
        target = bootstrapped(way.reward, way.discount, next_value, critic.config.target_range)
        q = critic.network(batch.observation, batch.action, batch.goal)
        loss = mean_where((q - target).square(), way.is_known).sum()
        critic.optimizer.descend(critic.config.loss_scale * loss)
        return {"critic_loss": loss.detach(), "q_mean": q.detach().mean()}

    def _update_actor(self, batch: Batch) -> Metrics:
        distribution = self.actor.network(batch.observation, batch.goal)
        value = self.value.value(batch.observation, batch.goal)

        def q_of(action: Tensor) -> Tensor:
            return self.critic.score(batch, action)

        score = among_reached(self.extraction.score(distribution, batch.action, q_of, value), batch)
        return {"actor_loss": self.actor.climb(score, distribution.squashed_mean())}

    def state_dict(self) -> dict[str, Any]:
        return {
            "value": self.value.state_dict(), "critic": self.critic.state_dict(), "actor": self.actor.state_dict(),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value.load_state_dict(state["value"])
        self.critic.load_state_dict(state["critic"])
        self.actor.load_state_dict(state["actor"])
