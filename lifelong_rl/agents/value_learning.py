"""What GCIVL, GCIQL and HIQL share: counting steps to goals, values by expectiles, policies by weights."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from lifelong_rl.agents.learners import CriticConfig, Follower, TargetConfig, optimizer_for
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.expectile import expectile_weight, mean_where
from lifelong_rl.losses.imitation import exponential_weight
from lifelong_rl.losses.value_rules import bootstrapped
from lifelong_rl.networks.values import ValueNetwork
from lifelong_rl.types import Batch, Metrics, TaskSpec

AnyValue = TypeVar("AnyValue", bound=ValueNetwork)


@dataclass(frozen=True, kw_only=True)
class ValueConfig(CriticConfig):
    """`expectile` 0.5 values what usually follows, near 1 the best that ever followed."""

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = True
    expectile: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.hidden_sizes, default=1) < 1 or not 0 < self.expectile < 1:
            got = f"{list(self.hidden_sizes)} and {self.expectile}"
            raise ConfigError(f"hidden_sizes must be at least 1 each and expectile in (0, 1), got {got}.")


@dataclass(frozen=True, kw_only=True)
class WeightingConfig:
    """An action of advantage A, in steps, is copied with the weight exp(scale * A), at most `limit`."""

    scale: float = 10.0
    limit: float = 100.0

    def __post_init__(self) -> None:
        if self.scale < 0 or self.limit <= 0:
            raise ConfigError(f"scale must be at least 0 and limit positive, got {self.scale} and {self.limit}.")

    def weight(self, advantage: Tensor) -> Tensor:
        return exponential_weight(self.scale * advantage, self.limit)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A batch as a way to its goals: every step costs its length until the goal is reached, and nothing afterwards."""

    reward: Tensor  # [B]
    discount: Tensor  # [B], 0 where the goal was reached
    is_known: Tensor  # [B] bool: false where the task ended for good somewhere else, of which no value can be learned


def judged(batch: Batch, spec: TaskSpec) -> Judged:
    """Reached is what the task counts as success at the end, and the goal itself on the way; costs end there."""
    num_steps = torch.ones_like(batch.cost) if batch.num_steps is None else batch.num_steps
    reached = (batch.steps_to_goal > 0) & (batch.steps_to_goal <= num_steps)
    reward = -batch.cost * torch.where(reached, batch.steps_to_goal / num_steps, 1.0)
    if spec.success_fn is not None:
        reached = reached | spec.success_fn(batch.next_achieved_goal, batch.goal)
    discount = torch.where(reached, 0.0, batch.discount)
    return Judged(reward=reward, discount=discount, is_known=reached | (discount > 0))


class ValueLearner(Generic[AnyValue]):
    """K values of states, and how they learn."""

    def __init__(self, config: ValueConfig, network: AnyValue) -> None:
        self.config, self.network = config, network
        self.optimizer = optimizer_for(network.parameters(), config)

    def learn(self, batch: Batch, target: Tensor, advantage: Tensor, where: Tensor) -> Metrics:
        """Learns an expectile of `target` [K, B] or [B]; `advantage` [B] says what was better than expected."""
        weight = expectile_weight(advantage, self.config.expectile)
        value = self.network(batch.observation, batch.goal)
        loss = mean_where(weight * (target - value).square(), where).sum()
        self.optimizer.descend(self.config.loss_scale * loss)
        return {"value_loss": loss.detach(), "value_mean": value.detach().mean()}

    @torch.no_grad()
    def value(self, observation: Tensor, goal: Tensor) -> Tensor:
        """[B], minus the discounted steps from observations to goals: the members' mean."""
        mean: Tensor = self.network(observation, goal).mean(0)
        return mean

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


class BootstrappedValue(ValueLearner[AnyValue]):
    """Each of the K learns from reward + discount * its target's next value.

    Whether that was better than expected, they judge together: by the least of their targets' next values and the mean
    of those here (Park et al. 2024, OGBench, arXiv:2410.20092).
    """

    def __init__(self, config: ValueConfig, target: TargetConfig, network: AnyValue, spec: TaskSpec) -> None:
        super().__init__(config, network)
        self.target, self.spec = Follower(target, network), spec

    def update(self, batch: Batch) -> Metrics:
        way = judged(batch, self.spec)
        with torch.no_grad():
            next_value, value = _next_and_here(self.target.network, batch)
            learned = bootstrapped(way.reward, way.discount, next_value, self.config.target_range)
            advantage = learned.amin(0) - value.mean(0)
        return self.learn(batch, learned, advantage, way.is_known)

    @torch.no_grad()
    def advantage(self, batch: Batch) -> Tensor:
        """[B], in steps: what the transitions led to, less what was to be expected."""
        way = judged(batch, self.spec)
        next_value, value = (values.mean(0) for values in _next_and_here(self.network, batch))
        return way.reward + way.discount * next_value - value

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"target": self.target.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.target.load_state_dict(state["target"])


def among_reached(weight: Tensor, batch: Batch) -> Tensor:
    """[B] -> [B]: 0 but for rows whose goal their own episode reached later, so that a mean over B is one over those.

    Of these alone can a policy copy the way there.
    """
    is_reached = batch.steps_to_goal > 0
    return weight * is_reached * (len(weight) / is_reached.sum().clamp(min=1))


def _next_and_here(network: ValueNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """Values [K, B] of next observations and of these, in one call."""
    observation = torch.cat([batch.next_observation, batch.observation])
    next_value, value = network(observation, batch.goal.repeat(2, 1)).chunk(2, -1)
    return next_value, value
