"""Tables of final scores: a row a method, below them what others reached; a column a metric of one task, or a task."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiment_utils.report.comparisons import AGGREGATES, Comparisons
from experiment_utils.report.scores import Score, Scores
from experiment_utils.report.study import TASK, Study
from experiment_utils.report.wording import heading, number, plain, share
from experiment_utils.results.finals import RULES, is_success_rate
from experiment_utils.results.groups import spoken
from experiment_utils.results.statistics import LEAST_RUNS

ESTIMATES = {"mean": "Mean", "iqm": "Interquartile mean (IQM)", "median": "Median"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """`value`, and in smaller print what is known of how sure it is; `more` is for where there is room."""

    value: str = ""
    spread: str = ""
    count: int | None = None  # runs, where it is not the table's number
    more: str = ""
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """`source` is the number of a footnote where the row is cited."""

    name: str
    cells: Sequence[Cell]
    source: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """`columns` have a heading each; cited rows stand below the measured ones."""

    caption: str
    columns: Sequence[str]
    measured: Sequence[Row]
    cited: Sequence[Row] = ()
    sources: Sequence[tuple[int, str]] = ()
    explanation: str = ""


def score_tables(study: Study, scores: Scores) -> list[Table]:
    """One with all metrics of a single task; of several tasks one a metric."""
    tasks = [figure.title for figure in study.selection.figures]
    footnotes = {source: number for number, source in enumerate(_sources(scores), 1)}
    if len(tasks) == 1:
        columns = [(tasks[0], metric) for metric in study.metrics]
        return [_table(study, scores, _caption(study), columns, [heading(m) for m in study.metrics], footnotes)]
    valued = {(score.task, score.metric) for score in scores.measured}
    tables = []
    for metric in study.metrics:
        known = [task for task in tasks if (task, metric) in valued or metric == study.metric]
        columns = [(task, metric) for task in known]
        tables.append(_table(study, scores, f"Final scores, {heading(metric)}", columns, known, footnotes))
    return [table for table in tables if table.columns]


def improvement_table(found: Comparisons) -> Table | None:
    """Row against column."""
    if not found.improvements:
        return None
    names = list(dict.fromkeys(name for one in found.improvements for name in (one.method, one.other)))
    cells = {}
    for one in found.improvements:
        cells[one.method, one.other] = _chance(one.probability, one.low, one.high)
        cells[one.other, one.method] = _chance(1 - one.probability, 1 - one.high, 1 - one.low)
    rows = [Row(name=name, cells=[cells.get((name, other), Cell()) for other in names]) for name in names]
    return Table(
        caption=f"Probability of improvement, {heading(found.metric)}", columns=names, measured=rows,
        explanation="How probable it is that a run of the row does better than one of the column on the same task, a "
        "tie being half a win; mean over the tasks that both have. 95 % interval from three runs on, by a stratified "
        "bootstrap, or, where all runs of the one beat all of the other, by Clopper and Pearson. Where it holds 0.50, "
        "both may be alike.",
    )  # fmt: skip


def aggregate_table(found: Comparisons) -> Table | None:
    """Over all tasks."""
    if not found.aggregates:
        return None
    cells = {(one.method, one.name): _chance(one.estimate, one.low, one.high, 3) for one in found.aggregates}
    methods = list(dict.fromkeys(one.method for one in found.aggregates))
    name = heading(found.metric).removesuffix(", %")
    return Table(
        caption=f"Over all tasks, {name}, 1 being a full score", columns=list(AGGREGATES),
        measured=[Row(name=method, cells=[cells[method, statistic] for statistic in AGGREGATES]) for method in methods],
        explanation="Each task counts alike. IQM: mean of the middle half of all runs. Median: of the tasks' means. "
        "Optimality gap: how far runs stay below 1 on average, so less is better. 95 % intervals by a stratified "
        "bootstrap.",
    )  # fmt: skip


def _table(
    study: Study, scores: Scores, caption: str, columns: Sequence[tuple[str, str]], headings: Sequence[str],
    footnotes: dict[str, int],
) -> Table:  # fmt: skip
    by_place = {(score.task, score.metric, score.method): score for score in scores.measured}
    shown = [score for score in scores.measured if (score.task, score.metric) in columns]
    counts = [len(score.values) for score in shown]
    usual = max(set(counts), key=lambda count: (counts.count(count), count), default=0)
    sizes = {column: _size(scores, column) for column in columns}
    measured = [
        Row(name=method, cells=[
            _cell(by_place.get((*column, method)), sizes[column], usual, (column[0], method, column[1]) in scores.best)
            for column in columns
        ])
        for method in study.methods
        if study.metric in {metric for _, metric in columns} or any((*column, method) in by_place for column in columns)
    ]  # fmt: skip
    cited = _cited_rows(scores, sizes, footnotes)
    used = sorted({row.source for row in cited if row.source})
    has_best = any(cell.is_best for row in measured for cell in row.cells)
    return Table(
        caption=caption, columns=headings, measured=measured, cited=cited,
        sources=[(place, source) for source, place in footnotes.items() if place in used],
        explanation=_explanation(study, [metric for _, metric in columns], usual, has_best),
    )  # fmt: skip


def _caption(study: Study) -> str:
    names = list(dict.fromkeys(spoken(run.values.get(TASK, "")) for run in study.selection.runs))
    return f"Final scores on {names[0]}" if len(names) == 1 and names[0] else "Final scores"


def _explanation(study: Study, metrics: Sequence[str], usual: int, has_best: bool) -> str:
    rule = "the last evaluation" if study.view.rule == "last" else RULES[study.view.rule]
    parts = [f"{ESTIMATES[study.statistic]} over runs of their final score ({rule}), in brackets its 95 % interval"]
    parts.append(f"n = {usual} where nothing else is said; fewer than {LEAST_RUNS} runs are listed instead")
    if has_best:
        parts.append("bold: its interval lies beyond all others of the column, not corrected for many comparisons")
    if any(map(is_success_rate, metrics)):
        parts.append("rates are in percent, with Wilson's interval over the episodes of all runs, as if one policy's")
    if any(metric.startswith(("evaluation/multi/", "evaluation/single/")) for metric in metrics):
        parts.append("multi: a goal of its own for each episode, single: the task's one goal")
    return "; ".join(parts) + "."


def _size(scores: Scores, column: tuple[str, str]) -> float:
    """What decides how many digits a column has: of the measured estimates the one in the middle."""
    return float(np.median([abs(s.estimate) for s in scores.measured if (s.task, s.metric) == column] or [1.0]))


def _cell(score: Score | None, size: float, usual: int, is_best: bool) -> Cell:
    if score is None:
        return Cell(value="–")
    count, episodes = len(score.values) if len(score.values) != usual else None, score.episodes
    value, low, high = (number(value, score.metric, size) for value in (score.estimate, score.low, score.high))
    spread = f"[{low}, {high}]"
    if not score.has_interval:
        points = [number(value, score.metric, size) for value in score.values]
        spread = f"of {' and '.join(points)}" if len(points) > 1 else ""
    more = ""
    if episodes is not None:
        low, high = number(episodes.low, score.metric), number(episodes.high, score.metric)
        more = f"[{low}, {high}] of {episodes.episodes:,} ep."
    return Cell(value=value, spread=spread, count=count, more=more, is_best=is_best)


def _cited_rows(scores: Scores, sizes: dict[tuple[str, str], float], footnotes: dict[str, int]) -> list[Row]:
    """The same name from the same source is one row."""
    places: dict[tuple[str, str], dict[tuple[str, str], Cell]] = {}
    for one in scores.cited:
        known, column = one.reference, (one.task, one.metric)
        if column in sizes:
            spread = f"± {number(known.spread, one.metric, sizes[column])}" if known.spread is not None else ""
            cell = Cell(value=number(known.value, one.metric, sizes[column]), spread=spread)
            places.setdefault((known.name, known.source), {})[column] = cell
    return [
        Row(name=plain(name), cells=[cells.get(column, Cell()) for column in sizes], source=footnotes[source])
        for (name, source), cells in places.items()
    ]


def _sources(scores: Scores) -> list[str]:
    return list(dict.fromkeys(one.reference.source for one in scores.cited))


def _chance(value: float, low: float, high: float, digits: int = 2) -> Cell:
    spread = f"[{share(low, digits)}, {share(high, digits)}]" if np.isfinite(low) else ""
    return Cell(value=share(value, digits), spread=spread)
