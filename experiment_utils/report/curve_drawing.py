"""Learning curves for a paper, thinned to what print can show: a band where three runs are, thin lines for runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from experiment_utils.dashboard.selection import Figure as Task
from experiment_utils.report.paper import Place, dressed, look_of, new_figure
from experiment_utils.report.study import Study
from experiment_utils.results.curves import boundaries, series
from experiment_utils.results.figure import draw_line
from experiment_utils.results.finals import is_success_rate, over_seeds
from experiment_utils.results.palette import AXIS_LABELS
from experiment_utils.results.runs import Run

POINTS = 200  # of a line over runs
RUN_POINTS, LEAST_POINTS = 30_000, 30  # of all runs' lines together, and of one
COLUMNS = 3


def draw_curves(study: Study, places: Sequence[Place]) -> Figure:
    """A panel a place; a method has one colour in all of them."""
    tasks = {task.title: task for task in study.selection.figures}
    columns = min(COLUMNS, len(places))
    lines, rows_of_names = -(-len(places) // columns), -(-len(study.methods) // columns)
    figure = new_figure(3.6 * columns, 2.6 * lines + 0.17 * rows_of_names + 0.2)
    grid = figure.subplots(lines, columns, squeeze=False).flatten()
    points = int(np.clip(RUN_POINTS // (len(study.selection.runs) * len(places)), LEAST_POINTS, POINTS))
    handles: dict[str, Any] = {}
    for axes, place in zip(grid, places, strict=False):
        handles |= _draw_panel(axes, study, tasks[place.task], place.metric, points)
        axes.set_title(place.title, fontsize=9, loc="left")
    for axes in grid[len(places) :]:
        axes.set_visible(False)
    named = [method for method in study.methods if method in handles]
    texts = [f"{method} ({_count(study, method)})" for method in named]
    style: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "frameon": False, "fontsize": 7.5}
    figure.legend([handles[method] for method in named], texts, **style)
    return figure


def _count(study: Study, method: str) -> str:
    """Runs, on each task that it has."""
    counts = {len(task.groups[method]) for task in study.selection.figures if method in task.groups}
    return f"n={max(counts)}" if len(counts) == 1 else f"n={min(counts)} to {max(counts)}"


def _draw_panel(axes: Axes, study: Study, task: Task, metric: str, points: int) -> dict[str, Any]:
    """Method -> its line."""
    handles = {}
    for method, runs in task.groups.items():
        line = _draw_method(axes, study, method, runs, metric, points)
        if line is not None:
            handles[method] = line
    ends = {x for runs in task.groups.values() for run in runs for x, _, _ in boundaries(run, study.view.x)}
    for x in sorted(ends) if study.view.x in AXIS_LABELS else []:
        axes.axvline(x, color="0.5", linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.set_xlabel(AXIS_LABELS.get(study.view.x, study.view.x), fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    if is_success_rate(metric):
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    dressed(axes)
    return handles


def _draw_method(
    axes: Axes, study: Study, method: str, runs: Sequence[Run], metric: str, points: int
) -> Any | None:  # fmt: skip
    found = (series(run, metric, study.view.x, study.view.smooth) for run in runs)
    curves = [curve for curve in found if len(curve.x)]
    if not curves:
        return None
    colour, dash = look_of(study.methods, method)
    over = over_seeds(curves, runs, metric, study.view.summary, POINTS)
    return draw_line(axes, over, curves, colour, dash, points)
