"""Learning curves to look into: the dashboard's figures, one for each metric and task, within the room of a page."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiment_utils.dashboard.figures import axis_name, curve_figures, layout
from experiment_utils.report.study import Study
from experiment_utils.report.wording import heading

ROOM = 6 << 20  # bytes, all figures together: the page stays below 15 MB
WIDTH = 480  # pixels, about, of a figure


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One metric's figures as JSON, a task each."""

    heading: str
    figures: list[str]


def interactive_curves(study: Study) -> tuple[list[Curves], list[str]]:
    """Of each metric, and a note where there is no room for all of them."""
    found: list[Curves] = []
    room = ROOM
    for metric, figures in _by_metric(study):
        texts = [json.dumps(figure, allow_nan=False).replace("<", "\\u003c") for figure in figures]
        room -= sum(map(len, texts))
        if room < 0:
            missing = ", ".join(heading(metric) for metric in study.metrics[len(found) :])
            return found, [f"The page has no room for the curves of {missing}: choose fewer with --y."]
        found.append(Curves(heading=heading(metric), figures=texts))
    return found, []


def _by_metric(study: Study) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The dashboard stacks metrics in one figure, so that all of them share its number of points."""
    stacked = curve_figures(study.selection)
    for row, metric in enumerate(study.metrics):
        view = replace(study.view, y=(metric,))
        yield metric, [
            {
                "data": [_alone(trace) for trace in whole["data"] if trace["yaxis"] == axis_name("y", row)],
                "layout": layout(replace(figure, title=figure.title or heading(metric)), view, WIDTH),
            }
            for figure, whole in zip(study.selection.figures, stacked, strict=True)
            if any(trace["yaxis"] == axis_name("y", row) for trace in whole["data"])
        ]


def _alone(trace: dict[str, Any]) -> dict[str, Any]:
    """Lines are what has a name."""
    numbers = {name: _smaller(trace[name]) for name in ("x", "y") if "bdata" in trace[name]}
    return trace | numbers | {"yaxis": "y", "showlegend": "name" in trace}


def _smaller(packed: dict[str, str]) -> dict[str, str]:
    """Seven digits are more than a screen shows."""
    numbers = np.frombuffer(base64.b64decode(packed["bdata"]), dtype="<f8").astype("<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(numbers.tobytes()).decode()}
