"""What networks need to know of a task's observations."""

from lifelong_rl.config import ConfigError
from lifelong_rl.networks.encoders import SMALLEST
from lifelong_rl.types import TaskSpec


def flat_sizes(spec: TaskSpec) -> tuple[int, int]:
    """Sizes of observation and goal (0: no goals); a ConfigError where observations have more than one axis."""
    if len(spec.observation_shape) != 1:
        shape = list(spec.observation_shape)
        raise ConfigError(f"variant.agent: {spec.name} shows observations of shape {shape}; expected one axis, [O].")
    return spec.observation_shape[0], spec.goal_shape[0]


def picture_shape(spec: TaskSpec) -> tuple[int, ...] | None:
    """(H, W, C) where observations are pictures, None where they are flat; a ConfigError where neither."""
    shape = spec.observation_shape
    if len(shape) == 1:
        return None
    if len(shape) != 3 or min(shape[:2]) < SMALLEST:
        fitting = f"one axis, [O], or pictures [H, W, C] of at least {SMALLEST} x {SMALLEST}"
        raise ConfigError(f"variant.agent: {spec.name} shows observations of shape {list(shape)}; expected {fitting}.")
    return shape
