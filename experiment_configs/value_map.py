"""Pictures of what an agent has learned of a maze: from everywhere to a goal, or from a start to everywhere.

Beside it stand the true steps: the shortest way at top speed.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Circle
from scipy.stats import spearmanr

from experiment_configs.grid_value_map import draw_grid_values
from experiment_configs.learned_values import learned_values
from experiment_configs.maze_axes import draw_walls, height_over_width
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import SUCCESS_RADIUS, Maze2dTask
from lifelong_rl.envs.maze2d_distance import distance_field
from lifelong_rl.envs.maze2d_grid import Floats
from lifelong_rl.envs.maze2d_picture import MazePicture
from lifelong_rl.types import Agent, Task

PIXELS = 240  # of the longest side of the maze
SCALE_LIMIT = 2.0  # times the largest true value: colours end there, however wrong the learned ones are
START_RADIUS = 0.1


def draw_values(path: Path, agent: Agent, task: Task, discount: float) -> None:
    """The value map of a maze or grid, to the task's own goal; the format is that of the extension."""
    if isinstance(task, GridTask):
        draw_grid_values(path, agent, task, discount)
    else:
        draw_value_map(path, agent, task)


def draw_value_map(path: Path, agent: Agent, task: Task, start: Floats | None = None) -> None:
    """To the task's own goal, or from `start` [2]; states are at rest."""
    if not isinstance(task, Maze2dTask):
        raise ConfigError(f"a value map is drawn of mazes and grids, not of {task.spec.name}.")
    values = learned_values(agent)
    positions = MazePicture(task.grid, size=PIXELS).pixel_positions()  # [H, W, 2]
    free = ~task.grid.walls[tuple(np.moveaxis(task.grid.cell_of(positions), -1, 0))]
    place = task.grid.goal_cell.astype(np.float64) if start is None else _on_the_floor(task, start)
    true = np.where(free, distance_field(task.grid, place).at(positions), np.nan)
    true[np.isinf(true)] = np.nan  # closer to a wall than the particle fits
    learned, known = np.full(true.shape, np.nan), np.isfinite(true)
    here, there = positions[known], np.broadcast_to(place, positions[known].shape)
    if start is not None:
        here, there = there, here
    learned[known] = values.at(np.concatenate([here, np.zeros_like(here)], 1), there)

    figure = Figure(figsize=(9.6, 1.0 + 4.1 * height_over_width(task)), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    draw = _draw_steps if values.in_steps else _draw_returns
    draw(figure, left, right, task, learned, true, positions)
    radius = SUCCESS_RADIUS if start is None else START_RADIUS
    for panel in (left, right):
        draw_walls(panel, task)
        panel.add_patch(Circle((place[1], place[0]), radius, fill=start is not None, color="tab:red", linewidth=1.5))
    what = "to the goal" if start is None else f"from ({place[0]:g}, {place[1]:g})"
    figure.suptitle(f"{task.spec.name}, {what}", fontsize=12, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_steps(
    figure: Figure, left: Axes, right: Axes, task: Maze2dTask, learned: Floats, true: Floats, positions: Floats
) -> None:
    """One scale for both."""
    known, highest = np.isfinite(true), min(np.nanmax([true, learned]), SCALE_LIMIT * np.nanmax(true))
    error = np.sqrt(np.mean((learned[known] - true[known]) ** 2))
    correlation = spearmanr(learned[known], true[known]).statistic
    _draw_panel(left, learned, positions, (0.0, highest), "viridis_r")
    left.set_title(f"learned: Spearman {correlation:.3f}, RMSE {error:.1f} steps", fontsize=10)
    image = _draw_panel(right, true, positions, (0.0, highest), "viridis_r")
    right.set_title("true: shortest way at top speed", fontsize=10)
    extend = "max" if np.nanmax(learned) > highest else "neither"
    figure.colorbar(image, ax=[left, right], label="steps", extend=extend, shrink=0.9)


def _draw_returns(
    figure: Figure, left: Axes, right: Axes, task: Maze2dTask, learned: Floats, true: Floats, positions: Floats
) -> None:
    """A scale for each: rewards and discount decide what a return is worth."""
    known = np.isfinite(true)
    correlation = spearmanr(-learned[known], true[known]).statistic
    image = _draw_panel(left, learned, positions, (float(np.nanmin(learned)), float(np.nanmax(learned))), "viridis")
    left.set_title(f"learned value: Spearman {correlation:.3f}", fontsize=10)
    figure.colorbar(image, ax=left, label="value", shrink=0.9)
    image = _draw_panel(right, true, positions, (0.0, float(np.nanmax(true))), "viridis_r")
    right.set_title("true: shortest way at top speed", fontsize=10)
    figure.colorbar(image, ax=right, label="steps", shrink=0.9)


def _draw_panel(panel: Axes, values: Floats, positions: Floats, span: tuple[float, float], colours: str) -> AxesImage:
    (low, high), first, last = span, positions[0, 0], positions[-1, -1]
    extent = (first[1], last[1], last[0], first[0])
    image = panel.imshow(values, extent=extent, vmin=low, vmax=high, cmap=colours, interpolation="nearest")
    if high > low:
        levels = np.linspace(low, high, 13)[1:-1] + 1e-3 * (high - low)  # not just where true steps have plateaus
        rows, columns = positions[..., 0], positions[..., 1]
        panel.contour(columns, rows, values, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    return image


def _on_the_floor(task: Maze2dTask, start: Floats) -> Floats:
    cell = task.grid.cell_of(start)
    inside = bool((cell >= 0).all() and (cell < task.grid.shape).all())
    if not inside or task.grid.walls[tuple(cell)]:
        row, column = task.grid.free_cells[0]
        place = f"({start[0]:g}, {start[1]:g})"
        raise ConfigError(f"start: {place} is not on the floor of {task.spec.name}; ({row}, {column}) is.")
    return start
