"""Builds deep Q-networks for tasks with discrete actions."""

from dataclasses import dataclass, field

from experiment_configs.agents.sizes import flat_sizes
from lifelong_rl.agents.dqn import DQNAgent, DQNLearningConfig, EpsilonConfig
from lifelong_rl.agents.learners import TargetConfig
from lifelong_rl.config import ConfigError
from lifelong_rl.networks.choice_q import ChoiceQ
from lifelong_rl.networks.normalizer import InputNormalizer, NormalizerConfig
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec


@dataclass(frozen=True, kw_only=True)
class DQNConfig:
    """`is_dueling` splits values into that of the state and the advantages of its choices."""

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = False
    is_dueling: bool = False
    learning: DQNLearningConfig = field(default_factory=DQNLearningConfig)
    target: TargetConfig = field(default_factory=TargetConfig)
    exploration: EpsilonConfig = field(default_factory=EpsilonConfig)
    normalizer: NormalizerConfig | None = None

    def __post_init__(self) -> None:
        if min(self.hidden_sizes, default=1) < 1:
            raise ConfigError(f"hidden_sizes must be at least 1 each, got {list(self.hidden_sizes)}.")


def build_dqn(config: DQNConfig, spec: TaskSpec, seeds: Seeds, device: str) -> DQNAgent:
    """Call it with torch's global generator seeded: networks are initialised from it."""
    if not spec.discrete:
        others = "'sac', 'td3' or 'ddpg'"
        raise ConfigError(f"variant.agent: DQN needs discrete actions, {spec.name} has continuous ones: use {others}.")
    sizes = flat_sizes(spec)
    network = ChoiceQ(
        *sizes, spec.action_size, config.hidden_sizes, layer_norm=config.layer_norm, is_dueling=config.is_dueling
    ).to(device)
    normalizer = None if config.normalizer is None else InputNormalizer(config.normalizer, *sizes).to(device)
    generator = seeds.torch("agent", device)
    return DQNAgent(config.learning, config.target, config.exploration, network, normalizer, spec, generator)
