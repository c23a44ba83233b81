"""A maze as a grid: which cells are free, which one holds the goal, and which cell a position lies in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NEIGHBOURS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])  # in the order in which D4RL's planner breaks ties


@dataclass(frozen=True, kw_only=True, eq=False)
class MazeGrid:
    """Cell [w, h] is row w, column h of the layout, and the position (w, h) lies in it; x runs along the rows.

    The particle's body starts at 1.2 while walls sit at whole numbers plus 1, so its centre moves freely in
    [w - 0.6, w + 0.2]: cells are off-centre by 0.2.
    """

    layout: str
    walls: NDArray[np.bool_]  # [W, H]
    free_cells: Ints  # [K, 2], sorted, the goal's cell last
    goal_cell: Ints  # [2]

    @classmethod
    def from_layout(cls, layout: str) -> "MazeGrid":
        rows = layout.strip().split("\\")
        _check_rows(layout, rows)
        tiles = np.array([list(row) for row in rows])
        goals = np.argwhere(tiles == "G")
        empty = np.argwhere(np.isin(tiles, list("O0 ")))
        free = np.concatenate([empty, goals])
        grid = cls(layout=layout, walls=tiles == "#", free_cells=free, goal_cell=goals[0] if len(goals) else empty[0])
        steps = steps_to_cell(grid.walls, grid.goal_cell)
        goal_w, goal_h = grid.goal_cell
        for w, h in free:
            if steps[w, h] < 0:
                raise ConfigError(f"layout: no way leads from row {w}, column {h} to row {goal_w}, column {goal_h}.")
        return grid

    @property
    def shape(self) -> tuple[int, int]:
        return self.walls.shape[0], self.walls.shape[1]

    def cell_of(self, position: Floats) -> Ints:
        """The cell [..., 2] that holds the position [..., 2]; D4RL's rounding, but right in all of a cell."""
        return np.floor(position + 0.7).astype(np.int64)

    def sample_positions(self, count: int, generator: np.random.Generator) -> Floats:
        """[count, 2]: a free cell, all equally likely, and up to 0.1 off its whole numbers."""
        cells = self.free_cells[generator.integers(len(self.free_cells), size=count)]
        return cells + generator.uniform(-0.1, 0.1, size=(count, 2))


def steps_to_cell(walls: NDArray[np.bool_], target: Ints) -> Ints:
    """[W, H]: moves until `target`; a wall has the number of one who could leave it but not enter; -1: no way."""
    steps = np.full(walls.shape, -1, dtype=np.int64)
    steps[tuple(target)] = 0
    frontier = [tuple(target)]
    while frontier:
        found = []
        for cell in frontier:
            for neighbour in NEIGHBOURS + cell:
                w, h = neighbour
                if 0 <= w < walls.shape[0] and 0 <= h < walls.shape[1] and steps[w, h] < 0:
                    steps[w, h] = steps[cell] + 1
                    if not walls[w, h]:
                        found.append((w, h))
        frontier = found
    return steps


def _check_rows(layout: str, rows: list[str]) -> None:
    for w, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ConfigError(f"layout: row {w} has {len(row)} tiles, row 0 has {len(rows[0])}.")
        for h, tile in enumerate(row):
            if tile not in "#OG0 ":
                raise ConfigError(f"layout: row {w}, column {h} is {tile!r}; tiles are # (wall), O (free), G (goal).")
            if tile != "#" and (w in (0, len(rows) - 1) or h in (0, len(row) - 1)):
                raise ConfigError(f"layout: row {w}, column {h} is open to the outside; the border must be walls (#).")
    if layout.count("G") > 1:
        raise ConfigError(f"layout: {layout.count('G')} goals (G), at most 1 expected.")
    if not any(tile in layout for tile in "OG0 "):
        raise ConfigError(f"layout: no free tile (O or G) in {layout!r}.")
