"""All runs as a table: state, what was swept, final values with their intervals, what went wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from dash import dcc, html

from experiment_utils.dashboard.media import media_of
from experiment_utils.dashboard.source import Found
from experiment_utils.dashboard.view import View
from experiment_utils.results.finals import final, success_of
from experiment_utils.results.groups import ABSENT, order_of, spoken
from experiment_utils.results.runs import Run
from experiment_utils.run_table import ORDER, RunState

MAX_ROWS = 200
Search = Callable[[View], str]


def content(view: View, runs: Sequence[Run], found: Found, search: Search) -> tuple[Any, Sequence[str]]:
    """The table, and a note where not all fit. A heading sorts by its column, a run's name leads to its page."""
    keys = list(dict.fromkeys([*(view.group or ()), *view.split, *found.telling]))
    columns = ["state", "progress", "experiment", "run", "seed", *(key for key in keys if key != "experiment")]
    ordered = _sorted(runs, view)
    heading = [html.Th(_sorting(name, view, search)) for name in [*columns, *(view.y or ())]]
    rows = [_row(run, columns, view, search) for run in ordered[:MAX_ROWS]]
    notes = [f"{MAX_ROWS} of {len(runs)} runs are shown: filter, or sort by another column."] * (len(runs) > MAX_ROWS)
    if not runs:
        return html.P("No run matches.", className="empty"), []
    heading += [html.Th("films"), html.Th("what went wrong")]
    return html.Div(html.Table([html.Thead(html.Tr(heading)), html.Tbody(rows)]), className="table"), notes


def _row(run: Run, columns: Sequence[str], view: View, search: Search) -> Any:
    cells = [html.Td(_cell(run, name, view, search), className=f"state {run.state}" if name == "state" else "")
             for name in columns]  # fmt: skip
    cells += [html.Td(_value(run, metric, view), className="number") for metric in view.y or ()]
    num_media = len(media_of(run.directory))
    why = run.error or run.metrics.problem or ""
    return html.Tr([*cells, html.Td(str(num_media or "")), html.Td(why, className="why")])


def _cell(run: Run, name: str, view: View, search: Search) -> Any:
    if name == "run":
        return dcc.Link(run.name, href=search(replace(view, tab="run", run=run.id)))
    if name == "progress":
        share = 1.0 if run.state == "finished" else RunState(path=run.directory, state=run.state, error=None).progress()
        return "" if share is None else [html.Progress(value=str(share), max="1"), f" {share:.0%}"]
    return spoken(run.values.get(name, ABSENT))


def _value(run: Run, metric: str, view: View) -> str:
    value = final(run, metric, view.rule)
    if not np.isfinite(value):
        return ""
    success = success_of(run, metric, value)
    if success is None:
        return f"{value:.4g}"
    return f"{value:.0%} [{success.low:.0%}, {success.high:.0%}] of {success.episodes}"


def _sorting(name: str, view: View, search: Search) -> Any:
    """A link that sorts by the column, the other way round where it is sorted by already."""
    mark = {name: " ▲", f"-{name}": " ▼"}.get(view.sort, "")
    target = f"-{name}" if view.sort == name else name
    return dcc.Link(name.removeprefix("evaluation/") + mark, href=search(replace(view, sort=target)))


def _sorted(runs: Sequence[Run], view: View) -> list[Run]:
    name = view.sort.removeprefix("-")
    if not name or name == "progress":
        rank = {state: place for place, state in enumerate(ORDER)}
        return sorted(runs, key=lambda run: (rank.get(run.state, len(rank)), run.experiment, run.name))
    if name in (view.y or ()):
        values = {run.id: final(run, name, view.rule) for run in runs}
        runs = sorted(runs, key=lambda run: values[run.id])
        with_value = [run for run in runs if np.isfinite(values[run.id])]
        if view.sort.startswith("-"):
            with_value.reverse()
        return with_value + [run for run in runs if not np.isfinite(values[run.id])]
    return sorted(runs, key=lambda run: order_of(run.values.get(name, ABSENT)), reverse=view.sort.startswith("-"))
