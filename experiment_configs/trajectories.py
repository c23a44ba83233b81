"""A picture of trajectories through a maze or grid: a line each, in the colour of whether it came to its goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import NDArray

from experiment_configs.maze_axes import draw_walls, height_over_width, positions_of
from experiment_configs.rollout import Rollout
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import SUCCESS_RADIUS, Maze2dTask
from lifelong_rl.envs.maze2d_film import follow_episodes
from lifelong_rl.envs.maze2d_grid import Floats

REACHED, MISSED, GOAL = "#0072B2", "#D55E00", "#009E73"  # distinct to colour-blind eyes (Okabe and Ito 2008)
GOAL_RADIUS = 0.12  # of the dot; within SUCCESS_RADIUS of it a maze's goal counts as reached
SPREAD = 0.5  # of a cell: on a grid, how far apart lines over the same cells are drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """One episode: rows of sim_state [L, 7] in order of time."""

    states: Floats
    has_reached: bool


def trajectories_of(states: Floats, success: NDArray[np.bool_], ended: NDArray[np.bool_]) -> list[Trajectory]:
    """The episodes that ended, in order of their ends: of states [T, K, 7] of K environments.

    `success` and `ended` [T, K] say it of the step from there, whose last state an episode does not show.
    """
    start, _, _ = follow_episodes(states)
    found = []
    for time, env in np.argwhere(ended):
        lived = slice(start[time, env], time + 1)
        found.append(Trajectory(states=states[lived, env], has_reached=bool(success[lived, env].any())))
    return found


def played_trajectories(rollout: Rollout) -> list[Trajectory]:
    """All episodes; mazes and grids last for the task's whole horizon."""
    reached = rollout.episodes.success.any(0).tolist()
    return [Trajectory(states=rollout.states[:, env], has_reached=here) for env, here in enumerate(reached)]


def draw_trajectories(path: Path, task: Maze2dTask | GridTask, trajectories: Sequence[Trajectory], title: str) -> None:
    """Writes the picture; its format is that of the extension."""
    figure = Figure(figsize=(5.4, 1.0 + 5.2 * height_over_width(task)), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    draw_walls(panel, task)
    _draw_goals(panel, task, trajectories)
    for number, trajectory in enumerate(trajectories):
        position = positions_of(task, trajectory.states)[0]
        if isinstance(task, GridTask):
            position = position + SPREAD * ((number + 0.5) / len(trajectories) - 0.5)
        x, y = position.T
        colour = REACHED if trajectory.has_reached else MISSED
        panel.plot(y, x, color=colour, linewidth=1.3, alpha=0.75, zorder=3)
        panel.plot(y[:1], x[:1], "o", color=colour, markersize=4.5, markeredgecolor="white", zorder=4)
    num_reached, count = sum(trajectory.has_reached for trajectory in trajectories), len(trajectories)
    panel.set_title(f"{num_reached} of {count} episodes came to their goal", fontsize=10)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.legend(handles=_legend(num_reached, count), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_goals(panel: Axes, task: Maze2dTask | GridTask, trajectories: Sequence[Trajectory]) -> None:
    goals = np.unique([positions_of(task, trajectory.states)[1][-1] for trajectory in trajectories], axis=0)
    for x, y in goals:
        panel.add_patch(Circle((y, x), GOAL_RADIUS, facecolor=GOAL, edgecolor="white", alpha=0.6, zorder=2))
        if len(goals) == 1 and isinstance(task, Maze2dTask):
            panel.add_patch(Circle((y, x), SUCCESS_RADIUS, fill=False, edgecolor=GOAL, linewidth=1.5, zorder=2))


def _legend(num_reached: int, count: int) -> list[Line2D]:
    handles = [Line2D([], [], color="0.4", marker="o", linestyle="none", markersize=5, label="start")]
    handles.append(Line2D([], [], color=GOAL, marker="o", linestyle="none", markersize=9, alpha=0.6, label="goal"))
    if num_reached:
        handles.append(Line2D([], [], color=REACHED, label="reached"))
    if num_reached < count:
        handles.append(Line2D([], [], color=MISSED, label="not reached"))
    return handles
