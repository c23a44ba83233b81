"""Final values as bars, a dot for each run, and the interval over seeds: plotly figures of a selection."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiment_utils.dashboard.figures import shown
from experiment_utils.dashboard.selection import Figure, Selection
from experiment_utils.dashboard.view import View
from experiment_utils.results.bands import Band
from experiment_utils.results.curves import Series
from experiment_utils.results.finals import RULES, final, over_seeds
from experiment_utils.results.palette import COLOURS
from experiment_utils.results.runs import Run

BAR, TOP = 34, 110  # pixels: of a bar, and of all around them


def bar_figures(selection: Selection) -> list[dict[str, Any]]:
    """A figure for each of the selection's and each y."""
    labels = list(dict.fromkeys(label for figure in selection.figures for label in figure.groups))
    return [
        _figure(figure, metric, selection.view, labels)
        for figure in selection.figures
        for metric in selection.view.y or ()
    ]


def final_band(runs: Sequence[Run], metric: str, view: View) -> tuple[Band, list[tuple[Run, float]]] | None:
    """Over the runs that have a final value; and those. None where none has."""
    values = [(run, value) for run in runs if np.isfinite(value := final(run, metric, view.rule))]
    if not values:
        return None
    curves = [Series(x=np.zeros(1), y=np.array([value])) for _, value in values]
    return over_seeds(curves, runs, metric, view.summary), values


def _figure(figure: Figure, metric: str, view: View, labels: Sequence[str]) -> dict[str, Any]:
    traces: list[dict[str, Any]] = []
    for label, runs in figure.groups.items():
        found = final_band(runs, metric, view)
        if found is not None:
            traces += _traces(shown(label), COLOURS[labels.index(label) % len(COLOURS)], *found)
    rule = "" if view.rule == "last" else RULES[view.rule]
    title = " · ".join(filter(None, [figure.title, metric.removeprefix("evaluation/"), rule]))
    is_share = metric.endswith("_rate")
    return {
        "data": traces,
        "layout": {
            "title": {"text": shown(title), "font": {"size": 14}, "x": 0.01, "xanchor": "left"},
            "height": BAR * len(figure.groups) + TOP, "margin": {"l": 12, "r": 12, "t": 40, "b": 44},
            "xaxis": {"gridcolor": "#e8e8e8", "zerolinecolor": "#bbb", "type": "log" if view.log_y else "linear",
                      "tickangle": 0, "nticks": 7}
            | ({"tickformat": ".0%"} if is_share else {"exponentformat": "power"}),
            "yaxis": {"automargin": True, "autorange": "reversed", "type": "category"},
            "showlegend": False, "plot_bgcolor": "white", "bargap": 0.35, "hoverlabel": {"align": "left"},
        },
    }  # fmt: skip


def _traces(label: str, colour: str, over: Band, values: Sequence[tuple[Run, float]]) -> list[dict[str, Any]]:
    centre, low, high = float(over.centre[0]), float(over.low[0]), float(over.high[0])
    name = f"{label} (n={len(values)})"
    bar: dict[str, Any] = {
        "type": "bar", "orientation": "h", "x": [centre], "y": [name], "opacity": 0.75, "marker": {"color": colour},
        "hovertemplate": f"<b>%{{x:.4g}}</b>{_interval(low, high, len(values))}<extra></extra>",
    }  # fmt: skip
    if np.isfinite(low):
        bar["error_x"] = {"type": "data", "array": [high - centre], "arrayminus": [centre - low], "color": "#333"}
    dots = {
        "type": "scatter", "mode": "markers", "x": [value for _, value in values], "y": [name] * len(values),
        "marker": {"color": "#222", "size": 5, "opacity": 0.6}, "text": [shown(run.name) for run, _ in values],
        "hovertemplate": "%{text}<br>%{x:.4g}<extra></extra>",
    }  # fmt: skip
    return [bar, dots]


def _interval(low: float, high: float, count: int) -> str:
    return f" [{low:.4g}, {high:.4g}], n={count}" if np.isfinite(low) else f", n={count}: too few for an interval"
