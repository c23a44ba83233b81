"""Deep Q-network (Mnih et al. 2015), double by default (van Hasselt et al. 2016), told a goal where there are goals."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.agents.learners import CriticConfig, Follower, TargetConfig, optimizer_for
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.value_rules import bootstrapped
from lifelong_rl.networks.choice_q import ChoiceQ
from lifelong_rl.networks.normalizer import InputNormalizer
from lifelong_rl.types import Batch, Memoryless, Metrics, Policy, TaskSpec


@dataclass(frozen=True, kw_only=True)
class EpsilonConfig:
    """The share of random choices falls along a line from `initial` to `final`, over so many updates."""

    initial: float = 1.0
    final: float = 0.05
    updates: int = 10_000

    def __post_init__(self) -> None:
        if not 0 <= self.final <= self.initial <= 1 or self.updates < 1:
            raise ConfigError(f"0 <= final <= initial <= 1 and updates at least 1 are needed, got {self}.")

    def after(self, updates: int) -> float:
        return max(self.final, self.initial + (self.final - self.initial) * updates / self.updates)


@dataclass(frozen=True, kw_only=True)
class DQNLearningConfig(CriticConfig):
    """`huber` bends the loss from a square to a line at an error of 1."""

    is_double: bool = True
    huber: bool = True


class DQNAgent:
    """`exploration` is acted by in each environment by itself: one draw does not move them all."""

    def __init__(
        self, config: DQNLearningConfig, target: TargetConfig, exploration: EpsilonConfig, network: ChoiceQ,
        normalizer: InputNormalizer | None, spec: TaskSpec, generator: torch.Generator,
    ) -> None:  # fmt: skip
        self.config, self.exploration, self.network = config, exploration, network
        self.normalizer, self.spec, self.generator = normalizer, spec, generator
        self.target = Follower(target, network)
        self.optimizer = optimizer_for(network.parameters(), config)
        self.num_updates = 0

    def policy(self, *, explore: bool) -> Policy:
        return EpsilonGreedyPolicy(self, explore)

    def prepare(self) -> Metrics:
        return {}

    def values(self, observation: Tensor, goal: Tensor) -> Tensor:
        """[B, A], of raw observations and goals."""
        return self.network(*self._as_networks_see(observation, goal))

    def update(self, batch: Batch) -> Metrics:
        if self.normalizer is not None:
            self.normalizer.learn(batch.observation, batch.goal)
        q = self.values(batch.observation, batch.goal).gather(-1, batch.action[:, None]).squeeze(-1)
        with torch.no_grad():
            next_value = self._next_value(batch)
            target = bootstrapped(batch.reward, batch.discount, next_value, self.config.target_range)
        loss = F.smooth_l1_loss(q, target) if self.config.huber else F.mse_loss(q, target)
        self.optimizer.descend(self.config.loss_scale * loss)
        self.target.follow()
        self.num_updates += 1
        epsilon = self.exploration.after(self.num_updates)
        return {"critic_loss": loss.detach(), "q_mean": q.detach().mean(), "epsilon": epsilon}

    def _next_value(self, batch: Batch) -> Tensor:
        """[B]: the target's value of the choice that it, or where double the network itself, thinks best."""
        seen = self._as_networks_see(batch.next_observation, batch.goal)
        values = self.target.network(*seen)
        judged = self.network(*seen) if self.config.is_double else values
        return values.gather(-1, judged.argmax(-1, keepdim=True)).squeeze(-1)

    def _as_networks_see(self, observation: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        if self.normalizer is None:
            return observation, goal
        return self.normalizer.observation(observation), self.normalizer.goal(goal)

    def state_dict(self) -> dict[str, Any]:
        state = {
            "network": self.network.state_dict(), "target": self.target.state_dict(),
            "optimizer": self.optimizer.state_dict(), "num_updates": self.num_updates,
        }  # fmt: skip
        return state if self.normalizer is None else state | {"normalizer": self.normalizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.target.load_state_dict(state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.num_updates = state["num_updates"]
        if self.normalizer is not None:
            self.normalizer.load_state_dict(state["normalizer"])


class EpsilonGreedyPolicy(Memoryless):
    """The choice of the highest value; while exploring, a random one in a share of the environments."""

    def __init__(self, agent: DQNAgent, explore: bool) -> None:
        self._agent, self._explore = agent, explore

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        agent = self._agent
        values = agent.values(observation, goal)
        best = values.argmax(-1)
        if not self._explore:
            return best
        drawn = torch.rand(2, len(best), generator=agent.generator, device=best.device)
        anything = (drawn[0] * values.shape[-1]).long()
        return torch.where(drawn[1] < agent.exploration.after(agent.num_updates), anything, best)
