"""Q(s, a, g): K networks that share nothing but their input. Plain, or an energy of two embeddings.

The second kind is that of the metric residual study (Liu et al. 2023, arXiv:2208.08133); its numbers of weights follow
from the sizes, so they can be matched: the defaults of both have 140 thousand for FetchPush.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.networks.energies import ENERGIES, build_energy
from lifelong_rl.networks.ensemble import EnsembleMLP


class QNetwork(nn.Module, ABC):
    """K estimates of one value."""

    @abstractmethod
    def forward(self, observation: Tensor, action: Tensor, goal: Tensor, count: int | None = None) -> Tensor:
        """[B, O], [B, A] in [-1, 1], [B, G] (G may be 0) -> [K, B]; of the first `count` only, where that is given."""


@dataclass(frozen=True, kw_only=True)
class MonolithicQConfig:
    """The study's has three layers of 256."""

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = False

    def __post_init__(self) -> None:
        _check_sizes("hidden_sizes", self.hidden_sizes)


class MonolithicQ(QNetwork):
    """An MLP of state, goal and action."""

    def __init__(
        self, config: MonolithicQConfig, count: int, observation_size: int, action_size: int, goal_size: int
    ) -> None:
        super().__init__()
        size = observation_size + goal_size + action_size
        self.members = EnsembleMLP(count, size, config.hidden_sizes, 1, layer_norm=config.layer_norm)

    def forward(self, observation: Tensor, action: Tensor, goal: Tensor, count: int | None = None) -> Tensor:
        return self.members(torch.cat([observation, goal, action], -1), count).squeeze(-1)


@dataclass(frozen=True, kw_only=True)
class PairCriticConfig:
    """The metric residual network as published. `embedding_relu` suits heads that are networks themselves; for those
    that are none (dot, l2, cosine) an embedding is better left with both signs."""

    encoder_sizes: tuple[int, ...] = (176,)
    embedding_size: int = 176
    embedding_relu: bool = True
    layer_norm: bool = False
    goal_side: Literal["observation_and_goal", "goal"] = "observation_and_goal"
    energy: Any = one_of(ENERGIES, default="mrn")

    def __post_init__(self) -> None:
        _check_sizes("encoder_sizes and embedding_size", (*self.encoder_sizes, self.embedding_size))
        try:
            with torch.device("meta"):  # the head itself knows what fits it; nothing is computed or drawn here
                build_energy(self.energy, self.embedding_size)
        except ValueError as error:
            raise ConfigError(f"energy does not fit embedding_size {self.embedding_size}: {error}") from None


class PairCritic(QNetwork):
    """energy(f(s, a), h(s, g)), or energy(f(s, a), h(g)): minus a distance wherever the head is a metric."""

    def __init__(
        self, config: PairCriticConfig, count: int, observation_size: int, action_size: int, goal_size: int
    ) -> None:
        super().__init__()
        self.goal_sees_observation = config.goal_side == "observation_and_goal"
        if not goal_size and not self.goal_sees_observation:
            raise ConfigError("goal_side 'goal' needs a task with goals; here there are none: 'observation_and_goal'.")
        sizes, embedding, norm = config.encoder_sizes, config.embedding_size, config.layer_norm
        goal_input = goal_size + self.goal_sees_observation * observation_size
        self.action_side = EnsembleMLP(count, observation_size + action_size, sizes, embedding, layer_norm=norm)
        self.goal_side = EnsembleMLP(count, goal_input, sizes, embedding, layer_norm=norm)
        self.activation = nn.ReLU() if config.embedding_relu else nn.Identity()
        self.heads = nn.ModuleList(build_energy(config.energy, embedding) for _ in range(count))

    def forward(self, observation: Tensor, action: Tensor, goal: Tensor, count: int | None = None) -> Tensor:
        asked = torch.cat([observation, goal], -1) if self.goal_sees_observation else goal
        x = self.activation(self.action_side(torch.cat([observation, action], -1), count))
        y = self.activation(self.goal_side(asked, count))
        return torch.stack([head(*pair) for head, *pair in zip(self.heads, x, y, strict=False)])


Q_NETWORKS = {"monolithic": MonolithicQConfig, "pair": PairCriticConfig}
_CLASSES: dict[type, type[QNetwork]] = {MonolithicQConfig: MonolithicQ, PairCriticConfig: PairCritic}


def build_q_network(config: Any, count: int, observation_size: int, action_size: int, goal_size: int) -> QNetwork:
    """The K = `count` networks that `config` describes."""
    return _CLASSES[type(config)](config, count, observation_size, action_size, goal_size)


def _check_sizes(name: str, sizes: tuple[int, ...]) -> None:
    if min(sizes, default=1) < 1:
        raise ConfigError(f"{name} must be at least 1 each, got {list(sizes)}.")
