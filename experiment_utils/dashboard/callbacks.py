"""What happens when: the address sets the controls, they set content and address, and a clock looks for news."""

import hashlib
import json
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from experiment_utils.dashboard import run_page, run_table_page
from experiment_utils.dashboard.bars import bar_figures
from experiment_utils.dashboard.controls import CHOICES, CONTROLS, graph, options, values_of, view_of
from experiment_utils.dashboard.figures import curve_figures
from experiment_utils.dashboard.selection import Selection, chosen_runs, select, with_defaults
from experiment_utils.dashboard.source import Found, Source
from experiment_utils.dashboard.view import View
from lifelong_rl.config import ConfigError

FIRST_CHOICES = ("x", "y", "group")
Content = tuple[Any, Sequence[str]]  # and notes

# The address follows the controls without a new page: it is what one copies to show somebody else the same figure.
_FOLLOW = "function(search) { history.replaceState(history.state, '', location.pathname + (search || '')); return ''; }"


def register(app: Dash, source: Source) -> None:
    """All callbacks of the page."""
    _register_view(app, source)
    _register_news(app, source)


def _register_view(app: Dash, source: Source) -> None:
    """From the address to the controls, and from them to the content and the address."""
    controls = [Output(name, "value") for name in CONTROLS]
    choices = [Output(name, "options") for name in CHOICES]
    news = [Output("version", "data"), Output("counts", "children")]

    @app.callback(*controls, *choices, *news, Input("address", "search"))
    def open_address(search: str | None) -> list[Any]:
        found = source.found()
        values = values_of(with_defaults(View.from_search(search or ""), found))
        return [*values.values(), *options(found), version(found), counts(found)]

    @app.callback(
        Output("content", "children"), Output("problem", "children"), Output("notes", "children"),
        Output("search", "data"), Output("pair", "hidden"), Output("csv", "href"), Output("json", "href"),
        Input("version", "data"), *(Input(name, "value") for name in CONTROLS), on_error=_tell,
    )  # fmt: skip
    def show(_: str, *values: Any) -> list[Any]:
        return draw(source, view_of(dict(zip(CONTROLS, values, strict=True))))

    app.clientside_callback(_FOLLOW, Output("unused", "children"), Input("search", "data"), prevent_initial_call=True)


def _register_news(app: Dash, source: Source) -> None:
    """What runs have written since."""

    @app.callback(
        *(Output(name, "options", allow_duplicate=True) for name in CHOICES),
        *(Output(name, "value", allow_duplicate=True) for name in FIRST_CHOICES),
        Output("version", "data", allow_duplicate=True), Output("counts", "children", allow_duplicate=True),
        Input("clock", "n_intervals"), Input("reload", "n_clicks"), State("version", "data"), State("y", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def look_again(_ticks: int, _clicks: int, before: str, y: Sequence[str]) -> list[Any]:
        found = source.found(again=True)
        if version(found) == before and ctx.triggered_id == "clock":
            return [no_update] * (len(CHOICES) + len(FIRST_CHOICES) + 2)
        values = values_of(with_defaults(View(), found))
        first = [no_update if y else values[name] for name in FIRST_CHOICES]  # of a page that began without numbers
        return [*options(found), *first, version(found), counts(found)]

    @app.callback(Output("clock", "interval"), Output("clock", "disabled"), Input("refresh", "value"))
    def set_clock(seconds: int) -> tuple[int, bool]:
        return 1000 * (seconds or 60), not seconds


def draw(source: Source, view: View) -> list[Any]:
    """Content, problem, notes, address, whether the choice of a run is hidden, and the two addresses of exports."""
    found = source.found()
    default = with_defaults(View(split=view.split), found)
    default = replace(default, split=())
    search = view.to_search(default)
    exports = [f"export.{kind}{search}" for kind in ("csv", "json")]
    try:
        content, notes = _CONTENT[view.tab](view, source, default)
    except ConfigError as error:
        return [no_update, str(error), [], search, view.tab != "run", *exports]
    problems = [*found.problems, *(run.metrics.problem for run in found.runs if run.metrics.problem)]
    lines = [html.Li(note) for note in [*notes, *(f"left out: {problem}" for problem in problems[:5])]]
    return [content, "", lines, search, view.tab != "run", *exports]


def _tell(error: Exception) -> list[Any]:
    """A mistake of ours: its traceback in the terminal, a line of it on the page."""
    traceback.print_exception(error)
    return [no_update, f"{type(error).__name__}: {error}. The terminal shows where.", [], *[no_update] * 4]


def version(found: Found) -> str:
    """Another one when any run or number has changed."""
    facts = [(run.id, run.state, run.metrics.signature()) for run in found.runs]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def counts(found: Found) -> str:
    """`12 runs: 10 finished, 2 failed`."""
    states = Counter(run.state for run in found.runs)
    words = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return f"{len(found.runs)} run{'s' * (len(found.runs) != 1)}: {words}" if found.runs else "no runs"


def _graphs(figures: Sequence[dict[str, Any]], selection: Selection) -> Any:
    if not any(figure["data"] for figure in figures):
        return html.P(nothing_to_show(selection), className="empty")
    shown = [figure for figure in figures if figure["data"]]
    return html.Div([graph(figure) for figure in shown], className="graphs" + (" one" if len(shown) == 1 else ""))


def nothing_to_show(selection: Selection) -> str:
    """Why a page is empty."""
    if not selection.runs:
        is_filtered = selection.view.show.strip() or selection.view.hide.strip()
        return "No run matches." if is_filtered else "No runs yet. They appear here as soon as there are any."
    return f"None of these {len(selection.runs)} runs has recorded {', '.join(selection.view.y or ()) or 'any number'}."


def _drawn(figures: Callable[[Selection], list[dict[str, Any]]]) -> Callable[[View, Source, View], Content]:
    def content(view: View, source: Source, default: View) -> Content:
        selection = select(view, source.found(), source.read)
        return _graphs(figures(selection), selection), selection.notes

    return content


def _runs(view: View, source: Source, default: View) -> Content:
    found = source.found()
    if view.rule != "last":
        source.read(chosen_runs(view, found), view.y or ())
    return run_table_page.content(view, chosen_runs(view, found), found, lambda other: other.to_search(default))


def _run(view: View, source: Source, default: View) -> Content:
    return run_page.content(view, source.found()), []


_CONTENT = {"curves": _drawn(curve_figures), "finals": _drawn(bar_figures), "runs": _runs, "run": _run}
