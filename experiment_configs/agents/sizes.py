"""What networks of flat observations need to know of a task."""

from lifelong_rl.config import ConfigError
from lifelong_rl.types import TaskSpec


def flat_sizes(spec: TaskSpec) -> tuple[int, int]:
    """Sizes of observation and goal (0: no goals); a ConfigError where observations have more than one axis."""
    if len(spec.observation_shape) != 1:
        shape = list(spec.observation_shape)
        raise ConfigError(f"variant.agent: {spec.name} shows observations of shape {shape}; expected one axis, [O].")
    return spec.observation_shape[0], spec.goal_shape[0]
