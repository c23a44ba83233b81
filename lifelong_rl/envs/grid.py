"""A grid world, N at once: walk from cell to cell. The quickest check that an agent with discrete actions learns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.envs.grid_config import GridConfig
from lifelong_rl.envs.maze2d_grid import NEIGHBOURS, Floats, Ints, MazeGrid
from lifelong_rl.envs.points import PointTask, point_spec

CHOICES = ("left", "right", "up", "down", "stay")  # as the layout is written
MOVES = np.concatenate([NEIGHBOURS, [(0, 0)]])


def shown_as(cell: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Cells [..., 2] to [..., H + W]: a one for the row and a one for the column. Neighbours are as far as can be."""
    row, column = np.moveaxis(np.asarray(cell, np.int64), -1, 0)
    return np.concatenate([np.eye(shape[0])[row], np.eye(shape[1])[column]], axis=-1)


def cell_of(shown: NDArray[Any], shape: tuple[int, int]) -> Ints:
    """The inverse: [..., H + W] to cells [..., 2]."""
    return np.stack([shown[..., : shape[0]].argmax(-1), shown[..., shape[0] :].argmax(-1)], axis=-1)


def is_same_cell(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """[..., H + W], [..., H + W] to [...] bool."""
    return (achieved_goal - goal).abs().amax(-1) < 0.5


class GridTask(PointTask):
    """observation = goal = a cell, as ones for its row and its column; a choice moves to the next, a wall stops it.

    One may stay: a goal can be held, so the best return is minus the steps before the one that reaches it.
    """

    def __init__(self, config: GridConfig, *, num_envs: int, generator: np.random.Generator) -> None:
        self.config, self.grid = config, MazeGrid.from_layout(config.grid.layout)
        spec = point_spec(
            config.name, size=sum(self.grid.shape), num_choices=len(MOVES),
            horizon=config.horizon or config.grid.horizon, success_fn=is_same_cell,
        )  # fmt: skip
        own_goal = None if config.random_goals else self.grid.goal_cell.astype(np.float64)
        super().__init__(spec, num_envs=num_envs, generator=generator, own_goal=own_goal)

    def sample_positions(self, count: int, generator: np.random.Generator) -> Floats:
        cells = self.grid.free_cells
        return cells[generator.integers(len(cells), size=count)].astype(np.float64)

    def moved(self, position: Floats, action: NDArray[Any]) -> Floats:
        wrong = np.flatnonzero((action < 0) | (action >= len(MOVES)))
        if len(wrong):
            last, value = len(MOVES) - 1, action[wrong[0]]
            raise ValueError(f"{self.spec.name}: action of environment {wrong[0]} must be 0 to {last}, got {value}.")
        cell = position.astype(np.int64)
        return moved_cells(self.grid, cell, cell + MOVES[action]).astype(np.float64)

    def shown(self, position: Floats) -> Floats:
        return shown_as(position, self.grid.shape)


def moved_cells(grid: MazeGrid, cell: Ints, wanted: Ints) -> Ints:
    """[..., 2]: `wanted` where it is free, else `cell`."""
    return np.where(grid.walls[wanted[..., 0], wanted[..., 1]][..., None], cell, wanted)


def build_grid(
    *, name: str, num_envs: int, generator: np.random.Generator, random_goals: bool, layout: str | None,
    horizon: int | None, num_threads: int,
) -> GridTask:  # fmt: skip
    """The builder that the registry names; a grid needs no threads."""
    config = GridConfig(name=name, layout=layout, horizon=horizon, random_goals=random_goals)
    return GridTask(config, num_envs=num_envs, generator=generator)
