"""Mazes and grids as matplotlib draws them: x points downwards and y to the right, as the layout is written."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_film import CELL_MIDDLE
from lifelong_rl.envs.maze2d_grid import Floats
from lifelong_rl.envs.maze2d_picture import wall_segments

MARGIN = 0.1  # metres around the floor


def draw_walls(panel: Axes, task: Maze2dTask | GridTask) -> None:
    """The edges of the floor, and no axes."""
    segments = wall_segments(task.grid)
    walls = [[(y, x) for x, y in segment] for segment in segments]
    panel.add_collection(LineCollection(walls, colors="0.2", linewidths=2.0, capstyle="round"))
    low, high = segments.min((0, 1)) - MARGIN, segments.max((0, 1)) + MARGIN
    panel.set(xlim=(low[1], high[1]), ylim=(high[0], low[0]))
    panel.set_aspect("equal")
    panel.set_axis_off()


def positions_of(task: Maze2dTask | GridTask, states: Floats) -> tuple[Floats, Floats]:
    """Of rows of sim_state [..., 7]: where the particle is and where its goal, [..., 2] each, as walls are drawn."""
    shift = CELL_MIDDLE if isinstance(task, GridTask) else 0.0
    return states[..., :2] + shift, states[..., 4:6] + shift


def height_over_width(task: Maze2dTask | GridTask) -> float:
    """Of the floor."""
    height, width = np.ptp(task.grid.free_cells, axis=0) + 1
    return float(height / width)
