"""What acting must know of a task, as plain numbers: a TaskSpec without its functions."""

import math
from dataclasses import dataclass

import torch

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.gymnasium_spec import put_entries
from lifelong_rl.exported_policy.limits import MAX_NUMBER
from lifelong_rl.types import TaskSpec


@dataclass(frozen=True, kw_only=True)
class TaskShape:
    """`goal_offset`: from which entry on an observation holds its goal; None where it does not, or is one itself."""

    name: str
    observation_shape: tuple[int, ...]
    goal_shape: tuple[int, ...]
    action_size: int
    discrete: bool
    action_low: float
    action_high: float
    horizon: int
    goal_offset: int | None

    def __post_init__(self) -> None:
        for name in ("observation_shape", "goal_shape"):
            shape = getattr(self, name)
            if len(shape) not in (1, 3) or min(shape) < 0 or math.prod(shape) > MAX_NUMBER:
                raise ConfigError(f"{name} must be [size] or [height, width, depth], got {list(shape)[:8]}.")
        if not 1 <= self.action_size <= MAX_NUMBER or not 1 <= self.horizon <= 1 << 53:
            raise ConfigError(f"action_size and horizon must be at least 1, got {self.action_size}, {self.horizon}.")
        if not -math.inf < self.action_low < self.action_high < math.inf:
            raise ConfigError(f"action_low must be below action_high, got {self.action_low}, {self.action_high}.")
        room = self.observation_shape[0] - self.goal_shape[0]
        if self.goal_offset is not None and not 0 <= self.goal_offset <= room:
            raise ConfigError(f"goal_offset must lie in 0 to {room}, got {self.goal_offset}.")

    @classmethod
    def of(cls, spec: TaskSpec) -> "TaskShape":
        return cls(
            name=spec.name, observation_shape=spec.observation_shape, goal_shape=spec.goal_shape,
            action_size=spec.action_size, discrete=spec.discrete, action_low=float(spec.action_low),
            action_high=float(spec.action_high), horizon=spec.horizon, goal_offset=goal_offset(spec),
        )  # fmt: skip

    def spec(self) -> TaskSpec:
        """Of a task that gives no rewards."""
        size, offset = self.goal_shape[0], self.goal_offset
        return TaskSpec(
            name=self.name, observation_shape=self.observation_shape, goal_shape=self.goal_shape,
            action_size=self.action_size, discrete=self.discrete, action_low=self.action_low,
            action_high=self.action_high, horizon=self.horizon, reward_fn=None, success_fn=None,
            with_goal=None if offset is None else put_entries(offset, size),
        )  # fmt: skip


def goal_offset(spec: TaskSpec) -> int | None:
    """Where `with_goal` puts a goal; a ConfigError where that is not one stretch of entries."""
    if spec.with_goal is None or len(spec.observation_shape) != 1:
        return None
    size = spec.goal_shape[0]
    observation, goal = -torch.arange(1.0, spec.observation_shape[0] + 1)[None], torch.arange(1.0, size + 1)[None]
    changed = spec.with_goal(observation, goal)
    for offset in range(spec.observation_shape[0] - size + 1):
        if torch.equal(changed, put_entries(offset, size)(observation, goal)):
            return offset
    raise ConfigError(f"{spec.name}: its with_goal does more than to put a goal into an observation.")
