"""gymnasium's spaces as JSON and back, and their values as rows of networks: the same rows as in training."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.agents.actions import to_unit
from lifelong_rl.config import ConfigError, one_of, unknown
from lifelong_rl.envs.gymnasium_spaces import GOAL_KEYS, Actions, Encoding, Shown
from lifelong_rl.exported_policy.limits import MAX_NUMBER
from lifelong_rl.types import TaskSpec

MOST = 1e300  # a bound beyond it is a mistake
TYPES = ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")


@dataclass(frozen=True, kw_only=True)
class BoxSpace:
    """`low` and `high` are one number for all entries, or a flat list; None is no bound."""

    shape: tuple[int, ...]
    dtype: str
    low: Any = None
    high: Any = None

    def __post_init__(self) -> None:
        if self.dtype not in TYPES:
            raise ConfigError(unknown("dtype", "type", self.dtype, TYPES))
        if min(self.shape, default=1) < 0 or math.prod(self.shape) > MAX_NUMBER or len(self.shape) > 8:
            raise ConfigError(f"shape must have at most {MAX_NUMBER} numbers, got {_short(self.shape)}.")
        for name in ("low", "high"):
            bounds = getattr(self, name)
            rows = bounds if isinstance(bounds, list) else [bounds]
            if len(rows) != (math.prod(self.shape) if rows is bounds else 1) or not all(map(_is_bound, rows)):
                line = f"a number, None, or a list of {math.prod(self.shape)} of them"
                raise ConfigError(f"{name} must be {line}, got {_short(bounds)}.")

    @classmethod
    def of(cls, space: Box) -> "BoxSpace":
        low, high = (_bounds(array) for array in (space.low, space.high))
        return cls(shape=tuple(map(int, space.shape)), dtype=str(space.dtype), low=low, high=high)

    def space(self) -> Box:
        dtype = np.dtype(self.dtype)
        low, high = self._filled(self.low, -math.inf), self._filled(self.high, math.inf)
        if (low > high).any():
            raise ConfigError("low must not lie above high.")
        if dtype.kind in "iub":
            least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            low, high = np.clip(low, least, most), np.clip(high, least, most)
        return Box(low.astype(dtype), high.astype(dtype), self.shape, dtype.type)

    def _filled(self, bounds: Any, without: float) -> NDArray[np.float64]:
        rows = [without if bound is None else bound for bound in (bounds if isinstance(bounds, list) else [bounds])]
        filled = np.empty(self.shape)
        filled[...] = np.array(rows, np.float64).reshape(self.shape if isinstance(bounds, list) else ())
        return filled


@dataclass(frozen=True, kw_only=True)
class DiscreteSpace:
    """Whole numbers from `start` on."""

    n: int
    start: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MAX_NUMBER or abs(self.start) > 2**53:
            raise ConfigError(f"n must lie in 1 to {MAX_NUMBER}, got {self.n} (start {self.start}).")

    def space(self) -> Discrete:
        return Discrete(self.n, start=self.start)


SPACES = {"box": BoxSpace, "discrete": DiscreteSpace}


@dataclass(frozen=True, kw_only=True)
class Spaces:
    """What an environment shows and takes. With a `goal`, observations are dicts: these are two of their values."""

    observation: Any = one_of(SPACES)
    goal: Any = one_of(SPACES, default=None)
    action: Any = one_of(SPACES)

    @classmethod
    def of(cls, observation: Any, action: Any) -> "Spaces":
        """From an environment's two spaces."""
        if isinstance(observation, Dict):
            seen, goal = _described(observation["observation"]), _described(observation["desired_goal"])
            return cls(observation=seen, goal=goal, action=_described(action))
        return cls(observation=_described(observation), action=_described(action))

    def shown(self, name: str) -> Shown:
        return Shown.of(self.observation_space(), name)

    def observation_space(self) -> Any:
        if self.goal is None:
            return self.observation.space()
        return Dict({key: (self.observation if key == "observation" else self.goal).space() for key in GOAL_KEYS})

    def actions(self, name: str) -> Actions:
        return Actions.of(self.action.space(), name)


def rows_of(encoding: Encoding, value: Any, place: str) -> tuple[NDArray[Any], bool]:
    """One value of the space, or a batch [N, ...] of them, to rows [N, ...]; and whether it was one."""
    given, shape = np.asarray(value), encoding.space.shape or ()
    if given.dtype.kind not in "fiub" or given.shape[given.ndim - len(shape) :] != shape or given.ndim > len(shape) + 1:
        wanted = f"{list(shape)}, or a batch [N{''.join(f', {size}' for size in shape)}]"
        raise ConfigError(f"{place}: expected numbers of shape {wanted}, got {list(given.shape)} of {given.dtype}.")
    batch = given.reshape(-1, *shape)
    if encoding.first_choice is not None:
        choice = batch.astype(np.int64) - encoding.first_choice
        if (choice != batch - encoding.first_choice).any() or (choice < 0).any() or (choice >= encoding.shape[0]).any():
            raise ConfigError(f"{place}: expected values of {encoding.space}, got {_short(given.tolist())}.")
        return np.eye(encoding.shape[0], dtype=np.float32)[choice], given.ndim == 0
    if not np.isfinite(batch).all():
        raise ConfigError(f"{place}: holds {batch[~np.isfinite(batch)][0]}; expected finite numbers.")
    if encoding.is_image:
        if batch.dtype != np.uint8:
            raise ConfigError(f"{place}: expected pictures of uint8, got {batch.dtype}.")
        return batch, given.ndim == len(shape)
    return batch.reshape(len(batch), *encoding.shape).astype(np.float32), given.ndim == len(shape)


def taken(actions: Actions, action: Tensor, spec: TaskSpec) -> NDArray[Any]:
    """What environments take [N, ...], of what a policy gives for a task of this `spec`."""
    rows = actions.taken(in_unit(action, spec).numpy())
    return np.asarray(rows, np.int64) if actions.discrete else np.asarray(rows)


def in_unit(action: Tensor, spec: TaskSpec) -> Tensor:
    """Actions in [-1, 1], in which most tasks take them anyway; choices stay."""
    return action if (spec.action_low, spec.action_high) == (-1.0, 1.0) else to_unit(action, spec)


def _described(space: Any) -> BoxSpace | DiscreteSpace:
    if isinstance(space, Discrete):
        return DiscreteSpace(n=int(space.n), start=int(space.start))
    if isinstance(space, Box):
        return BoxSpace.of(space)
    raise ConfigError(f"cannot write down a {type(space).__name__} space; what fits: Box, Discrete.")


def _bounds(array: NDArray[Any]) -> Any:
    rows = [float(x) if math.isfinite(x) else None for x in array.ravel().tolist()]
    return rows[0] if rows and all(row == rows[0] for row in rows) else rows


def _is_bound(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) <= MOST)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
