"""Plotly figures of a selection, as plain values: a line over seeds, the band around it, the seeds, their number."""

import base64
import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from experiment_utils.dashboard.selection import Figure, Selection
from experiment_utils.dashboard.view import View
from experiment_utils.results.bands import MIN_SEEDS, Band, thinned
from experiment_utils.results.curves import Series, boundaries, series
from experiment_utils.results.finals import over_seeds
from experiment_utils.results.palette import AXIS_LABELS, COLOURS
from experiment_utils.results.runs import Run
from experiment_utils.results.types import Floats

POINTS = 10_000  # of all lines of a page together
MAX_POINTS, MIN_POINTS = 1000, 60  # of a line: as many as a screen has columns
MAX_SEED_LINES = 100  # thin lines on a page; beyond them the bands alone
MARGIN = 84  # pixels around the plots
WIDTHS = {True: 1000, False: 420}  # pixels, about: of a figure alone, and of one beside others
DASHES = ("solid", "dash", "dot", "dashdot")

Trace = dict[str, Any]


def curve_figures(selection: Selection) -> list[dict[str, Any]]:
    """A figure each, its y axes below one another; a label has one colour and one dash in all of them."""
    view, figures = selection.view, selection.figures
    labels = list(dict.fromkeys(label for figure in figures for label in figure.groups))
    num_lines = sum(len(figure.groups) for figure in figures) * max(1, len(view.y or ()))
    points = int(np.clip(POINTS // max(1, num_lines), MIN_POINTS, MAX_POINTS))
    num_runs = sum(len(runs) for figure in figures for runs in figure.groups.values())
    with_seeds = view.seeds and num_runs <= MAX_SEED_LINES
    width = WIDTHS[len(figures) == 1]
    return [
        {"data": _traces(figure, view, labels, points, with_seeds), "layout": layout(figure, view, width)}
        for figure in figures
    ]


def _traces(figure: Figure, view: View, labels: Sequence[str], points: int, with_seeds: bool) -> list[Trace]:
    traces: list[Trace] = []
    for row, metric in enumerate(view.y or ()):
        for label, runs in figure.groups.items():
            curves = curves_of(runs, metric, view)
            if curves:
                style = _Style(label, labels.index(label), row)
                line = over_seeds(curves, runs, metric, view.summary, points)
                traces += style.traces(line, curves if with_seeds and len(curves) > 1 else [], points)
    return traces


class _Style:
    """How one label's traces look; they share its entry in the legend."""

    def __init__(self, label: str, index: int, row: int) -> None:
        self._colour = COLOURS[index % len(COLOURS)]
        self._dash = DASHES[index // len(COLOURS) % len(DASHES)]
        self._name, self._row = shown(label), row
        self._common = {"legendgroup": str(index), "xaxis": "x", "yaxis": axis_name("y", row)}

    def traces(self, line: Band, curves: Sequence[Series], points: int) -> Iterator[Trace]:
        if np.isfinite(line.low).any():
            yield self._band(line)
        if curves:
            yield self._seeds(curves, max(20, points // len(curves)))
        yield self._line(line)
        if (changes := np.flatnonzero(np.diff(line.num_seeds)) + 1).size:
            yield self._changes(line, changes)

    def _line(self, line: Band) -> Trace:
        low, high = int(line.num_seeds.min()), int(line.num_seeds.max())
        count = f"n={high}" if low == high else f"n={low} to {high}"
        return self._common | {
            "type": "scatter", "mode": "lines" if len(line.x) > 1 else "markers", "name": f"{self._name} ({count})",
            "x": packed(line.x), "y": packed(line.centre), "customdata": _rows(line), "showlegend": self._row == 0,
            "line": {"color": self._colour, "dash": self._dash, "width": 2.2},
            "hovertemplate": "%{fullData.name}<br>%{x}: <b>%{y:.4g}</b>%{customdata}<extra></extra>",
        }  # fmt: skip

    def _band(self, line: Band) -> Trace:
        return self._common | {
            "type": "scatter", "mode": "lines", "fill": "toself", "fillcolor": _faint(self._colour, 0.18),
            "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, **_outline(line),
        }  # fmt: skip

    def _seeds(self, curves: Sequence[Series], points: int) -> Trace:
        gap = np.array([np.nan])
        kept = [thinned(curve.y, points) for curve in curves]
        x = np.concatenate([part for curve, k in zip(curves, kept, strict=True) for part in (curve.x[k], gap)])
        y = np.concatenate([part for curve, k in zip(curves, kept, strict=True) for part in (curve.y[k], gap)])
        return self._common | {
            "type": "scatter", "mode": "lines", "x": packed(x), "y": packed(y), "hoverinfo": "skip",
            "line": {"color": _faint(self._colour, 0.4), "width": 0.8}, "showlegend": False,
        }  # fmt: skip

    def _changes(self, line: Band, places: Any) -> Trace:
        """A mark where the line goes on over another number of seeds."""
        return self._common | {
            "type": "scatter", "mode": "markers+text", "x": line.x[places].tolist(), "y": line.centre[places].tolist(),
            "text": [f"n={int(count)}" for count in line.num_seeds[places]], "textposition": "top center",
            "textfont": {"size": 10, "color": self._colour}, "hoverinfo": "skip", "showlegend": False,
            "marker": {"symbol": "circle-open", "size": 7, "color": self._colour},
        }  # fmt: skip


def layout(figure: Figure, view: View, width: int) -> dict[str, Any]:
    """Titles, axes and the places where one phase ends and the next begins."""
    rows = max(1, len(view.y or ()))
    runs = [members[0] for members in figure.groups.values() if members]
    below = _legend_height(list(figure.groups), width)
    made: dict[str, Any] = {
        "title": {"text": shown(figure.title), "font": {"size": 14}, "x": 0.01, "xanchor": "left"},
        "height": view.height * rows + MARGIN + below, "autosize": True,
        "hovermode": "closest", "plot_bgcolor": "white",
        "margin": {"l": 70, "r": 12, "t": 40, "b": 52 + below}, "hoverlabel": {"align": "left", "namelength": -1},
        "xaxis": {"title": {"text": shown(AXIS_LABELS.get(view.x, view.x)), "standoff": 8}, "type": _scale(view.log_x),
                  "anchor": axis_name("y", rows - 1), "gridcolor": "#e8e8e8", "zeroline": False},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 11},
                   "maxheight": below + 20, "tracegroupgap": 0},
        "uirevision": f"{view.x} {view.y} {figure.title}", "shapes": _phase_ends(runs, view.x),
    }  # fmt: skip
    for row, metric in enumerate(view.y or ()):
        top = 1 - row / rows
        made[axis_name("yaxis", row)] = {
            "title": {"text": shown(metric.removeprefix("evaluation/")), "font": {"size": 12}},
            "domain": [max(0.0, top - 1 / rows + (0.03 if row < rows - 1 else 0)), top], "type": _scale(view.log_y),
            "gridcolor": "#e8e8e8", "zeroline": False, **_range(metric, view),
        }  # fmt: skip
    return made


def _legend_height(labels: Sequence[str], width: int) -> int:
    """Pixels that the entries need below the plot, as many beside each other as fit."""
    longest = max((len(label) for label in labels), default=0) + 8
    beside = max(1, int(width // (45 + 5.8 * longest)))
    return 19 * -(-len(labels) // beside) + 6


def shown(text: str) -> str:
    """As it stands: plotly reads a few tags in its texts."""
    return html.escape(text, quote=False)


def axis_name(stem: str, row: int) -> str:
    """`y`, `y2`, `y3`; as plotly counts."""
    return stem if row == 0 else f"{stem}{row + 1}"


def packed(values: Floats) -> dict[str, str]:
    """Numbers as plotly reads them fastest."""
    return {"dtype": "f8", "bdata": base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode()}


def curves_of(runs: Sequence[Run], metric: str, view: View) -> list[Series]:
    """Of the runs that recorded it; values beyond the view's limits are drawn at them."""
    best = np.minimum.accumulate if view.lowest else np.maximum.accumulate
    curves = []
    for run in runs:
        curve = series(run, metric, view.x, view.smooth)
        if len(curve.x):
            y = best(curve.y) if view.so_far else curve.y
            is_clipped = view.low is not None or view.high is not None
            curves.append(Series(x=curve.x, y=np.clip(y, view.low, view.high) if is_clipped else y))
    return curves


def _outline(line: Band) -> dict[str, Any]:
    """Each stretch that has a band as a closed way: along its top, and back below."""
    finite = np.isfinite(line.low) & np.isfinite(line.high)
    stretches = np.split(np.arange(len(finite)), np.flatnonzero(np.diff(finite)) + 1)
    x: list[Any] = []
    y: list[Any] = []
    for part in stretches:
        if len(part) and finite[part[0]]:
            x += [line.x[part], line.x[part][::-1], [np.nan]]
            y += [line.high[part], line.low[part][::-1], [np.nan]]
    return {"x": packed(np.concatenate(x)[:-1]), "y": packed(np.concatenate(y)[:-1])}


def _rows(line: Band) -> list[str]:
    """What is said of each point besides its place."""
    return [
        f" [{low:.4g}, {high:.4g}], n={count:.0f}" if np.isfinite(low) else f", n={count:.0f}"
        + (f", no interval below {MIN_SEEDS}" if count < MIN_SEEDS else "")
        for low, high, count in zip(line.low, line.high, line.num_seeds, strict=True)
    ]  # fmt: skip


def _phase_ends(runs: Sequence[Run], axis: str) -> list[dict[str, Any]]:
    places = sorted({x for run in runs for x, _, _ in boundaries(run, axis)}) if axis in AXIS_LABELS else []
    style = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "#888", "width": 1, "dash": "dash"}}
    return [style | {"x0": x, "x1": x} for x in places[:20]]


def _range(metric: str, view: View) -> dict[str, Any]:
    if metric.endswith("_rate") and not view.log_y and view.low is None and view.high is None:
        return {"range": [-0.03, 1.03], "tickformat": ".0%"}
    return {"exponentformat": "power"}


def _scale(is_log: bool) -> str:
    return "log" if is_log else "linear"


def _faint(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
