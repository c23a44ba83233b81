"""One run: how it ended, its curves, films and pictures, its variant, and in what another one differs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dash import html

from experiment_utils.dashboard.controls import graph
from experiment_utils.dashboard.figures import curve_figures
from experiment_utils.dashboard.media import Media, media_of, media_url
from experiment_utils.dashboard.selection import Figure, Selection
from experiment_utils.dashboard.source import Found
from experiment_utils.dashboard.view import View
from experiment_utils.results.curves import default_names, metric_names
from experiment_utils.results.groups import OWN_KEYS, differences, spoken
from experiment_utils.results.runs import Run

TAIL_BYTES, TAIL_LINES = 1 << 14, 40
MAX_FILMS = 60


def content(view: View, found: Found) -> Any:
    """Of `view.run`, beside `view.other` where there is one."""
    run, other = found.by_id(view.run), found.by_id(view.other)
    if run is None:
        return html.P("Choose a run above, or in the table of runs.", className="empty")
    both = [run, other] if other is not None else [run]
    parts = [
        html.H2(f"{run.experiment}/{run.name}"),
        html.P([html.Span(run.state, className=f"state {run.state}"), f" {run.error or ''}"]),
        html.Code(str(run.directory)),
        *_media(both),
        html.H3(f"In what {other.name} differs" if other is not None else "Variant"),
        _difference(run, other) if other is not None else _variant(run),
        html.H3("Curves"),
        _curves(both, view),
        html.H3("The last it printed"),
        html.Pre(_tail(run.directory / "stdout.log") or "nothing"),
    ]
    return html.Div(parts, className="one-run")


def _media(runs: Sequence[Run]) -> list[Any]:
    parts: list[Any] = []
    for run in runs:
        files = media_of(run.directory)
        if files:
            shown = [_figure(run, file) for file in files[-MAX_FILMS:]]
            parts += [html.H3(f"Films and pictures of {run.name}"), html.Div(shown, className="media")]
    return parts or [html.P("No films or pictures: scripts/viz_hist.py makes them.", className="empty")]


def _figure(run: Run, file: Media) -> Any:
    url = media_url(run.id, file)
    shown = html.Video(src=url, controls=True, preload="metadata") if file.kind == "video" else html.Img(src=url)
    return html.Figure([shown, html.Figcaption(html.A(file.name, href=url, target="_blank"))])


def _variant(run: Run) -> Any:
    rows = [html.Tr([html.Td(key), html.Td(spoken(value))]) for key, value in run.values.items() if key not in OWN_KEYS]
    return html.Details([html.Summary(f"{len(rows)} values"), html.Table(html.Tbody(rows))], open=len(rows) < 40)


def _difference(run: Run, other: Run) -> Any:
    found = [row for row in differences(run, other) if row[0] not in ("run", "state")]
    if not found:
        return html.P("In nothing.", className="empty")
    heading = html.Thead(html.Tr([html.Th(""), html.Th(run.name), html.Th(other.name)]))
    rows = [html.Tr([html.Td(key), html.Td(one), html.Td(two)]) for key, one, two in found]
    return html.Div(html.Table([heading, html.Tbody(rows)]), className="table")


def _curves(runs: Sequence[Run], view: View) -> Any:
    names = view.y or tuple(default_names(metric_names(runs)))
    shown = View(x=view.x, y=tuple(names), smooth=view.smooth, log_x=view.log_x, log_y=view.log_y)
    groups = {f"{run.experiment}/{run.name}": [run] for run in runs}
    figures = [Figure(title="", groups=groups)]
    return graph(curve_figures(Selection(view=shown, runs=runs, figures=figures, notes=[]))[0])


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-TAIL_LINES:])
    except OSError:
        return ""
