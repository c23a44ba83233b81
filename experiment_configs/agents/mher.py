"""Builds MHER: DDPG with a model of the environment beside it."""

from dataclasses import dataclass, field

from torch import Tensor

from experiment_configs.agents.off_policy import DDPGConfig, build_parts
from lifelong_rl.agents.dynamics_learner import DynamicsLearner, DynamicsLearningConfig
from lifelong_rl.agents.mher import MHERAgent, RelabellingConfig
from lifelong_rl.config import ConfigError
from lifelong_rl.networks.actors import DeterministicActor
from lifelong_rl.networks.dynamics import Dynamics, DynamicsConfig
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec


@dataclass(frozen=True, kw_only=True)
class MHERConfig(DDPGConfig):
    """Yang et al. 2021."""

    relabelling: RelabellingConfig = field(default_factory=RelabellingConfig)
    model: DynamicsConfig = field(default_factory=DynamicsConfig)
    model_learning: DynamicsLearningConfig = field(default_factory=DynamicsLearningConfig)


def build_mher(config: MHERConfig, spec: TaskSpec, seeds: Seeds, device: str) -> MHERAgent:
    """Call it with torch's global generator seeded: networks are initialised from it."""
    parts = build_parts(config, DeterministicActor, spec, seeds, device)
    goal_of = _whole if spec.goal_of is None and spec.goal_shape == spec.observation_shape else spec.goal_of
    if goal_of is None or spec.reward_fn is None:
        what = "read achieved goals off observations" if goal_of is None else "compute rewards of any goal"
        raise ConfigError(f"variant.agent: MHER must {what}, which {spec.name} does not allow: use 'ddpg'.")
    model = Dynamics(config.model, spec.observation_shape[0], spec.action_size).to(device)
    learner = DynamicsLearner(config.model_learning, model)
    return MHERAgent(parts, config.target, config.relabelling, learner, spec.reward_fn, goal_of)


def _whole(observation: Tensor) -> Tensor:
    """What is achieved where goals are observations."""
    return observation
