"""The numbers of a page as CSV or JSON, under the page's own address: `/export.csv?y=evaluation/success_rate`."""

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from experiment_utils.dashboard.bars import final_band
from experiment_utils.dashboard.figures import curves_of
from experiment_utils.dashboard.selection import Selection, final_rows, select, with_defaults
from experiment_utils.dashboard.source import Source
from experiment_utils.dashboard.view import View
from experiment_utils.results.finals import over_seeds
from lifelong_rl.config import ConfigError

if TYPE_CHECKING:
    from flask import Flask, Response

FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # with one of these, a spreadsheet would calculate a text


def serve_exports(server: "Flask", source: Source) -> None:
    """`/export.csv` and `/export.json`; what is wrong with an address is one line and 400."""
    from flask import Response, request

    def selection() -> Selection:
        found = source.found()
        view = with_defaults(View.from_search(request.query_string.decode(errors="replace")), found)
        return select(view, found, source.read)

    def answer(text: str, kind: str, name: str) -> "Response":
        return Response(text, mimetype=kind, headers={"Content-Disposition": f"attachment; filename={name}"})

    @server.get("/export.csv")
    def as_csv() -> "Response":
        chosen = selection()
        return answer(csv_of(chosen), "text/csv", f"{chosen.view.tab}.csv")

    @server.get("/export.json")
    def as_json() -> "Response":
        chosen = selection()
        return answer(json.dumps(json_of(chosen), indent=1), "application/json", f"{chosen.view.tab}.json")

    server.register_error_handler(ConfigError, lambda error: (f"{error}\n", 400, {"Content-Type": "text/plain"}))


def csv_of(selection: Selection) -> str:
    """Lines and bands at each x; of the tabs without lines, a row a run with its final values."""
    rows = list(line_rows(selection)) if selection.view.tab == "curves" else final_rows(selection)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow([_cell(name) for name in rows[0]])
        writer.writerows([[_cell(value) for value in row.values()] for row in rows])
    return text.getvalue()


def json_of(selection: Selection) -> dict[str, Any]:
    """Lines, final values with their intervals, and each run's; what is not finite is null."""
    view = selection.view
    summaries = []
    for figure in selection.figures:
        for label, runs in figure.groups.items():
            for metric in view.y or ():
                found = final_band(runs, metric, view)
                if found is not None:
                    over, values = found
                    summaries.append({
                        "figure": figure.title, "group": label, "metric": metric, "value": float(over.centre[0]),
                        "low": _finite(over.low[0]), "high": _finite(over.high[0]), "num_seeds": len(values),
                    })  # fmt: skip
    rows = [{name: _finite(value) for name, value in row.items()} for row in final_rows(selection)]
    return {
        "x": view.x, "y": list(view.y or ()), "summary": view.summary, "rule": view.rule, "smooth": view.smooth,
        "notes": list(selection.notes), "lines": list(line_rows(selection)), "finals": summaries, "runs": rows,
    }  # fmt: skip


def line_rows(selection: Selection) -> Iterator[dict[str, Any]]:
    """One row a point of a line."""
    view = selection.view
    for figure in selection.figures:
        for label, runs in figure.groups.items():
            for metric in view.y or ():
                curves = curves_of(runs, metric, view)
                if not curves:
                    continue
                line = over_seeds(curves, runs, metric, view.summary)
                for x, value, low, high, count in zip(*vars(line).values(), strict=True):
                    yield {
                        "figure": figure.title, "group": label, "metric": metric, view.x: float(x),
                        "value": float(value), "low": _finite(low), "high": _finite(high), "num_seeds": int(count),
                    }  # fmt: skip


def _finite(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def _cell(value: Any) -> Any:
    value = _finite(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else "" if value is None else value
