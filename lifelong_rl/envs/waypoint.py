"""D4RL's waypoint controller (Fu et al. 2020), N mazes at once: plan on the grid, then PD control from cell to cell."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.envs.maze2d_grid import NEIGHBOURS, Floats, Ints, MazeGrid, steps_to_cell

POSITION_GAIN = 10.0
VELOCITY_GAIN = -1.0
ARRIVED_RADIUS = 0.1  # metres, to a waypoint and to the target
JITTER = 0.2  # metres towards the middle of the free space, which is off the whole numbers
_NO_TARGET = -1000
_REMEMBERED = ("target", "cell", "waypoint", "last_position")


class WaypointController:
    """Steers to the cell of the goal. Plans afresh where that cell has changed, and where it was told to `forget`."""

    def __init__(self, grid: MazeGrid, *, num_envs: int, generator: np.random.Generator) -> None:
        self.grid, self._generator = grid, generator
        self._next_cells = plan_next_cells(grid)  # [W, H, W, H, 2]
        self._target: Ints = np.full((num_envs, 2), _NO_TARGET)
        self._cell: Ints = np.zeros((num_envs, 2), dtype=np.int64)  # the cell of the waypoint
        self._waypoint: Floats = np.zeros((num_envs, 2))
        self._last_position: Floats = np.zeros((num_envs, 2))

    def forget(self, where: NDArray[np.bool_]) -> None:
        """Drops the plans of the environments where `where` [N] is true."""
        self._target[where] = _NO_TARGET

    def act(self, position: Floats, velocity: Floats, goal: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """[N, 2] each, to the action [N, 2] in [-1, 1] and whether the target was reached already [N]."""
        target = self.grid.cell_of(goal)
        changed = np.flatnonzero((target != self._target).any(axis=1))
        if len(changed):
            self._plan(changed, position[changed], target[changed])

        moves_slowly = _length(position - self._last_position) < ARRIVED_RADIUS  # per step: true but for jumps
        solved = moves_slowly & (_length(self._target - position) < ARRIVED_RADIUS)
        offset = np.where(solved[:, None], self._target, self._waypoint) - position
        action = np.clip(POSITION_GAIN * offset + VELOCITY_GAIN * velocity, -1.0, 1.0)

        arrived = np.flatnonzero(moves_slowly & ~solved & (_length(offset) < ARRIVED_RADIUS))
        if len(arrived):
            self._advance(arrived)
        self._last_position = position.copy()
        return action, solved

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, f"_{name}").copy() for name in _REMEMBERED}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in _REMEMBERED:
            getattr(self, f"_{name}")[:] = state[name]

    def _plan(self, where: Ints, position: Floats, target: Ints) -> None:
        cells = self.grid.cell_of(position)
        blocked = np.flatnonzero(self.grid.walls[tuple(target.T)])
        if len(blocked):
            raise ValueError(f"waypoint controller: the goal's cell {tuple(target[blocked[0]].tolist())} is a wall.")
        self._target[where] = target
        self._cell[where] = cells
        self._last_position[where] = cells
        self._advance(where)

    def _advance(self, where: Ints) -> None:
        cell, target = self._cell[where], self._target[where]
        cell = self._next_cells[(*target.T, *cell.T)]
        is_last = (cell == target).all(axis=1, keepdims=True)
        jitter = self._generator.uniform(0.0, JITTER, size=cell.shape)
        self._cell[where] = cell
        self._waypoint[where] = np.where(is_last, cell, cell - jitter)


class WaypointPolicy:
    """The controller as a Policy with a fresh plan every episode: what results are measured against."""

    def __init__(self, grid: MazeGrid, *, num_envs: int, generator: np.random.Generator) -> None:
        self._controller = WaypointController(grid, num_envs=num_envs, generator=generator)

    def reset(self, ended: Tensor) -> None:
        self._controller.forget(ended.cpu().numpy())

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        state = observation.double().cpu().numpy()
        action, _ = self._controller.act(state[:, :2], state[:, 2:], goal.double().cpu().numpy())
        return torch.from_numpy(action.astype(np.float32)).to(observation.device)

    def state_dict(self) -> dict[str, Any]:
        return self._controller.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._controller.load_state_dict(state)


def plan_next_cells(grid: MazeGrid) -> Ints:
    """[target w, target h, w, h, 2]: the next cell on a shortest way, the first of NEIGHBOURS among equals; -1: none.

    The same ways as D4RL's 50 rounds of Q-iteration, which values a cell by its number of moves to the target.
    """
    width, height = grid.shape
    next_cells = np.full((width, height, width, height, 2), -1, dtype=np.int64)
    for target in grid.free_cells:
        steps = steps_to_cell(grid.walls, target)
        chosen = np.full((width, height, 2), -1, dtype=np.int64)
        for move in NEIGHBOURS[::-1]:  # the first in order is written last
            cells = np.argwhere(steps > 0)
            after = cells + move
            inside = ((after >= 0) & (after < grid.shape)).all(axis=1)
            cells, after = cells[inside], after[inside]
            nearer = ~grid.walls[tuple(after.T)] & (steps[tuple(after.T)] == steps[tuple(cells.T)] - 1)
            chosen[tuple(cells[nearer].T)] = after[nearer]
        chosen[tuple(target)] = target
        next_cells[tuple(target)] = chosen
    return next_cells


def _length(vector: Floats) -> Floats:
    return np.hypot(vector[:, 0], vector[:, 1])
