"""Films of mazes and grids: simulator states to pictures, with the way there as a trail."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lifelong_rl.envs.film import Footage, Image, tile_size
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import Maze2dTask, is_near
from lifelong_rl.envs.maze2d_grid import Floats, Ints
from lifelong_rl.envs.maze2d_picture import MazePicture
from lifelong_rl.types import TaskSpec

Draw = Callable[[Floats, Floats], Image]  # sim_state [7], trail [L, 2] of positions up to now, to [H, W, 3]

TRAIL_STEPS = 80
TRAIL_STRIDE = 3  # steps; at most 0.15 m on each axis. On a grid 1: a step is a cell
CELL_MIDDLE = -0.2  # where, in positions of a maze's particle, the middle of cell 0 is


def maze_footage(
    states: Floats, names: Sequence[str], captions: Sequence[str], spec: TaskSpec, draw: Draw, first: int = 0
) -> Footage:
    """States [T, K, 7] of `Task.sim_state()`, from number `first` on.

    Those before it tell where episodes began and whether they have succeeded.
    """
    start, is_at_goal, has_reached = follow_episodes(states)
    shown = slice(first, None)
    return Footage(
        names=names, captions=captions[shown], horizon=spec.horizon, step=states[shown, :, 6].astype(np.int64),
        is_at_goal=is_at_goal[shown], has_reached=has_reached[shown], is_over=np.zeros_like(is_at_goal[shown]),
        pictures=_pictures(states, start, draw, first, 1 if spec.discrete else TRAIL_STRIDE),
    )  # fmt: skip


def follow_episodes(states: Floats) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """Of states [T, K, 7]: when the episode began, whether it is at the goal, and whether it has been; [T, K] each."""
    time = np.arange(len(states))[:, None]
    steps = states[..., 6]
    goes_on = np.concatenate([np.zeros((1, states.shape[1]), np.bool_), steps[1:] == steps[:-1] + 1])
    start = np.maximum.accumulate(np.where(goes_on, 0, time), axis=0)
    achieved, goal = torch.from_numpy(states[..., :2].copy()), torch.from_numpy(states[..., 4:6].copy())
    is_at_goal: NDArray[np.bool_] = is_near(achieved, goal).numpy()
    last_success = np.maximum.accumulate(np.where(is_at_goal, time, -1), axis=0)
    return start, is_at_goal, last_success >= start


def top_down(task: Maze2dTask | GridTask, num_tiles: int) -> Draw:
    """Drawn with numpy alone."""
    picture = MazePicture(task.grid, size=tile_size(num_tiles))
    shift = CELL_MIDDLE if isinstance(task, GridTask) else 0.0
    return lambda state, trail: picture.draw(position=state[:2] + shift, goal=state[4:6] + shift, trail=trail + shift)


def _pictures(states: Floats, start: Ints, draw: Draw, first: int, stride: int) -> Iterator[list[Image]]:
    for time in range(first, len(states)):
        trails = [
            states[_trail_times(max(start[time, env], time - TRAIL_STEPS), time, stride), env, :2]
            for env in range(states.shape[1])
        ]
        yield [draw(state, trail) for state, trail in zip(states[time], trails, strict=True)]


def _trail_times(first: int, last: int, stride: int) -> list[int]:
    """Whole multiples of the stride between both ends, so that the corners of a trail stay in place while it grows."""
    return [first, *range(first - first % stride + stride, last, stride), last]
