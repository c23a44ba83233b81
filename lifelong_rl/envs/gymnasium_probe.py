"""A look at an environment before its first step: short episodes, each observation checked against its space."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.guard import one_line
from lifelong_rl.envs.gymnasium_episode import Episode
from lifelong_rl.envs.gymnasium_spaces import GOAL_KEYS, Actions, Encoding, Shown

SEEDS = (0, 1, 2, 3)
NUM_STEPS = 4  # of each episode
TOLERANCE = 1e-4  # by which an entry may lie outside its bounds, relative to their size


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was seen, one row for each reset and step; goals have width 0 where there are none."""

    observation: NDArray[Any]
    achieved_goal: NDArray[Any]
    desired_goal: NDArray[Any]


def sample(name: str, episode: Episode, shown: Shown, actions: Actions) -> Sample:
    """Some steps of episodes with fixed seeds and actions; a ConfigError where something does not fit."""
    try:
        seen = [value for seed in SEEDS for value in _lead(episode, actions, seed)]
        again = _lead(episode, actions, SEEDS[0])
    except Exception as error:  # whatever an environment raises
        raise ConfigError(f"{name}: cannot be stepped: {one_line(error)}") from error
    for value in seen:
        _check(name, shown, value)

    rows, same = shown.rows(len(seen)), shown.rows(len(again))
    for index, value in enumerate(seen):
        shown.write(rows, index, value)
    for index, value in enumerate(again):
        shown.write(same, index, value)
    if any(len(again) > len(rows[key]) or (rows[key][: len(again)] != same[key]).any() for key in GOAL_KEYS):
        line = "does not repeat itself when seeded: a run on it can be resumed, but not exactly"
        warnings.warn(f"{name}: {line}.", stacklevel=2)
    return Sample(**rows)


def _lead(episode: Episode, actions: Actions, seed: int) -> list[Any]:
    generator = np.random.default_rng(seed)
    if actions.discrete:
        given = generator.integers(actions.size, size=NUM_STEPS)
    else:
        given = generator.uniform(-1, 1, (NUM_STEPS, actions.size)).astype(np.float32)
    seen = [episode.begin(seed)]
    for one, taken in zip(given, actions.taken(given), strict=True):
        value, _, terminated, truncated, _ = episode.step(one, taken)
        seen.append(value)
        if terminated or truncated:
            break
    return seen


def _check(name: str, shown: Shown, value: Any) -> None:
    if shown.goal is None:
        _check_one(name, "observation", shown.observation, value)
        return
    if not isinstance(value, dict) or set(value) != set(GOAL_KEYS):
        raise ConfigError(f"{name}: shows {value!r:.80}, its space promises a dict of {', '.join(GOAL_KEYS)}.")
    for key in GOAL_KEYS:
        _check_one(name, key, shown.observation if key == "observation" else shown.goal, value[key])


def _check_one(name: str, key: str, encoding: Encoding, value: Any) -> None:
    """Shape, type, NaN and bounds; within rounding."""
    space, array = encoding.space, np.asarray(value)
    if array.shape != space.shape:
        raise ConfigError(f"{name}: {key} has shape {array.shape}, its space promises {space.shape}.")
    if encoding.is_image and array.dtype != np.uint8:
        raise ConfigError(f"{name}: {key} is an image of {array.dtype}, its space promises uint8.")
    if encoding.first_choice is not None:
        inside = np.asarray(0 <= array - encoding.first_choice < encoding.shape[0])
    elif array.dtype.kind not in "fiub":
        raise ConfigError(f"{name}: {key} is made of {array.dtype}, its space promises {space.dtype}.")
    elif not np.isfinite(array).all():
        raise ConfigError(f"{name}: {key} holds {array[~np.isfinite(array)][0]}; only finite numbers can be learned.")
    else:
        slack = TOLERANCE * np.maximum(1.0, np.abs(array))
        inside = (array >= space.low - slack) & (array <= space.high + slack)
    if not inside.all():
        raise ConfigError(f"{name}: {key} shows {array[~inside][0]:g}, which lies outside its space {space}.")
