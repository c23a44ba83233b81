"""How values of gymnasium's spaces become rows of arrays, and rows of actions become what an environment takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError

Rows = dict[str, NDArray[Any]]
GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")
FITTING = f"Box, Discrete, or a Dict of {', '.join(GOAL_KEYS)} that are Boxes"


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """A space's rows: images stay [H, W, C] uint8, other Boxes are flat float32, a choice is one-hot float32."""

    space: Any
    shape: tuple[int, ...]
    is_image: bool = False
    first_choice: int | None = None

    @classmethod
    def of(cls, space: Any, name: str) -> "Encoding":
        if isinstance(space, Discrete):
            return cls(space=space, shape=(int(space.n),), first_choice=int(space.start))
        if not isinstance(space, Box):
            raise ConfigError(f"{name}: cannot show a {type(space).__name__} space; what fits: {FITTING}.")
        if space.dtype == np.uint8 and len(space.shape) == 3:
            return cls(space=space, shape=space.shape, is_image=True)
        return cls(space=space, shape=(int(np.prod(space.shape)),))

    def rows(self, num_envs: int) -> NDArray[Any]:
        return np.empty((num_envs, *self.shape), np.uint8 if self.is_image else np.float32)

    def write(self, row: NDArray[Any], value: Any) -> None:
        if self.first_choice is not None:
            row[:] = 0.0
            row[int(value) - self.first_choice] = 1.0
        else:
            row[:] = value if self.shape == self.space.shape else np.asarray(value).reshape(self.shape)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an environment shows: an observation and, in goal environments, an achieved and a desired goal."""

    observation: Encoding
    goal: Encoding | None

    @classmethod
    def of(cls, space: Any, name: str) -> "Shown":
        if not isinstance(space, Dict):
            return cls(observation=Encoding.of(space, name), goal=None)
        if set(space.spaces) != set(GOAL_KEYS):
            keys = ", ".join(sorted(space.spaces))
            raise ConfigError(f"{name}: cannot show a Dict of {keys}; what fits: {FITTING}.")
        goals = [space[key] for key in GOAL_KEYS[1:]]
        if not all(isinstance(goal, Box) for goal in goals) or goals[0].shape != goals[1].shape:
            raise ConfigError(f"{name}: achieved_goal and desired_goal must be Boxes of one shape, got {goals}.")
        return cls(observation=Encoding.of(space["observation"], name), goal=Encoding.of(goals[0], name))

    def rows(self, num_envs: int) -> Rows:
        """By the names of `Observed`; goals have width 0 where there are none."""
        observation = self.observation.rows(num_envs)
        achieved, desired = (
            np.empty((num_envs, 0), np.float32) if self.goal is None else self.goal.rows(num_envs) for _ in range(2)
        )
        return {"observation": observation, "achieved_goal": achieved, "desired_goal": desired}

    def write(self, rows: Rows, index: int, value: Any) -> None:
        if self.goal is None:
            self.observation.write(rows["observation"][index], value)
            return
        self.observation.write(rows["observation"][index], value["observation"])
        self.goal.write(rows["achieved_goal"][index], value["achieved_goal"])
        self.goal.write(rows["desired_goal"][index], value["desired_goal"])


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What an environment takes; a Box is taken in [-1, 1] per entry and stretched to its bounds."""

    size: int
    discrete: bool
    first_choice: int
    space: Any
    stretched: bool

    @classmethod
    def of(cls, space: Any, name: str) -> "Actions":
        if isinstance(space, Discrete):
            return cls(size=int(space.n), discrete=True, first_choice=int(space.start), space=space, stretched=False)
        if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
            kind = f"{type(space).__name__} of {space.dtype}"
            raise ConfigError(f"{name}: cannot act in a {kind} space; what fits: Box of floats, or Discrete.")
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise ConfigError(f"{name}: its action space {space} is unbounded; what fits: a Box with finite bounds.")
        stretched = bool((space.low != -1).any() or (space.high != 1).any())
        return cls(size=int(np.prod(space.shape)), discrete=False, first_choice=0, space=space, stretched=stretched)

    def taken(self, action: NDArray[Any]) -> Sequence[Any] | NDArray[Any]:
        """[N, A] in [-1, 1], or [N] counted from 0, to what N environments take."""
        if self.discrete:
            choices: list[int] = (action + self.first_choice).tolist()
            return choices
        values = action.reshape(len(action), *self.space.shape).astype(self.space.dtype)
        if not self.stretched:
            return values
        low, high = self.space.low, self.space.high
        stretched: NDArray[Any] = np.clip(low + (values + 1) / 2 * (high - low), low, high)
        return stretched
