"""The networks that a greedy policy acts by, as typed values, and the policy that they make.

One class for each way to act; the policies are those of the agents themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

import torch
from torch import Tensor, nn

from lifelong_rl.agents.off_policy import ActingPolicy
from lifelong_rl.agents.qrl_policies import ACTING, ActorPolicy, ByActorConfig, GreedyConfig, GreedyPolicy, MPPIPolicy
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.exported_policy.limits import check_positive
from lifelong_rl.goals.views import GOAL_VIEWS, GoalView, NodeGoals, StateGoals, StateGoalsConfig
from lifelong_rl.networks.actors import (
    ActorNetwork,
    CategoricalActor,
    DeterministicActor,
    ExponentialTanhNormalActor,
    TanhNormalActor,
)
from lifelong_rl.networks.choice_q import ChoiceQ
from lifelong_rl.networks.critics import QuasimetricCritic, QuasimetricCriticConfig
from lifelong_rl.networks.encoders import ImageTorso
from lifelong_rl.networks.normalizer import InputNormalizer, NormalizerConfig
from lifelong_rl.networks.values import WaypointProposer, on_sphere
from lifelong_rl.types import Policy, TaskSpec

ActorKind = Literal["deterministic", "tanh_normal", "exponential_tanh_normal", "categorical", "waypoint"]
ACTORS: dict[ActorKind, tuple[type[ActorNetwork], Callable[[Any], Tensor]]] = {  # class, and what it thinks best
    "deterministic": (DeterministicActor, lambda action: action),
    "tanh_normal": (TanhNormalActor, lambda distribution: distribution.squashed_mean()),
    "exponential_tanh_normal": (ExponentialTanhNormalActor, lambda distribution: distribution.squashed_mean()),
    "categorical": (CategoricalActor, lambda logits: logits.argmax(-1)),
    "waypoint": (WaypointProposer, lambda representation: representation),
}


class Architecture(Protocol):
    """`networks` are made of their shapes alone; `policy` acts by them."""

    def networks(self, spec: TaskSpec) -> nn.ModuleDict: ...
    def policy(self, networks: nn.ModuleDict, spec: TaskSpec, generator: torch.Generator) -> Policy: ...
    def why_not_one_pass(self, spec: TaskSpec) -> str | None:
        """None where one pass through the networks, without chance or memory, gives the action."""
        ...


class OnePass:
    """What most are."""

    def why_not_one_pass(self, spec: TaskSpec) -> str | None:
        return None


@dataclass(frozen=True, kw_only=True)
class ActorShape:
    """An actor network."""

    kind: ActorKind
    hidden_sizes: tuple[int, ...]
    layer_norm: bool
    image_channels: tuple[int, int, int] | None = None  # None: observations are flat

    def __post_init__(self) -> None:
        check_positive("hidden_sizes", self.hidden_sizes)
        check_positive("image_channels", self.image_channels or ())

    @classmethod
    def of(cls, network: ActorNetwork, settings: Any) -> "ActorShape":
        """`settings` are its agent's, with hidden_sizes and layer_norm."""
        kinds = [kind for kind, (actor, _) in ACTORS.items() if type(network) is actor]
        if not kinds:
            line = f"an actor of class {type(network).__name__} cannot be exported"
            raise ConfigError(f"{line}; known: {', '.join(ACTORS)}.")
        channels = settings.image_channels if isinstance(network.torso, ImageTorso) else None
        sizes, norm = tuple(settings.hidden_sizes), settings.layer_norm
        return cls(kind=kinds[0], hidden_sizes=sizes, layer_norm=norm, image_channels=channels)

    def network(self, observation_shape: tuple[int, ...], goal_size: int | None, outputs: int) -> ActorNetwork:
        """Without a `goal_size` goals are states."""
        torso = None if self.image_channels is None else ImageTorso(observation_shape, self.image_channels)
        size = observation_shape[0] if torso is None else torso.size
        goal = size if goal_size is None else goal_size
        make = ACTORS[self.kind][0]
        return make(size, goal, outputs, self.hidden_sizes, layer_norm=self.layer_norm, torso=torso)

    def best(self, network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
        think = ACTORS[self.kind][1]
        return lambda observation, goal: think(network(observation, goal))


@dataclass(frozen=True, kw_only=True)
class ByActor(OnePass):
    """An actor of normalised inputs: DDPG, TD3, SAC, MHER, GCBC, GCSL, WGCSL, GCIVL, GCIQL."""

    actor: ActorShape
    normalizer: NormalizerConfig | None = None

    def networks(self, spec: TaskSpec) -> nn.ModuleDict:
        actor = self.actor.network(spec.observation_shape, spec.goal_shape[0], spec.action_size)
        return nn.ModuleDict({"actor": actor, **_normalizer(self.normalizer, spec)})

    def policy(self, networks: nn.ModuleDict, spec: TaskSpec, generator: torch.Generator) -> Policy:
        return ActingPolicy(self.actor.best(networks["actor"]), _normalizer_of(networks), spec)


@dataclass(frozen=True, kw_only=True)
class ByChoiceValues(OnePass):
    """The choice of the highest value: DQN."""

    hidden_sizes: tuple[int, ...]
    layer_norm: bool
    is_dueling: bool
    normalizer: NormalizerConfig | None = None

    def __post_init__(self) -> None:
        check_positive("hidden_sizes", self.hidden_sizes)

    def networks(self, spec: TaskSpec) -> nn.ModuleDict:
        values = ChoiceQ(
            spec.observation_shape[0], spec.goal_shape[0], spec.action_size, self.hidden_sizes,
            layer_norm=self.layer_norm, is_dueling=self.is_dueling,
        )  # fmt: skip
        return nn.ModuleDict({"choice_values": values, **_normalizer(self.normalizer, spec)})

    def policy(self, networks: nn.ModuleDict, spec: TaskSpec, generator: torch.Generator) -> Policy:
        values = networks["choice_values"]
        return ActingPolicy(lambda *seen: values(*seen).argmax(-1), _normalizer_of(networks), spec)


@dataclass(frozen=True, kw_only=True)
class ByWaypoints(OnePass):
    """One actor says where to head for, another goes there: HIQL."""

    representation_size: int
    high: ActorShape
    low: ActorShape

    def __post_init__(self) -> None:
        check_positive("representation_size", (self.representation_size,))

    def networks(self, spec: TaskSpec) -> nn.ModuleDict:
        shape, size = spec.observation_shape, self.representation_size
        high = self.high.network(shape, spec.goal_shape[0], size)
        return nn.ModuleDict({"high": high, "low": self.low.network(shape, size, spec.action_size)})

    def policy(self, networks: nn.ModuleDict, spec: TaskSpec, generator: torch.Generator) -> Policy:
        head_for, act = self.high.best(networks["high"]), self.low.best(networks["low"])

        def follow(observation: Tensor, goal: Tensor) -> Tensor:
            return act(observation, on_sphere(head_for(observation, goal)))

        return ActingPolicy(follow, None, spec)


@dataclass(frozen=True, kw_only=True)
class ByQuasimetric:
    """QRL: by its actor, or by `num_critics` critics that judge what actions lead to."""

    acting: Any = one_of(ACTING)
    goals: Any = one_of(GOAL_VIEWS)
    actor: ActorShape | None = None
    critic: QuasimetricCriticConfig | None = None
    num_critics: int = 0

    def __post_init__(self) -> None:
        by_actor = isinstance(self.acting, ByActorConfig)
        if by_actor != (self.actor is not None) or by_actor == (self.critic is not None and self.num_critics > 0):
            raise ConfigError("acting 'actor' needs an actor, 'greedy' and 'mppi' a critic and num_critics.")
        if isinstance(self.acting, GreedyConfig):
            check_positive("num_candidates", (self.acting.num_candidates,))

    def networks(self, spec: TaskSpec) -> nn.ModuleDict:
        size = self._view(spec).size
        if self.actor is not None:
            return nn.ModuleDict({"actor": self.actor.network(spec.observation_shape, size, spec.action_size)})
        assert self.critic is not None
        shape = spec.observation_shape
        seen: int | tuple[int, ...] = shape[0] if len(shape) == 1 else shape
        critics = [QuasimetricCritic(self.critic, seen, spec.action_size, size) for _ in range(self.num_critics)]
        return nn.ModuleDict({f"critic_{index}": critic for index, critic in enumerate(critics)})

    def policy(self, networks: nn.ModuleDict, spec: TaskSpec, generator: torch.Generator) -> Policy:
        shared = (self._view(spec), spec, generator)
        if isinstance(self.acting, ByActorConfig):
            return ActorPolicy(cast(TanhNormalActor, networks["actor"]), *shared, mode=self.acting.mode)
        critics = [cast(QuasimetricCritic, network) for network in networks.values()]
        if isinstance(self.acting, GreedyConfig):
            return GreedyPolicy(self.acting, critics, *shared)
        return MPPIPolicy(self.acting, critics, *shared)

    def why_not_one_pass(self, spec: TaskSpec) -> str | None:
        if isinstance(self.acting, ByActorConfig):
            return None if self.acting.mode == "mean" else "it takes the likeliest of random samples"
        if isinstance(self.acting, GreedyConfig):
            return None if spec.discrete else "it takes the best of random candidates"
        return "it plans several steps ahead and remembers its plan"

    def _view(self, spec: TaskSpec) -> GoalView:
        if isinstance(self.goals, StateGoalsConfig):
            return StateGoals(self.goals, spec)
        return NodeGoals(self.goals, spec)


ARCHITECTURES = {
    "actor": ByActor, "choice_values": ByChoiceValues, "waypoints": ByWaypoints, "quasimetric": ByQuasimetric,
}  # fmt: skip


def _normalizer(config: NormalizerConfig | None, spec: TaskSpec) -> dict[str, nn.Module]:
    sizes = spec.observation_shape[0], spec.goal_shape[0]
    return {} if config is None else {"normalizer": InputNormalizer(config, *sizes)}


def _normalizer_of(networks: nn.ModuleDict) -> InputNormalizer | None:
    return cast(InputNormalizer, networks["normalizer"]) if "normalizer" in networks else None
