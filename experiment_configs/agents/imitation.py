"""Builds the imitating agents: GCBC, GCSL and WGCSL."""

from dataclasses import dataclass, field
from typing import Literal

from experiment_configs.agents.off_policy import OffPolicyConfig, build_parts
from experiment_configs.agents.sizes import flat_sizes
from lifelong_rl.agents.imitation import (
    ChoiceLikelihood,
    CloningRule,
    ImitationAgent,
    Imitator,
    Likelihood,
    SquaredError,
)
from lifelong_rl.agents.learners import ActorConfig, ActorLearner
from lifelong_rl.agents.wgcsl import ExampleWeightConfig, WGCSLAgent
from lifelong_rl.config import ConfigError
from lifelong_rl.networks.normalizer import InputNormalizer, NormalizerConfig
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec

Cloning = Literal["likelihood", "squared_error"]
RULES: dict[Cloning, type[CloningRule]] = {"likelihood": Likelihood, "squared_error": SquaredError}


@dataclass(frozen=True, kw_only=True)
class GCBCConfig:
    """`cloning`: by the likelihood of a tanh-normal actor (of choices where they are discrete), or squared errors."""

    cloning: Cloning = "likelihood"
    actor: ActorConfig = field(default_factory=ActorConfig)
    normalizer: NormalizerConfig | None = None


@dataclass(frozen=True, kw_only=True)
class GCSLConfig(GCBCConfig):
    """Ghosh et al. 2019. The same agent: phases that collect make it GCSL."""


@dataclass(frozen=True, kw_only=True)
class WGCSLConfig(OffPolicyConfig):
    """Yang et al. 2022."""

    cloning: Cloning = "squared_error"
    weight: ExampleWeightConfig = field(default_factory=ExampleWeightConfig)


def build_imitation(config: GCBCConfig, spec: TaskSpec, seeds: Seeds, device: str) -> ImitationAgent:
    """GCBC or GCSL. Call this and the other with torch's global generator seeded: networks are initialised from it."""
    sizes, settings = flat_sizes(spec), config.actor
    rule = _rule(config, spec)
    actor = rule.actor_class(*sizes, spec.action_size, settings.hidden_sizes, layer_norm=settings.layer_norm)
    normalizer = None if config.normalizer is None else InputNormalizer(config.normalizer, *sizes).to(device)
    imitator = Imitator(rule, ActorLearner(settings, actor.to(device)))
    return ImitationAgent(imitator, normalizer, spec, seeds.torch("agent", device))


def build_wgcsl(config: WGCSLConfig, spec: TaskSpec, seeds: Seeds, device: str) -> WGCSLAgent:
    """One critic unless the config says otherwise."""
    rule = RULES[config.cloning]()
    return WGCSLAgent(build_parts(config, rule.actor_class, spec, seeds, device), rule, config.weight)


def _rule(config: GCBCConfig, spec: TaskSpec) -> CloningRule:
    if not spec.discrete:
        return RULES[config.cloning]()
    if config.cloning != "likelihood" or config.actor.action_l2:
        given = f"{config.cloning!r} and {config.actor.action_l2}"
        needs = "which need cloning 'likelihood' and actor.action_l2 0"
        raise ConfigError(f"variant.agent: {spec.name} has discrete actions, {needs}, got {given}.")
    return ChoiceLikelihood()
