"""What a film of fresh episodes shows, whatever their task."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment_configs.rollout import Rollout
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.fetch_images import FetchImageTask
from lifelong_rl.envs.film import MAX_TILES, Footage, Image, fitted
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.gymnasium_film import Played, pictures_of_played, pictures_of_states
from lifelong_rl.envs.gymnasium_task import GymnasiumTask
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_film import Draw, maze_footage, top_down
from lifelong_rl.types import Task

Floats = NDArray[np.float64]


def played_footage(rollout: Rollout, caption: str, env: int | None = None, draw: Draw | None = None) -> Footage:
    """The first few episodes, or number `env` alone; `draw` is for mazes, which else are drawn from above."""
    task, spec, episodes = rollout.task, rollout.spec, rollout.episodes
    tiles = tiles_of(env, len(episodes.length), "episode")
    names = [f"episode {index}" for index in tiles]
    captions = [caption] * len(rollout.states)
    if isinstance(task, Maze2dTask | GridTask):
        draw = draw or top_down(task, len(tiles))
        return maze_footage(rollout.states[:, tiles], names, captions, spec, draw)
    length = episodes.length.numpy()[tiles]
    time = np.minimum(np.arange(1 + length.max())[:, None], length)  # [T + 1, K]
    success, rewards = (from_zero(rows[:, tiles].numpy()) for rows in (episodes.success, episodes.rewards))
    return Footage(
        names=names, captions=captions, horizon=spec.horizon, step=time,
        is_at_goal=np.take_along_axis(success, time, 0),
        has_reached=np.take_along_axis(np.maximum.accumulate(success), time, 0),
        is_over=(time == length) & (length < spec.horizon), pictures=_pictures(rollout, tiles),
        result=np.take_along_axis(rewards.cumsum(0), time, 0) if spec.goal_shape == (0,) else None,
    )  # fmt: skip


def pictures_of(task: Task, states: Floats) -> Iterator[list[Image]]:
    """Of simulator states [T, K, S], where they are enough to draw the task."""
    if isinstance(task, GymnasiumTask):
        return pictures_of_states(task.spec.name, task.spec.horizon, states)
    if isinstance(task, FetchImageTask):
        return ([fitted(task.picture_of(state), states.shape[1]) for state in row] for row in states)
    raise ConfigError(f"{task.spec.name}: has no picture; films are drawn of mazes, grids and the ids of gymnasium.")


def tiles_of(chosen: int | None, count: int, what: str) -> list[int]:
    """Which of `count` a film shows: the first few, or the one that was asked for."""
    if chosen is None:
        return list(range(min(count, MAX_TILES)))
    if not 0 <= chosen < count:
        raise ConfigError(f"env: no {what} {chosen}, they are 0 to {count - 1}.")
    return [chosen]


def from_zero(rows: NDArray[Any]) -> NDArray[Any]:
    """[T, K] of what steps led to, as [T + 1, K] of moments: nothing at the first."""
    return np.concatenate([np.zeros_like(rows[:1]), rows])


def _pictures(rollout: Rollout, tiles: list[int]) -> Iterator[list[Image]]:
    task, length = rollout.task, rollout.episodes.length.tolist()
    if not isinstance(task, GymnasiumTask):
        return pictures_of(task, rollout.states[:, tiles])
    episodes = [Played(seed=rollout.seeds[env], actions=rollout.actions[: length[env], env]) for env in tiles]
    return pictures_of_played(task.spec.name, task.spec.horizon, episodes)
