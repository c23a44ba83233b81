"""The page: what one can choose at the left, what it shows at the right."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from experiment_utils.dashboard.security import GRAPH_CONFIG
from experiment_utils.dashboard.source import Found
from experiment_utils.dashboard.view import LISTS, View
from experiment_utils.results.bands import SUMMARIES
from experiment_utils.results.curves import AXES
from experiment_utils.results.finals import RULES
from experiment_utils.results.metrics import ROW_NUMBER

FLAGS = {
    "seeds": "a thin line per seed",
    "lowest": "lower is better",
    "so_far": "best so far",
    "log_x": "log x",
    "log_y": "log y",
}
TAB_NAMES = {"curves": "Curves", "finals": "Final values", "runs": "Runs", "run": "One run"}
REFRESH = {0: "off", 5: "5 s", 30: "30 s", 300: "5 min"}
CHOICES = ("x", "y", "group", "split", "best", "run", "other")  # controls whose options depend on the runs


def page() -> Any:
    """Empty: `callbacks` fills it from the address."""
    return html.Div([
        dcc.Location(id="address", refresh=False), dcc.Store(id="version"), dcc.Store(id="search"),
        dcc.Interval(id="clock", disabled=True), html.Div(id="unused", hidden=True),
        html.Div(dcc.Graph(figure={}), hidden=True),  # so that plotly is fetched before there is something to draw
        html.Header([
            html.H1("lifelong_rl"), html.Span(id="counts"), html.Span(className="space"),
            html.A("CSV", id="csv", href="export.csv", className="button", title="the figures' numbers as a table"),
            html.A("JSON", id="json", href="export.json", className="button", title="the figures' numbers as JSON"),
            _labelled("refresh", dcc.Dropdown(
                options=[{"label": name, "value": seconds} for seconds, name in REFRESH.items()], value=30,
                id="refresh", clearable=False, searchable=False,
            )),
            html.Button("Reload", id="reload", title="look at the files now"),
        ]),
        html.Div([html.Aside(_sidebar()), html.Main(_main())], className="columns"),
    ])  # fmt: skip


def options(found: Found) -> list[list[dict[str, str]]]:
    """Of `CHOICES`, in their order; swept keys stand before the others."""
    keys = [*found.swept, *(key for key in found.keys if key not in found.swept)]
    runs = [{"label": f"{run.experiment}/{run.name}", "value": run.id} for run in found.runs]
    as_keys = _plain(keys)
    return [_plain([*AXES, ROW_NUMBER, *found.metrics]), _plain(found.metrics), as_keys, as_keys, as_keys, runs, runs]


def values_of(view: View) -> dict[str, Any]:
    """Control -> its value."""
    flags = [name for name in FLAGS if getattr(view, name)]
    names = [field.name for field in dataclasses.fields(view) if field.name not in FLAGS]
    plain = {name: getattr(view, name) for name in names}
    lists = {name: list(plain[name] or ()) for name in LISTS}
    picked = {name: plain[name] or None for name in ("best", "run", "other")}
    return plain | lists | picked | {"flags": flags}


def graph(figure: dict[str, Any]) -> Any:
    """As wide as there is room, as high as the figure says."""
    config: Any = GRAPH_CONFIG
    return dcc.Graph(figure=figure, config=config, responsive=True, style={"height": figure["layout"]["height"]})


CONTROLS = tuple(values_of(View()))


def view_of(values: dict[str, Any]) -> View:
    """What the controls say."""
    flags = values.get("flags") or []
    return View.of(values | {name: name in flags for name in FLAGS})


def _sidebar() -> list[Any]:
    pick: dict[str, Any] = {"searchable": True, "className": "pick"}
    return [
        _labelled("show runs where", dcc.Input(id="show", placeholder="agent.name = qrl and seed < 5", **_TEXT)),
        _labelled("leave out runs where", dcc.Input(id="hide", placeholder="state = failed", **_TEXT)),
        _labelled("y", dcc.Dropdown(id="y", multi=True, **pick)),
        _labelled("x", dcc.Dropdown(id="x", clearable=False, **pick)),
        _labelled("a line for each", dcc.Dropdown(id="group", multi=True, placeholder="one line", **pick)),
        _labelled("a figure for each", dcc.Dropdown(id="split", multi=True, placeholder="one figure", **pick)),
        _labelled("only the best", dcc.Dropdown(id="best", placeholder="of no key", **pick)),
        _labelled("line and band", dcc.Dropdown(_named(SUMMARIES), id="summary", clearable=False, searchable=False)),
        _labelled("a run's final value", dcc.Dropdown(_named(RULES), id="rule", clearable=False, searchable=False)),
        dcc.Checklist(_named(FLAGS), id="flags", className="flags", labelStyle={"display": "flex", "gap": "6px"}),
        html.Div([
            _labelled("smooth", dcc.Input(id="smooth", min=1, max=1000, step=1, **_NUMBER)),
            _labelled("y from", dcc.Input(id="low", **_NUMBER)),
            _labelled("to", dcc.Input(id="high", **_NUMBER)),
            _labelled("lines at most", dcc.Input(id="lines", min=1, max=1000, step=1, **_NUMBER)),
            _labelled("pixels high", dcc.Input(id="height", min=100, max=1000, step=10, **_NUMBER)),
        ], className="numbers"),
        _labelled("legend", dcc.Input(id="legend", placeholder="{agent.name} at {agent.learning_rate}", **_TEXT)),
        dcc.Input(id="sort", type="hidden"),
    ]  # fmt: skip


def _main() -> list[Any]:
    slim = {"padding": "7px 12px"}
    tabs = [dcc.Tab(label=label, value=name, style=slim, selected_style=slim) for name, label in TAB_NAMES.items()]
    return [
        dcc.Tabs(tabs, id="tab", className="tabs"),
        html.Div([
            _labelled("run", dcc.Dropdown(id="run", placeholder="which run?", className="pick")),
            _labelled("compared with", dcc.Dropdown(id="other", placeholder="no other", className="pick")),
        ], id="pair", className="pair", hidden=True),
        html.Div(id="problem", className="problem", role="alert"),
        html.Ul(id="notes", className="notes"),
        dcc.Loading(html.Div(id="content"), delay_show=300, type="dot", overlay_style={"visibility": "visible"}),
    ]  # fmt: skip


_TEXT: dict[str, Any] = {"type": "text", "debounce": True, "maxLength": 1000, "autoComplete": "off", "value": ""}
_NUMBER: dict[str, Any] = {"type": "number", "debounce": True}


def _labelled(text: str, control: Any) -> Any:
    return html.Label([html.Span(text), control])


def _named(choices: Any) -> list[dict[str, str]]:
    return [{"label": label, "value": value} for value, label in choices.items()]


def _plain(values: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": value, "value": value} for value in values]
