"""A picture of what QRL has learned of a maze: steps to the task's goal from everywhere, beside the true ones."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Circle
from scipy.stats import spearmanr

from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.config import ConfigError
from lifelong_rl.envs.maze2d import SUCCESS_RADIUS, Maze2dTask
from lifelong_rl.envs.maze2d_distance import distance_field
from lifelong_rl.envs.maze2d_grid import Floats
from lifelong_rl.envs.maze2d_picture import MazePicture, wall_segments
from lifelong_rl.types import Agent, Task

PIXELS = 240  # of the longest side of the maze
MARGIN = 0.1  # metres around the floor
SCALE_LIMIT = 2.0  # times the largest true value: colours end there, however wrong the learned ones are


def draw_value_map(path: Path, agent: Agent, task: Task) -> None:
    """Writes the picture (its format is that of the extension); states are at rest, the goal is the task's own."""
    if not isinstance(agent, QRLAgent) or not isinstance(task, Maze2dTask):
        raise ConfigError(f"a value map needs a QRL agent on a maze, not {type(agent).__name__} on {task.spec.name}.")
    positions = MazePicture(task.grid, size=PIXELS).pixel_positions()  # [H, W, 2]
    free = ~task.grid.walls[tuple(np.moveaxis(task.grid.cell_of(positions), -1, 0))]
    goal = task.grid.goal_cell.astype(np.float64)
    true = np.where(free, distance_field(task.grid, goal).at(positions), np.nan)
    true[np.isinf(true)] = np.nan  # closer to a wall than the particle fits
    learned = np.full(true.shape, np.nan)
    known = np.isfinite(true)
    learned[known] = _learned_steps(agent, positions[known], goal)

    highest = min(max(np.nanmax(true), np.nanmax(learned)), SCALE_LIMIT * np.nanmax(true))
    correlation = spearmanr(learned[known], true[known]).statistic
    error = np.sqrt(np.mean((learned[known] - true[known]) ** 2))
    height, width = np.ptp(task.grid.free_cells, axis=0) + 1
    figure = Figure(figsize=(9.6, 1.0 + 4.1 * height / width), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    title = f"learned: Spearman {correlation:.3f}, RMSE {error:.1f} steps"
    _draw_panel(left, task, learned, positions, goal, highest, title)
    mesh = _draw_panel(right, task, true, positions, goal, highest, "true: shortest way at top speed")
    extend = "max" if np.nanmax(learned) > highest else "neither"
    figure.colorbar(mesh, ax=[left, right], label="steps to the goal", extend=extend, shrink=0.9)
    figure.suptitle(task.spec.name, fontsize=12, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _learned_steps(agent: QRLAgent, position: Floats, goal: Floats) -> Floats:
    observation = np.concatenate([position, np.zeros_like(position)], 1).astype(np.float32)
    device = agent.generator.device
    goals = torch.from_numpy(goal.astype(np.float32)).to(device).expand(len(position), 2)
    steps: Floats = agent.steps_between(torch.from_numpy(observation).to(device), goals).cpu().double().numpy()
    return steps


def _draw_panel(
    panel: Axes, task: Maze2dTask, steps: Floats, positions: Floats, goal: Floats, highest: float, title: str
) -> AxesImage:
    first, last = positions[0, 0], positions[-1, -1]
    extent = (first[1], last[1], last[0], first[0])  # x points downwards, as rows do in the layout's text
    image = panel.imshow(steps, extent=extent, vmin=0.0, vmax=highest, cmap="viridis_r", interpolation="nearest")
    levels = np.linspace(0.0, highest, 13)[1:-1]
    rows, columns = positions[..., 0], positions[..., 1]
    panel.contour(columns, rows, steps, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    walls = [[(y, x) for x, y in segment] for segment in wall_segments(task.grid)]
    panel.add_collection(LineCollection(walls, colors="0.2", linewidths=2.0, capstyle="round"))
    panel.add_patch(Circle((goal[1], goal[0]), SUCCESS_RADIUS, fill=False, edgecolor="tab:red", linewidth=1.5))
    low, high = wall_segments(task.grid).min((0, 1)) - MARGIN, wall_segments(task.grid).max((0, 1)) + MARGIN
    panel.set(xlim=(low[1], high[1]), ylim=(high[0], low[0]))
    panel.set_title(title, fontsize=10)
    panel.set_axis_off()
    return image
