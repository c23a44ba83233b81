"""Builds DDPG, TD3 and SAC: K critics of any kind, an actor, normalised inputs if asked for."""

from dataclasses import dataclass, field
from typing import Any

from experiment_configs.agents.sizes import flat_sizes
from lifelong_rl.agents.ddpg import DDPGAgent
from lifelong_rl.agents.learners import (
    ActorConfig,
    ActorLearner,
    AnyActor,
    CriticConfig,
    CriticLearner,
    TargetConfig,
)
from lifelong_rl.agents.off_policy import OffPolicyParts
from lifelong_rl.agents.sac import SACAgent, TemperatureConfig
from lifelong_rl.agents.td3 import SmoothingConfig, TD3Agent
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.losses.value_rules import VALUE_RULES
from lifelong_rl.networks.actors import DeterministicActor, ExponentialTanhNormalActor
from lifelong_rl.networks.normalizer import InputNormalizer, NormalizerConfig
from lifelong_rl.networks.q_networks import Q_NETWORKS, build_q_network
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec


@dataclass(frozen=True, kw_only=True)
class OffPolicyConfig:
    """The keys that all three have. `policy_delay` updates of the critic go with one of the actor and the targets."""

    num_critics: int = 1
    network: Any = one_of(Q_NETWORKS, default="monolithic")
    rule: Any = one_of(VALUE_RULES, default="single")
    critic: CriticConfig = field(default_factory=CriticConfig)
    actor: ActorConfig = field(default_factory=ActorConfig)
    target: TargetConfig = field(default_factory=TargetConfig)
    policy_delay: int = 1
    normalizer: NormalizerConfig | None = None

    def __post_init__(self) -> None:
        if self.num_critics < 1 or self.policy_delay < 1:
            values = f"{self.num_critics} and {self.policy_delay}"
            raise ConfigError(f"num_critics and policy_delay must be at least 1, got {values}.")


@dataclass(frozen=True, kw_only=True)
class DDPGConfig(OffPolicyConfig):
    """Lillicrap et al. 2016."""


@dataclass(frozen=True, kw_only=True)
class TD3Config(OffPolicyConfig):
    """Fujimoto et al. 2018."""

    num_critics: int = 2
    rule: Any = one_of(VALUE_RULES, default="pessimistic_target")
    policy_delay: int = 2
    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)


@dataclass(frozen=True, kw_only=True)
class SACConfig(OffPolicyConfig):
    """Haarnoja et al. 2018."""

    num_critics: int = 2
    rule: Any = one_of(VALUE_RULES, default="pessimistic")
    temperature: TemperatureConfig = field(default_factory=TemperatureConfig)


def build_ddpg(config: DDPGConfig, spec: TaskSpec, seeds: Seeds, device: str) -> DDPGAgent:
    """Call this and the others with torch's global generator seeded: networks are initialised from it."""
    return DDPGAgent(build_parts(config, DeterministicActor, spec, seeds, device), config.target)


def build_td3(config: TD3Config, spec: TaskSpec, seeds: Seeds, device: str) -> TD3Agent:
    """Twin critics unless the config says otherwise."""
    return TD3Agent(build_parts(config, DeterministicActor, spec, seeds, device), config.target, config.smoothing)


def build_sac(config: SACConfig, spec: TaskSpec, seeds: Seeds, device: str) -> SACAgent:
    """Twin critics unless the config says otherwise."""
    return SACAgent(build_parts(config, ExponentialTanhNormalActor, spec, seeds, device), config.temperature)


def build_parts(
    config: OffPolicyConfig, actor_class: type[AnyActor], spec: TaskSpec, seeds: Seeds, device: str
) -> OffPolicyParts[AnyActor]:
    """What they share, with an actor of this class."""
    if spec.discrete:
        name = type(config).__name__.removesuffix("Config")
        raise ConfigError(f"variant.agent: {name} needs continuous actions, {spec.name} has discrete ones: use 'dqn'.")
    sizes = flat_sizes(spec)
    observation_size, goal_size = sizes
    settings = config.actor
    actor = actor_class(*sizes, spec.action_size, settings.hidden_sizes, layer_norm=settings.layer_norm).to(device)
    network = build_q_network(config.network, config.num_critics, observation_size, spec.action_size, goal_size)
    return OffPolicyParts(
        critic=CriticLearner(config.critic, config.target, config.rule, network.to(device)),
        actor=ActorLearner(settings, actor),
        normalizer=None if config.normalizer is None else InputNormalizer(config.normalizer, *sizes).to(device),
        policy_delay=config.policy_delay,
        spec=spec,
        generator=seeds.torch("agent", device),
    )
