"""Networks and how each learns: critics from bootstrapped targets, an actor by climbing them, copies by following."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError
from lifelong_rl.losses.value_rules import Range, ValueRule, bootstrapped, squared_error
from lifelong_rl.networks.actors import ActorNetwork
from lifelong_rl.networks.optimizer import Optimizer
from lifelong_rl.networks.q_networks import QNetwork
from lifelong_rl.types import Batch, Metrics

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)
AnyActor = TypeVar("AnyActor", bound=ActorNetwork)


@dataclass(frozen=True, kw_only=True)
class TargetConfig:
    """Target networks go `rate` of the way to their sources, at every `interval`-th update of the actor."""

    rate: float = 0.005
    interval: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1 or self.interval < 1:
            raise ConfigError(f"rate must lie in (0, 1] and interval be at least 1, got {self.rate}, {self.interval}.")


@dataclass(frozen=True, kw_only=True)
class LearningConfig:
    """`loss_scale` multiplies gradients: felt by their limits and by the 1e-8 in Adam's quotient only."""

    learning_rate: float = 3e-4
    loss_scale: float = 1.0
    max_gradient_norm: float | None = None  # of all parameters together
    max_gradient_value: float | None = None  # of each entry by itself; mrl has 5

    def __post_init__(self) -> None:
        for name in ("learning_rate", "loss_scale", "max_gradient_norm", "max_gradient_value"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} must be positive, got {value}.")


def optimizer_for(parameters: Iterable[Tensor], config: LearningConfig) -> Optimizer:
    """All of `config` but the scale, which belongs to the loss."""
    return Optimizer(
        parameters, config.learning_rate,
        max_gradient_norm=config.max_gradient_norm, max_gradient_value=config.max_gradient_value,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CriticConfig(LearningConfig):
    """`target_range` bounds what is learned: with rewards of -1 and 0, returns lie in (-1 / (1 - discount), 0)."""

    target_range: Range | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target_range is not None and self.target_range[0] >= self.target_range[1]:
            raise ConfigError(f"target_range must be (low, high) with low < high, got {self.target_range}.")


@dataclass(frozen=True, kw_only=True)
class ActorConfig(LearningConfig):
    """`action_l2` times the mean square of actions in [-1, 1] is taken from what the actor climbs."""

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = False
    action_l2: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.hidden_sizes, default=1) < 1 or self.action_l2 < 0:
            raise ConfigError(f"hidden_sizes must be at least 1 each and action_l2 at least 0, got {self}.")


class Follower(Generic[AnyNetwork]):
    """A copy of a network that follows it slowly; it is never differentiated."""

    def __init__(self, config: TargetConfig, source: AnyNetwork) -> None:
        self.config, self.network = config, copy.deepcopy(source).requires_grad_(False)
        self._own: list[Tensor] = list(self.network.parameters())
        self._sources: list[Tensor] = list(source.parameters())
        self._num_calls = 0

    @torch.no_grad()
    def follow(self) -> None:
        self._num_calls += 1
        if self._num_calls % self.config.interval == 0:
            torch._foreach_lerp_(self._own, self._sources, self.config.rate)

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "num_calls": self._num_calls}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._num_calls = state["num_calls"]


class CriticLearner:
    """K critics, their target, and how they learn."""

    def __init__(self, config: CriticConfig, target: TargetConfig, rule: ValueRule, network: QNetwork) -> None:
        self.config, self.rule, self.network = config, rule, network
        self.target = Follower(target, network)
        self.optimizer = optimizer_for(network.parameters(), config)

    def update(self, batch: Batch, next_action: Tensor, next_bonus: Tensor | float = 0.0) -> Metrics:
        """Learns towards reward + discount * (next value + `next_bonus` [B])."""
        with torch.no_grad():
            next_q = self.target.network(batch.next_observation, next_action, batch.goal)
            next_value = self.rule.next_value(next_q) + next_bonus
            target = bootstrapped(batch.reward, batch.discount, next_value, self.config.target_range)
        q = self.network(batch.observation, batch.action, batch.goal)
        loss = squared_error(q, target)
        self.optimizer.descend(self.config.loss_scale * loss)
        return {"critic_loss": loss.detach(), "q_mean": q.detach().mean()}

    def score(self, batch: Batch, action: Tensor) -> Tensor:
        """[B], what the actor climbs; the critic's own parameters are constants here."""
        with self.optimizer.paused():
            return self.rule.score(self.network(batch.observation, action, batch.goal, self.rule.num_guides))

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "target": self.target.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.target.load_state_dict(state["target"])
        self.optimizer.load_state_dict(state["optimizer"])


class ActorLearner(Generic[AnyActor]):
    """An actor, and how it learns."""

    def __init__(self, config: ActorConfig, network: AnyActor) -> None:
        self.config, self.network = config, network
        self.optimizer = optimizer_for(network.parameters(), config)

    def climb(self, value: Tensor, action: Tensor) -> Tensor:
        """Raises `value` [B] by way of `action` [B, A]; returns the loss."""
        loss = -value.mean()
        if self.config.action_l2:
            loss = loss + self.config.action_l2 * action.square().mean()
        self.optimizer.descend(self.config.loss_scale * loss)
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
