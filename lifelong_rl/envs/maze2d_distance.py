"""True distances in a maze, to measure learned ones by: how many steps it takes at top speed along the shortest way.

Speed is limited on each axis by itself, so a step reaches a square of 0.05 m around, and breadth-first search over a
grid with eight neighbours to a node finds the quickest ways. Speeding up and braking are left out: a lower bound.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.envs.maze2d_grid import Floats, Ints, MazeGrid
from lifelong_rl.envs.maze2d_physics import BODY_OFFSET, PARTICLE_RADIUS, STEP_SECONDS, TOP_SPEED

RESOLUTION = 0.1  # metres between nodes; a whole share of what a wall and the free floor measure
STEPS_PER_MOVE = RESOLUTION / (TOP_SPEED * STEP_SECONDS)  # between neighbouring nodes
_MOVES = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
_FIRST = 0.5 - BODY_OFFSET  # the position of node [0, 0], on both axes: the outer corner of the walls


@dataclass(frozen=True, kw_only=True, eq=False)
class DistanceField:
    """Steps to one goal: `steps` [H, W], inf in walls; node [i, j] lies at _FIRST + RESOLUTION * (i, j)."""

    steps: Floats

    def at(self, position: Floats) -> Floats:
        """[..., 2] to [...]: steps from there, interpolated between the free ones of the four nodes around."""
        place = np.clip((position - _FIRST) / RESOLUTION, 0.0, np.array(self.steps.shape) - 1.001)
        corner = np.floor(place).astype(np.int64)
        share = place - corner
        total, weights = np.zeros(place.shape[:-1]), np.zeros(place.shape[:-1])
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            value = self.steps[corner[..., 0] + i, corner[..., 1] + j]
            weight = np.abs(1 - i - share[..., 0]) * np.abs(1 - j - share[..., 1])
            weight = np.where(np.isfinite(value), weight + 1e-12, 0.0)
            total += weight * np.where(np.isfinite(value), value, 0.0)
            weights += weight
        return np.where(weights > 0, total / np.where(weights > 0, weights, 1.0), np.inf)


def distance_field(grid: MazeGrid, goal: Floats) -> DistanceField:
    """Steps to `goal` [2] from everywhere, right to a step: the goal is moved to the nearest free node."""
    return _Search(grid).from_goal(goal)


def steps_between(grid: MazeGrid, start: Floats, goal: Floats) -> Floats:
    """[B, 2], [B, 2] to steps [B]. One search for each node that has a goal near."""
    nodes, which = np.unique(np.round((goal - _FIRST) / RESOLUTION), axis=0, return_inverse=True)
    search, steps = _Search(grid), np.empty(len(start))
    for index, node in enumerate(nodes):
        rows = which.reshape(-1) == index
        steps[rows] = search.from_goal(_FIRST + RESOLUTION * node).at(start[rows])
    return steps


class _Search:
    """Breadth first over the K free nodes; number K stands for all that is not free."""

    def __init__(self, grid: MazeGrid) -> None:
        free = _free_nodes(grid)
        self._shape, self._nodes = free.shape, np.argwhere(free)
        numbers = np.full(free.shape, len(self._nodes))
        numbers[free] = np.arange(len(self._nodes))
        self._neighbours = np.stack([self._moved(numbers, dx, dy) for dx, dy in _MOVES], axis=1)  # [K, 8]

    def from_goal(self, goal: Floats) -> DistanceField:
        steps = np.full(len(self._nodes) + 1, np.inf)
        steps[-1] = -1.0  # never to be visited
        frontier = np.abs(_FIRST + RESOLUTION * self._nodes - goal).sum(axis=1).argmin(keepdims=True)
        wave = 0
        while len(frontier):
            steps[frontier] = wave * STEPS_PER_MOVE
            near = self._neighbours[frontier].reshape(-1)
            frontier = np.unique(near[np.isinf(steps[near])])
            wave += 1
        field = np.full(self._shape, np.inf)
        field[tuple(self._nodes.T)] = steps[:-1]
        return DistanceField(steps=field)

    def _moved(self, numbers: Ints, dx: int, dy: int) -> Ints:
        """[K]: where a move leads. A slanting one needs free floor on both sides: it may not cut a corner."""
        x, y = self._nodes.T
        beside = np.maximum(numbers[x + dx, y], numbers[x, y + dy])
        return np.where(beside < len(self._nodes), numbers[x + dx, y + dy], len(self._nodes))


def _free_nodes(grid: MazeGrid) -> NDArray[np.bool_]:
    """[H, W]: where the particle's centre may be, a radius away from every wall."""
    axes = [_FIRST + RESOLUTION * np.arange(round(count / RESOLUTION) + 1) for count in grid.shape]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    free = np.ones(nodes.shape[:2], np.bool_)
    for cell in np.argwhere(grid.walls):
        gap = np.maximum(np.abs(nodes - (cell + _FIRST + 0.5)) - 0.5, 0.0)
        free &= np.hypot(gap[..., 0], gap[..., 1]) >= PARTICLE_RADIUS - 1e-9
    return free
