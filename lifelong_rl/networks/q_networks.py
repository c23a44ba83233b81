"""Q(s, a, g): K networks that share nothing but their input. Plain, or an energy of two embeddings.

The second kind is that of the metric residual study (Liu et al. 2023, arXiv:2208.08133). `study_critics.py` has sizes
for each of the study's critics.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError, Table, one_of
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
    """The metric residual network as published. `embedding_relu` suits heads that are networks themselves, and
    projectors; for heads that are none (dot, l2, cosine) an embedding is better left with both signs.

    With a `projection_size`, one network for both sides takes embeddings to what the head compares.
    """

    encoder_sizes: tuple[int, ...] = (176,)
    embedding_size: int = 176
    embedding_relu: bool = True
    projector_sizes: tuple[int, ...] = ()
    projection_size: int | None = None
    layer_norm: bool = False
    goal_side: Literal["observation_and_goal", "goal"] = "observation_and_goal"
    energy: Any = one_of(ENERGIES, default="mrn")

    def __post_init__(self) -> None:
        _check_sizes("encoder_sizes and embedding_size", (*self.encoder_sizes, self.embedding_size))
        _check_sizes("projector_sizes and projection_size", (*self.projector_sizes, self.head_size))
        if self.projector_sizes and self.projection_size is None:
            raise ConfigError(f"projector_sizes {list(self.projector_sizes)} need a projection_size, got None.")
        try:
            with torch.device("meta"):  # the head itself knows what fits it; nothing is computed or drawn here
                build_energy(self.energy, self.head_size)
        except ValueError as error:
            which = "embedding_size" if self.projection_size is None else "projection_size"
            raise ConfigError(f"energy does not fit {which} {self.head_size}: {error}") from None

    @property
    def head_size(self) -> int:
        """How many numbers the head compares."""
        return self.embedding_size if self.projection_size is None else self.projection_size


class PairCritic(QNetwork):
    """energy(f(s, a), h(s, g)), or energy(f(s, a), h(g)): minus a distance wherever the head is a metric."""

    def __init__(
        self, config: PairCriticConfig, count: int, observation_size: int, action_size: int, goal_size: int
    ) -> None:
        super().__init__()
        self.goal_sees_observation = config.goal_side == "observation_and_goal"
        if not goal_size and not self.goal_sees_observation:
            raise ConfigError("goal_side 'goal' needs a task with goals; here there are none: 'observation_and_goal'.")
        goal_input = goal_size + self.goal_sees_observation * observation_size
        self.action_side = _encoder(config, count, observation_size + action_size)
        self.goal_side = _encoder(config, count, goal_input)
        self.projector = None
        if config.projection_size is not None:
            sizes = config.embedding_size, config.projector_sizes, config.projection_size
            self.projector = EnsembleMLP(count, *sizes, layer_norm=config.layer_norm)
        self.heads = nn.ModuleList(build_energy(config.energy, config.head_size) for _ in range(count))

    def forward(self, observation: Tensor, action: Tensor, goal: Tensor, count: int | None = None) -> Tensor:
        asked = torch.cat([observation, goal], -1) if self.goal_sees_observation else goal
        x = self._embedded(self.action_side, torch.cat([observation, action], -1), count)
        y = self._embedded(self.goal_side, asked, count)
        return torch.stack([head(*pair) for head, *pair in zip(self.heads, x, y, strict=False)])

    def _embedded(self, side: EnsembleMLP, inputs: Tensor, count: int | None) -> Tensor:
        embedding = side(inputs, count)
        return embedding if self.projector is None else self.projector(embedding, count)


def _encoder(config: PairCriticConfig, count: int, input_size: int) -> EnsembleMLP:
    return EnsembleMLP(
        count, input_size, config.encoder_sizes, config.embedding_size, layer_norm=config.layer_norm,
        output_relu=config.embedding_relu,
    )  # fmt: skip


Q_NETWORKS: Table = {
    "monolithic": MonolithicQConfig,
    "pair": PairCriticConfig,
    "mrn": "lifelong_rl.networks.study_critics:MRNCriticConfig",
    "mrn_sym": "lifelong_rl.networks.study_critics:MRNSymConfig",
    "mrn_asym": "lifelong_rl.networks.study_critics:MRNAsymConfig",
    "mrn_softmax": "lifelong_rl.networks.study_critics:MRNSoftmaxConfig",
    "mrn_lse": "lifelong_rl.networks.study_critics:MRNLogMeanExpConfig",
    "bilinear": "lifelong_rl.networks.study_critics:BilinearConfig",
    "wide_norm": "lifelong_rl.networks.study_critics:WideNormCriticConfig",
    "deep_norm": "lifelong_rl.networks.study_critics:DeepNormCriticConfig",
    "pqe": "lifelong_rl.networks.study_critics:PQECriticConfig",
    "iqe": "lifelong_rl.networks.study_critics:IQECriticConfig",
    "l2": "lifelong_rl.networks.study_critics:L2CriticConfig",
    "cosine": "lifelong_rl.networks.study_critics:CosineCriticConfig",
}


def build_q_network(config: Any, count: int, observation_size: int, action_size: int, goal_size: int) -> QNetwork:
    """The K = `count` networks that `config` describes."""
    network = MonolithicQ if isinstance(config, MonolithicQConfig) else PairCritic
    return network(config, count, observation_size, action_size, goal_size)


def _check_sizes(name: str, sizes: tuple[int, ...]) -> None:
    if min(sizes, default=1) < 1:
        raise ConfigError(f"{name} must be at least 1 each, got {list(sizes)}.")
