"""The runs of a report one by one, with what went wrong; and the values in which they differ."""

from collections import Counter

from experiment_utils.report.study import Study
from experiment_utils.report.wording import as_html, heading, number, without_folders
from experiment_utils.results.finals import final
from experiment_utils.results.groups import ABSENT, order_of, spoken
from experiment_utils.results.runs import Run
from experiment_utils.run_table import ORDER

MAX_RUNS = 500
MAX_KEYS, MAX_VALUES, MAX_LETTERS = 60, 12, 60
OPEN_KEYS = 12  # more are shown on request


def runs_table(study: Study) -> str:
    """Those first that need a look."""
    rank = {state: place for place, state in enumerate(ORDER)}
    where = {
        run.id: (figure.title, method) for figure in study.selection.figures
        for method, runs in figure.groups.items() for run in runs
    }  # fmt: skip
    ordered = sorted(study.selection.runs, key=lambda run: (rank.get(run.state, len(rank)), where[run.id], run.name))
    has_wrong = any(_wrong(run) for run in ordered)
    columns = ["state", "experiment", "run", *filter(None, ["task" * study.has_tasks]), "method", "seed",
               *map(heading, study.metrics), *filter(None, ["what went wrong" * has_wrong])]  # fmt: skip
    heads = "".join(f"<th>{as_html(name)}</th>" for name in columns)
    rows = "".join(_row(study, run, *where[run.id], has_wrong) for run in ordered[:MAX_RUNS])
    more = f'<p class="small">{MAX_RUNS} of {len(ordered)} runs are shown.</p>' if len(ordered) > MAX_RUNS else ""
    return _table("runs", heads, rows) + more


def swept_table(study: Study) -> str:
    """Each key that has several values, how many runs have which."""
    rows = []
    for key in study.swept[:MAX_KEYS]:
        counts = Counter(spoken(value) for value in sorted(
            (run.values.get(key, ABSENT) for run in study.selection.runs), key=order_of
        ))  # fmt: skip
        words = [f"{_short(value)} ({count})" for value, count in list(counts.items())[:MAX_VALUES]]
        more = f" and {len(counts) - MAX_VALUES} more" if len(counts) > MAX_VALUES else ""
        rows.append(f"<tr><td><code>{as_html(key)}</code></td><td>{as_html(', '.join(words) + more)}</td></tr>\n")
    if not rows:
        return "<p>Nothing but the seed.</p>"
    hidden = len(study.swept) - MAX_KEYS
    more = f'<p class="small">and {hidden} keys more</p>' if hidden > 0 else ""
    heads = "<th>key</th><th>values (runs)</th>"
    table = _table("keys", heads, "".join(rows)) + more
    return table if len(rows) <= OPEN_KEYS else f"<details><summary>{len(rows)} keys</summary>{table}</details>"


def _table(kind: str, heads: str, rows: str) -> str:
    table = f'<table class="{kind}"><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>'
    return f'<div class="table">{table}</div>'


def _row(study: Study, run: Run, task: str, method: str, has_wrong: bool) -> str:
    seed = "" if run.seed is None else run.seed
    about = [run.experiment, run.name, *([task] if study.has_tasks else []), method, seed]
    values = [number(final(run, metric, study.view.rule), metric) for metric in study.metrics]
    state = as_html(run.state)
    cells = [
        f'<td class="state {state}">{state}</td>', *(f"<td>{as_html(word)}</td>" for word in about),
        *(f'<td class="number">{value}</td>' for value in values),
        f'<td class="why">{as_html(_wrong(run))}</td>' if has_wrong else "",
    ]  # fmt: skip
    return f"<tr>{''.join(cells)}</tr>\n"


def _wrong(run: Run) -> str:
    return without_folders(run.error or run.metrics.problem or "")


def _short(text: str) -> str:
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1]}…"
