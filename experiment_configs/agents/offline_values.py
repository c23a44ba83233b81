"""Builds GCIVL, GCIQL and HIQL: values by expectiles, policies that copy what beats them."""

from dataclasses import dataclass, field
from typing import Any

from experiment_configs.agents.sizes import flat_sizes
from lifelong_rl.agents.gciql import EXTRACTIONS, GCIQLAgent
from lifelong_rl.agents.gcivl import GCIVLAgent
from lifelong_rl.agents.hiql import HIQLAgent
from lifelong_rl.agents.imitation import ChoiceLikelihood, CloningRule, Imitator, Likelihood, SquaredError
from lifelong_rl.agents.learners import ActorConfig, ActorLearner, CriticConfig, CriticLearner, TargetConfig
from lifelong_rl.agents.value_learning import BootstrappedValue, ValueConfig, ValueLearner, WeightingConfig
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.losses.value_rules import Pessimistic
from lifelong_rl.networks.q_networks import Q_NETWORKS, build_q_network
from lifelong_rl.networks.values import GoalValue, RepresentedValue, WaypointProposer
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec

NUM_MEMBERS = 2


@dataclass(frozen=True, kw_only=True)
class GCIVLConfig:
    """Park et al. 2024, OGBench: twin values."""

    value: ValueConfig = field(default_factory=ValueConfig)
    actor: ActorConfig = field(default_factory=ActorConfig)
    weighting: WeightingConfig = field(default_factory=WeightingConfig)
    target: TargetConfig = field(default_factory=TargetConfig)


@dataclass(frozen=True, kw_only=True)
class GCIQLConfig:
    """The same with twin Q of any kind, a single V, and `extraction` of the actor: `ddpg_bc` or `awr`."""

    network: Any = one_of(Q_NETWORKS, default="monolithic")
    critic: CriticConfig = field(default_factory=CriticConfig)
    value: ValueConfig = field(default_factory=ValueConfig)
    actor: ActorConfig = field(default_factory=ActorConfig)
    extraction: Any = one_of(EXTRACTIONS, default="ddpg_bc")
    target: TargetConfig = field(default_factory=TargetConfig)


@dataclass(frozen=True, kw_only=True)
class HIQLConfig:
    """`high` proposes waypoints as representations of `representation_size`, `low` acts."""

    representation_size: int = 10
    value: ValueConfig = field(default_factory=lambda: ValueConfig(expectile=0.7))
    high: ActorConfig = field(default_factory=ActorConfig)
    low: ActorConfig = field(default_factory=ActorConfig)
    high_weighting: WeightingConfig = field(default_factory=lambda: WeightingConfig(scale=3.0))
    low_weighting: WeightingConfig = field(default_factory=lambda: WeightingConfig(scale=3.0))
    target: TargetConfig = field(default_factory=TargetConfig)

    def __post_init__(self) -> None:
        if self.representation_size < 1:
            raise ConfigError(f"representation_size must be at least 1, got {self.representation_size}.")


def build_gcivl(config: GCIVLConfig, spec: TaskSpec, seeds: Seeds, device: str) -> GCIVLAgent:
    """Call this and the others with torch's global generator seeded: networks are initialised from it."""
    sizes = flat_sizes(spec)
    value = BootstrappedValue(config.value, config.target, _goal_value(NUM_MEMBERS, sizes, config.value, device), spec)
    imitator = _imitator(*sizes, config.actor, spec, device)
    return GCIVLAgent(value, imitator, config.weighting, spec, seeds.torch("agent", device))


def build_gciql(config: GCIQLConfig, spec: TaskSpec, seeds: Seeds, device: str) -> GCIQLAgent:
    """The least of the twins counts, in V's targets as for the actor."""
    if spec.discrete:
        raise ConfigError(f"variant.agent: GCIQL needs continuous actions, {spec.name} has discrete ones: use 'gcivl'.")
    sizes = flat_sizes(spec)
    value = ValueLearner(config.value, _goal_value(1, sizes, config.value, device))
    network = build_q_network(config.network, NUM_MEMBERS, sizes[0], spec.action_size, sizes[1]).to(device)
    critic = CriticLearner(config.critic, config.target, Pessimistic(), network)
    imitator = _imitator(*sizes, config.actor, spec, device)
    return GCIQLAgent(value, critic, imitator, config.extraction, spec, seeds.torch("agent", device))


def build_hiql(config: HIQLConfig, spec: TaskSpec, seeds: Seeds, device: str) -> HIQLAgent:
    """Waypoints are states of the data; what goals they achieve, the task has to say."""
    observation_size, goal_size = flat_sizes(spec)
    if spec.goal_of is None and spec.goal_shape != spec.observation_shape:
        shown = f"{spec.name} does not say which goal an observation achieves"
        raise ConfigError(f"variant.agent: HIQL needs the goals of waypoints, but {shown}: use 'gcivl' or 'gciql'.")
    size, settings = config.representation_size, config.value
    network = RepresentedValue(
        NUM_MEMBERS, observation_size, goal_size, size, settings.hidden_sizes, layer_norm=settings.layer_norm
    ).to(device)
    proposer = WaypointProposer(
        observation_size, goal_size, size, config.high.hidden_sizes, layer_norm=config.high.layer_norm
    ).to(device)
    return HIQLAgent(
        BootstrappedValue(settings, config.target, network, spec),
        Imitator(SquaredError(), ActorLearner(config.high, proposer)),
        _imitator(observation_size, size, config.low, spec, device),
        (config.high_weighting, config.low_weighting),
        spec,
        seeds.torch("agent", device),
    )


def _goal_value(count: int, sizes: tuple[int, int], config: ValueConfig, device: str) -> GoalValue:
    return GoalValue(count, *sizes, config.hidden_sizes, layer_norm=config.layer_norm).to(device)


def _imitator(observation_size: int, goal_size: int, config: ActorConfig, spec: TaskSpec, device: str) -> Imitator:
    if spec.discrete and config.action_l2:
        line = f"{spec.name} has discrete actions, whose policy has no action_l2"
        raise ConfigError(f"variant.agent: {line}, got {config.action_l2}.")
    rule: CloningRule = ChoiceLikelihood() if spec.discrete else Likelihood()
    sizes, norm = config.hidden_sizes, config.layer_norm
    network = rule.actor_class(observation_size, goal_size, spec.action_size, sizes, layer_norm=norm).to(device)
    return Imitator(rule, ActorLearner(config, network))
