"""Learning curves as a grid of panels: a thin line per seed, a thick one over them, and its band where n >= 3."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from experiment_utils.results.bands import Band, Summary, thinned
from experiment_utils.results.curves import Series, boundaries, series
from experiment_utils.results.finals import over_seeds
from experiment_utils.results.palette import AXIS_LABELS, COLOURS, DASHES
from experiment_utils.results.panels import Panel
from experiment_utils.results.runs import Run

MAX_POINTS = 500  # of a line: more than print can show
_COLUMNS, _COLUMNS_OF_MANY, _MANY = 3, 4, 10  # panels beside each other, with so many panels or more


@rc_context({"text.parse_math": False})  # a $ in a name is a $
def draw_curves(
    path: Path, title: str, panels: Sequence[Panel], axis: str, smooth: int = 1, summary: Summary = "mean_se"
) -> None:
    """Writes a picture; its format is that of the extension. A label has one colour in all panels."""
    columns = min(_COLUMNS if len(panels) < _MANY else _COLUMNS_OF_MANY, len(panels))
    num_rows = -(-len(panels) // columns)
    labels = list(dict.fromkeys(label for panel in panels for label in panel.groups))
    legend_rows = -(-len(labels) // columns)
    height = 2.9 * num_rows + 0.5 + 0.24 * legend_rows + 0.2
    dpi = 130 if len(panels) < _MANY else 80
    figure = Figure(figsize=(4.3 * columns, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(num_rows, columns, squeeze=False).flatten()

    handles: dict[str, Any] = {}
    counts: dict[str, set[int]] = {}
    for axes, panel in zip(grid, panels, strict=False):
        for label, runs in panel.groups.items():
            line = _draw_group(axes, runs, panel.metric, axis, smooth, labels.index(label), summary)
            if line is not None:
                handles[label], num_seeds = line
                counts.setdefault(label, set()).update(num_seeds)
        _draw_boundaries(axes, [run for runs in panel.groups.values() for run in runs], axis)
        _dress(axes, panel, axis)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)

    shown = [label for label in labels if label in handles]
    texts = [f"{label or 'all runs'} ({_count(counts[label])})" for label in shown]
    lines = [handles[label] for label in shown]
    figure.legend(lines, texts, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=12, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_group(
    panel: Axes, runs: Sequence[Run], name: str, axis: str, smooth: int, index: int, summary: Summary
) -> tuple[Any, set[int]] | None:
    """The line, for the legend, and how many seeds it is of; None where no run has a value."""
    colour, dash = COLOURS[index % len(COLOURS)], DASHES[index // len(COLOURS) % len(DASHES)]
    curves = [curve for run in runs if len((curve := series(run, name, axis, smooth)).x)]
    if not curves:
        return None
    over = over_seeds(curves, runs, name, summary, MAX_POINTS)
    return draw_line(panel, over, curves, colour, dash, MAX_POINTS), set(map(int, over.num_seeds))


def draw_line(axes: Axes, over: Band, curves: Sequence[Series], colour: str, dash: str, seed_points: int) -> Any:
    """Thick over the seeds, which are thin beside it, with its band; returns the thick one."""
    marker = "o" if len(over.x) == 1 else None
    (line,) = axes.plot(over.x, over.centre, dash, color=colour, linewidth=1.8, marker=marker, zorder=3)
    for curve in curves if len(curves) > 1 else []:
        kept = thinned(curve.y, seed_points)
        axes.plot(curve.x[kept], curve.y[kept], color=colour, linewidth=0.65, alpha=0.35, zorder=2)
    axes.fill_between(over.x, over.low, over.high, color=colour, alpha=0.2, linewidth=0, zorder=1)
    return line


def _draw_boundaries(panel: Axes, runs: Sequence[Run], axis: str) -> None:
    found = sorted({boundary for run in runs for boundary in boundaries(run, axis)})
    for x in sorted({x for x, _, _ in found}):
        panel.axvline(x, color="0.45", linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
    if len(found) == 1:
        x, before, after = found[0]
        style: dict[str, Any] = {
            "xycoords": ("data", "axes fraction"), "textcoords": "offset points", "fontsize": 7, "color": "0.35",
        }  # fmt: skip
        panel.annotate(f"{before} ", (x, 1.0), xytext=(-1, 2), ha="right", **style)
        panel.annotate(f" {after}", (x, 1.0), xytext=(1, 2), ha="left", **style)


def _dress(panel: Axes, content: Panel, axis: str) -> None:
    panel.set_title(content.title, fontsize=9, pad=12)
    if content.title != content.metric and not content.title.endswith(f": {content.metric}"):
        panel.set_ylabel(content.metric.rpartition("/")[2], fontsize=8)
    panel.set_xlabel(AXIS_LABELS.get(axis, axis), fontsize=8)
    panel.tick_params(labelsize=8)
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.grid(color="0.9", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    if content.metric.endswith("_rate"):
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))


def _count(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    return f"n={high}" if low == high else f"n={low} to {high}"
