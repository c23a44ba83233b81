"""Builds quasimetric RL: K critics, an actor, and the view of goals that they share."""

from dataclasses import dataclass, field
from typing import Any

from lifelong_rl.agents.qrl import QRLActorConfig, QRLAgent
from lifelong_rl.agents.qrl_critic import QRLCritic, QRLCriticConfig
from lifelong_rl.agents.qrl_policies import ACTING, ByActorConfig, GreedyConfig
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.goals.views import GOAL_VIEWS, GoalView, NodeGoals, NodeGoalsConfig, StateGoals, StateGoalsConfig
from lifelong_rl.networks.actors import TanhNormalActor
from lifelong_rl.networks.critics import QuasimetricCritic, QuasimetricCriticConfig
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
    observation_size, goal_size = spec.observation_shape[0], goals.size
    critics = []
    for _ in range(config.num_critics):
        network = QuasimetricCritic(config.network, observation_size, spec.action_size, goal_size).to(device)
        critics.append(QRLCritic(config.critic, network, goals))
    actor = None
    if config.actor is not None and spec.discrete:
        raise ConfigError(f"variant.agent.actor: {spec.name} has discrete actions; QRL acts there with actor=None.")
    if config.actor is not None:
        size = observation_size if goal_size is None else goal_size
        sizes, norm = config.actor.hidden_sizes, config.actor.layer_norm
        actor = TanhNormalActor(observation_size, size, spec.action_size, sizes, layer_norm=norm).to(device)
    acting = config.acting or (GreedyConfig() if actor is None else ByActorConfig())
    generator = seeds.torch("agent", device)
    return QRLAgent(config.actor or QRLActorConfig(), acting, critics, actor, goals, spec, generator)


def _goal_view(config: QRLConfig, spec: TaskSpec) -> GoalView:
    default = StateGoalsConfig() if spec.goal_of is None else NodeGoalsConfig()
    chosen = default if config.goals is None else config.goals
    if isinstance(chosen, NodeGoalsConfig):
        return NodeGoals(chosen, spec)
    return StateGoals(chosen, spec)
