"""Builds quasimetric RL: K critics, an actor, and the view of goals that they share."""

from dataclasses import dataclass, field
from typing import Any

from experiment_configs.agents.sizes import picture_shape
from lifelong_rl.agents.qrl import QRLActorConfig, QRLAgent
from lifelong_rl.agents.qrl_critic import QRLCritic, QRLCriticConfig
from lifelong_rl.agents.qrl_policies import ACTING, ByActorConfig, GreedyConfig
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.goals.views import GOAL_VIEWS, GoalView, NodeGoals, NodeGoalsConfig, StateGoals, StateGoalsConfig
from lifelong_rl.networks.actors import TanhNormalActor
from lifelong_rl.networks.critics import QuasimetricCritic, QuasimetricCriticConfig
from lifelong_rl.networks.encoders import ImageTorso
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec


@dataclass(frozen=True, kw_only=True)
class QRLConfig:
    """`goals=None` takes nodes where a goal is less than a state, else states.

    `acting=None` acts by the actor, or by the critics greedily where `actor=None` (discrete actions need that).
    """

    num_critics: int = 1
    network: QuasimetricCriticConfig = field(default_factory=QuasimetricCriticConfig)
    critic: QRLCriticConfig = field(default_factory=QRLCriticConfig)
    actor: QRLActorConfig | None = field(default_factory=QRLActorConfig)
    acting: Any = one_of(ACTING, default=None)
    goals: Any = one_of(GOAL_VIEWS, default=None)

    def __post_init__(self) -> None:
        if self.num_critics < 1:
            raise ConfigError(f"num_critics must be at least 1, got {self.num_critics}.")
        if self.actor is None and isinstance(self.acting, ByActorConfig):
            raise ConfigError("acting 'actor' needs an actor, but actor is None. Use 'greedy' or 'mppi'.")


def build_qrl(config: QRLConfig, spec: TaskSpec, seeds: Seeds, device: str) -> QRLAgent:
    """Call it with torch's global generator seeded: networks are initialised from it."""
    goals = _goal_view(config, spec)
    shape = picture_shape(spec)
    seen: int | tuple[int, ...] = spec.observation_shape[0] if shape is None else shape
    critics = []
    for _ in range(config.num_critics):
        network = QuasimetricCritic(config.network, seen, spec.action_size, goals.size).to(device)
        critics.append(QRLCritic(config.critic, network, goals))
    if config.actor is not None and spec.discrete:
        raise ConfigError(f"variant.agent.actor: {spec.name} has discrete actions; QRL acts there with actor=None.")
    actor = None if config.actor is None else _actor(config.actor, spec, goals.size).to(device)
    acting = config.acting or (GreedyConfig() if actor is None else ByActorConfig())
    generator = seeds.torch("agent", device)
    return QRLAgent(config.actor or QRLActorConfig(), acting, critics, actor, goals, spec, generator)


def _actor(config: QRLActorConfig, spec: TaskSpec, goal_size: int | None) -> TanhNormalActor:
    shape = picture_shape(spec)
    torso = None if shape is None else ImageTorso(shape, config.image_channels)
    size = spec.observation_shape[0] if torso is None else torso.size
    return TanhNormalActor(
        size, size if goal_size is None else goal_size, spec.action_size, config.hidden_sizes,
        layer_norm=config.layer_norm, torso=torso,
    )  # fmt: skip


def _goal_view(config: QRLConfig, spec: TaskSpec) -> GoalView:
    default = StateGoalsConfig() if spec.goal_of is None else NodeGoalsConfig()
    chosen = default if config.goals is None else config.goals
    if isinstance(chosen, StateGoalsConfig):
        if spec.goal_of is None and spec.goal_shape != spec.observation_shape:
            shapes = f"goals of shape {list(spec.goal_shape)}, observations {list(spec.observation_shape)}"
            raise ConfigError(f"variant.agent.goals: {spec.name} has {shapes}: no goal is a state there.")
        return StateGoals(chosen, spec)
    if picture_shape(spec) is not None:
        raise ConfigError(f"variant.agent.goals: {spec.name} shows pictures, which are states. Use goals='state'.")
    return NodeGoals(chosen, spec)
