"""A picture of what an agent has learned of a grid world: values for the task's goal, beside the true ones."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from experiment_configs.learned_values import learned_values
from lifelong_rl.envs.grid import GridTask, shown_as
from lifelong_rl.envs.grid_distance import best_values, shortest_steps
from lifelong_rl.envs.maze2d_grid import Floats
from lifelong_rl.types import Agent


def values_of_pairs(agent: Agent, task: GridTask) -> Floats:
    """[K, K]: what the agent thinks of free cell j from free cell i; minus the steps, where it counts those."""
    values = learned_values(agent)
    shown = shown_as(task.grid.free_cells, task.grid.shape)
    count = len(shown)
    table = values.at(shown.repeat(count, axis=0), np.tile(shown, (count, 1))).reshape(count, count)
    return -table if values.in_steps else table


def draw_grid_values(path: Path, agent: Agent, task: GridTask, discount: float) -> None:
    """Three panels: learned, true (by shortest ways), and both against each other for all pairs of cells."""
    steps, learned = shortest_steps(task.grid), values_of_pairs(agent, task)
    in_steps = learned_values(agent).in_steps
    true = -steps.astype(np.float64) if in_steps else best_values(steps, discount)
    goal = int(np.flatnonzero((task.grid.free_cells == task.grid.goal_cell).all(1))[0])
    error = np.sqrt(np.mean((learned - true) ** 2))
    figure = Figure(figsize=(11.4, 3.7), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    lowest = float(true[:, goal].min())
    _draw_panel(left, task, learned[:, goal], lowest, "learned value of the goal (red)")
    title = "true: minus the steps" if in_steps else "true: minus the discounted steps"
    image = _draw_panel(middle, task, true[:, goal], lowest, title)
    figure.colorbar(image, ax=[left, middle], shrink=0.9)
    right.scatter(true.ravel(), learned.ravel(), s=3, alpha=0.15, linewidths=0, rasterized=True)
    right.plot([true.min(), 0], [true.min(), 0], color="0.3", linewidth=1.0)
    right.set(xlabel="true value", ylabel="learned value")
    right.set_title(f"all {len(true)} x {len(true)} pairs: RMSE {error:.2f}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_panel(panel: Axes, task: GridTask, values: Floats, lowest: float, title: str) -> AxesImage:
    table = np.full(task.grid.shape, np.nan)
    table[tuple(task.grid.free_cells.T)] = values
    panel.set_facecolor("0.3")  # shows where there is no value: walls
    image = panel.imshow(table, vmin=lowest, vmax=0.0, cmap="viridis", interpolation="nearest")
    row, column = task.grid.goal_cell
    panel.plot([column], [row], marker="o", color="tab:red", markersize=6)
    panel.set(xticks=[], yticks=[])
    panel.set_title(title, fontsize=10)
    return image
