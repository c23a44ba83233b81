"""The truth about a grid world, to measure learned values by: shortest ways, what they are worth, a policy of them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.envs.grid import MOVES, cell_of, moved_cells
from lifelong_rl.envs.maze2d_grid import Floats, Ints, MazeGrid, steps_to_cell
from lifelong_rl.types import Memoryless


def shortest_steps(grid: MazeGrid) -> Ints:
    """[K, K]: the least number of moves from free cell i to free cell j, by breadth-first search."""
    rows, columns = grid.free_cells.T
    return np.stack([steps_to_cell(grid.walls, goal)[rows, columns] for goal in grid.free_cells], axis=1)


def best_values(steps: NDArray[np.generic], discount: float) -> Floats:
    """What the best policy's discounted rewards add up to: -1 for each step before the one that reaches the goal."""
    before = np.maximum(np.asarray(steps, np.float64) - 1.0, 0.0)
    return -before if discount == 1 else -(1.0 - discount**before) / (1.0 - discount)


class ShortestWayPolicy(Memoryless):
    """A choice after which the goal is nearest, the first among equals: the best that any agent can do."""

    def __init__(self, grid: MazeGrid) -> None:
        self._grid, self._numbers = grid, np.full(grid.shape, -1)
        self._numbers[tuple(grid.free_cells.T)] = np.arange(len(grid.free_cells))
        self._steps = shortest_steps(grid)

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        cell, target = (cell_of(shown.cpu().numpy(), self._grid.shape)[:, None] for shown in (observation, goal))
        after = moved_cells(self._grid, cell, cell + MOVES)  # [N, A, 2]
        steps = self._steps[self._numbers[after[..., 0], after[..., 1]], self._numbers[target[..., 0], target[..., 1]]]
        return torch.from_numpy(steps.argmin(axis=1)).to(observation.device)
