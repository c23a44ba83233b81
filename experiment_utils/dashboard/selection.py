"""From a view to what is drawn: which runs, in which figures, as which lines; and what there is to say about it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from experiment_utils.dashboard.source import Found
from experiment_utils.dashboard.view import View
from experiment_utils.results.curves import AXES
from experiment_utils.results.finals import final, finals, keep_best
from experiment_utils.results.groups import ABSENT, Groups, check_keys, group_by, mixed_keys, some, spoken
from experiment_utils.results.metrics import ROW_NUMBER
from experiment_utils.results.query import parse
from experiment_utils.results.runs import Run
from lifelong_rl.config import ConfigError, did_you_mean

MAX_DEFAULT_KEYS = 6  # more swept keys than these make labels that nobody reads
MAX_FIGURES = 24
MAX_LABEL = 120  # characters


Read = Callable[[Sequence[Run], Sequence[str]], None]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure's lines: label -> runs."""

    title: str
    groups: Groups


@dataclass(frozen=True, kw_only=True)
class Selection:
    """`runs` match the view; `notes` are what a reader must know to read the figures rightly."""

    view: View
    runs: Sequence[Run]
    figures: Sequence[Figure]
    notes: Sequence[str]


def with_defaults(view: View, found: Found) -> View:
    """The view with nothing left open."""
    free = [key for key in found.telling if key not in view.split]
    group = tuple(free[:MAX_DEFAULT_KEYS]) if view.group is None else view.group
    y = ((found.metric,) if found.metric else ()) if view.y is None else view.y
    return replace(view, x=view.x or found.axis, y=y, group=group)


def chosen_runs(view: View, found: Found) -> list[Run]:
    """Those that match; `ConfigError` says what is wrong with a query."""
    show, hide = parse(view.show, found.keys), parse(view.hide, found.keys) if view.hide.strip() else None
    return [run for run in found.runs if show.matches(run.values) and not (hide and hide.matches(run.values))]


def select(view: View, found: Found, read: Read = lambda runs, names: None) -> Selection:
    """`view` with its defaults filled in. Only what its figures show is handed to `read` before it is needed."""
    check_keys([*(view.group or ()), *view.split, *([view.best] if view.best else [])], found.runs, "the page's keys")
    _check_names(view, found)
    runs, notes = chosen_runs(view, found), []
    parts = group_by(runs, view.split) if runs else {}
    figures = [Figure(title=title, groups=group_by(part, view.group or ())) for title, part in parts.items()]
    if len(figures) > MAX_FIGURES:
        notes.append(f"{MAX_FIGURES} of {len(figures)} figures are shown: filter, or split by fewer keys.")
    if view.rule != "last" and (view.best or any(len(figure.groups) > view.lines for figure in figures)):
        read(runs, (view.y or ())[:1])  # lines are chosen by their final values, which are all but the last
    figures = [_with_lines(figure, view, notes) for figure in figures[:MAX_FIGURES]]
    shown = [run for figure in figures for members in figure.groups.values() for run in members]
    read(shown, [*([] if view.x == "epoch" else [view.x]), *(view.y or ())])
    mixed = dict.fromkeys(key for figure in figures for part in figure.groups.values() for key in mixed_keys(part))
    if mixed:
        notes.append(f"Lines put runs together that differ in {some(list(mixed))}: group by it to tell them apart.")
    return Selection(view=view, runs=runs, figures=figures, notes=notes)


def label_of(template: str, runs: Sequence[Run], default: str) -> str:
    """`{key}` stands for the runs' value of it; nothing else is special in a template."""
    if not template.strip():
        return default[:MAX_LABEL]

    def value(match: re.Match[str]) -> str:
        values = dict.fromkeys(spoken(run.values.get(match[1].strip(), ABSENT)) for run in runs)
        return "|".join(values)

    return re.sub(r"\{([^{}]*)\}", value, template)[:MAX_LABEL]


def _check_names(view: View, found: Found) -> None:
    known = [*AXES, ROW_NUMBER, *found.metrics]
    for name in (view.x, *(view.y or ())):
        if name not in known:
            raise ConfigError(f"no run recorded {name!r}.{did_you_mean(name, known)}")


def _with_lines(figure: Figure, view: View, notes: list[str]) -> Figure:
    """The best value of a key, the best lines where they are too many, and the labels that were asked for."""
    groups = figure.groups
    metric = view.y[0] if view.y else ""
    if view.best and metric:
        groups = keep_best(groups, view.best, metric, view.rule, lowest=view.lowest)
    if len(groups) > view.lines:
        best = _best_labels(groups, view)[: view.lines]
        where = f" of {figure.title!r}" if figure.title else ""
        notes.append(f"{view.lines} of {len(groups)} lines{where} are shown, those with the best final {metric}.")
        groups = {label: runs for label, runs in groups.items() if label in best}
    named: Groups = {}
    for label, runs in groups.items():
        name = label_of(view.legend, runs, label or "all runs")
        named[name if name not in named else f"{name} ({label or len(named)})"] = runs
    return Figure(title=figure.title, groups=named)


def _best_labels(groups: Groups, view: View) -> list[str]:
    sign = 1.0 if view.lowest else -1.0
    scores = {label: finals(runs, (view.y or [""])[0], view.rule) for label, runs in groups.items()}
    means = {label: sign * float(score.mean()) if len(score) else float("inf") for label, score in scores.items()}
    return sorted(means, key=lambda label: means[label])


def final_rows(selection: Selection) -> list[dict[str, object]]:
    """A row a run: what it is, its group and its final values, for export and the table."""
    rows = []
    for figure in selection.figures:
        for label, runs in figure.groups.items():
            for run in runs:
                about: dict[str, object] = {
                    "figure": figure.title, "group": label, "experiment": run.experiment, "run": run.name,
                    "seed": run.seed, "state": run.state,
                }  # fmt: skip
                rows.append(about | {name: final(run, name, selection.view.rule) for name in selection.view.y or ()})
    return rows
