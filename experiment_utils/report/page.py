"""The page: one file with everything in it, which may load nothing and run only the two scripts that it brings."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from experiment_utils.dashboard.security import GRAPH_CONFIG
from experiment_utils.report.curves import Curves
from experiment_utils.report.pictures import Picture
from experiment_utils.report.run_tables import runs_table, swept_table
from experiment_utils.report.study import Study
from experiment_utils.report.tables import Cell, Row, Table
from experiment_utils.report.wording import as_html, without_folders
from experiment_utils.results.bands import SUMMARIES

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the page shows besides the study itself; `drawings` are SVG files, which stand in for absent `curves`."""

    made: str
    counts: str
    notes: Sequence[str]
    tables: Sequence[Table]
    comparisons: Sequence[Table]
    curves: Sequence[Curves]
    drawings: dict[str, bytes]
    pictures: Sequence[Picture]
    origins: Sequence[tuple[str, Sequence[str]]]
    markdown: str
    latex: str


def page(study: Study, content: Content) -> str:
    """The whole of it, as text."""
    title = as_html(study.title)
    sections = [
        f"<h1>{title}</h1>",
        f'<p class="sub">{as_html(content.counts)} · made {as_html(content.made)}</p>',
        _list("notes", content.notes), *_scores(content), *_curves(study, content), *_comparisons(study, content),
        *_pictures(content), "<h2>Runs</h2>", runs_table(study), *_origins(study, content),
    ]  # fmt: skip
    scripts = _scripts(content.curves) if content.curves else []
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">', _policy(scripts),
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{title}</title>",
        f"<style>\n{(FOLDER / 'page.css').read_text(encoding='utf-8')}</style>\n</head>\n<body>",
    ]  # fmt: skip
    elements = [f"<script>{script}</script>" for script in scripts]
    return "\n".join([*head, *filter(None, sections), *elements, "</body>\n</html>\n"])


def _policy(scripts: Sequence[str]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    rules = [
        "default-src 'none'", f"script-src {allowed}", "style-src 'unsafe-inline'", "img-src data: blob:",
        "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    return f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">'


def _scripts(curves: Sequence[Curves]) -> list[str]:
    """Plotly, once, and what draws with it."""
    library = files("plotly") / "package_data" / "plotly.min.js"
    return [path.read_text(encoding="utf-8").replace("\r\n", "\n") for path in (library, FOLDER / "page.js")]


def _scores(content: Content) -> list[str]:
    first, *others = content.tables
    more = "".join(map(table_html, others))
    hidden = f"<details><summary>The other metrics: {len(others)}</summary>{more}</details>" if others else ""
    return ["<h2>Final scores</h2>", table_html(first), hidden, _drawing(content, "finals.svg", "final scores")]


def _curves(study: Study, content: Content) -> list[str]:
    about = (
        f'<p class="small">The thick line is over runs ({as_html(SUMMARIES[study.view.summary])}, shaded from three '
        "runs on), where at least half of them have come that far; thin lines are runs.</p>"
    )
    if not content.curves:
        return ["<h2>Learning curves</h2>", about, _drawing(content, "curves.svg", "learning curves")]
    parts, data = ["<h2>Learning curves</h2>", about], []
    blocks = [(curves.heading, curves.figures) for curves in content.curves]
    if not study.has_tasks:  # each metric has one figure, whose title says which
        blocks = [("", [figure for _, figures in blocks for figure in figures])]
    for number, (heading, figures) in enumerate(blocks):
        names = [f"figure-{number}-{place}" for place in range(len(figures))]
        places = "".join(f'<div data-figure="{name}"></div>' for name in names)
        parts.append((f"<h3>{as_html(heading)}</h3>\n" if heading else "") + f'<div class="graphs">{places}</div>')
        data += [f'<script type="application/json" id="{name}">{figure}</script>'
                 for name, figure in zip(names, figures, strict=True)]  # fmt: skip
    return [*parts, *data, f'<script type="application/json" id="graph-config">{json.dumps(GRAPH_CONFIG)}</script>']


def _comparisons(study: Study, content: Content) -> list[str]:
    if not content.comparisons and "profiles.svg" not in content.drawings:
        return []
    above = "below" if study.is_lower_better(study.metric) else "above"
    profiles = _drawing(content, "profiles.svg", "performance profiles")
    about = (
        '<p class="small">Share of a method\'s runs that end with more than a score, every task counting alike; '
        f"shaded: 95 %, each score for itself. Where one curve lies {above} another everywhere, its method is "
        "better.</p>"
    )
    heading = "<h3>Performance profiles</h3>" + about if profiles else ""
    return ["<h2>Methods compared</h2>", *map(table_html, content.comparisons), heading, profiles]


def _pictures(content: Content) -> list[str]:
    figures = [
        f'<figure><img src="{picture.address}" alt=""><figcaption>{as_html(picture.caption)}</figcaption></figure>'
        for picture in content.pictures
    ]
    about = '<p class="small">Of each method the run in the middle by its final score.</p>'
    return ["<h2>Pictures</h2>", about, '<div class="pictures">', *figures, "</div>"] if figures else []


def _origins(study: Study, content: Content) -> list[str]:
    told = "".join(
        f"<dt>{as_html(what)}</dt>" + "".join(f"<dd>{as_html(answer)}</dd>" for answer in answers)
        for what, answers in content.origins
    )
    problems = [f"<dd>{as_html(without_folders(problem))}</dd>" for problem in study.problems]
    damaged = f"<dt>left out, because damaged</dt>{''.join(problems)}" if problems else ""
    copies = [
        f"<details><summary>The tables as {name}</summary><pre>{_preformatted(text)}</pre></details>"
        for name, text in (("Markdown", content.markdown), ("LaTeX", content.latex))
    ]
    return ["<h2>What differs between the runs</h2>", swept_table(study), "<h2>Where this comes from</h2>",
            f"<dl>{told}{damaged}</dl>", *copies]  # fmt: skip


def table_html(table: Table) -> str:
    """With its caption above and its explanation and sources below."""
    heads = "".join(f"<th>{as_html(name)}</th>" for name in ("", *table.columns))
    cited = f'<tbody class="cited">{"".join(map(_row, table.cited))}</tbody>' if table.cited else ""
    sources = "".join(f'<li value="{place}">{as_html(source)}</li>' for place, source in table.sources)
    return (
        f'<h3>{as_html(table.caption)}</h3>\n<div class="table"><table class="scores"><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>{''.join(map(_row, table.measured))}</tbody>\n{cited}</table></div>\n"
        f'<p class="small">{as_html(table.explanation)}</p>'
        + (f'<p class="small">Not measured here:</p><ol class="sources">{sources}</ol>' if sources else "")
    )


def _row(row: Row) -> str:
    mark = f"<sup>{row.source}</sup>" if row.source else ""
    return f"<tr><th>{as_html(row.name)}{mark}</th>{''.join(map(_cell, row.cells))}</tr>\n"


def _cell(cell: Cell) -> str:
    value = f"<b>{as_html(cell.value)}</b>" if cell.is_best else as_html(cell.value)
    count = f' <span class="count">n={cell.count}</span>' if cell.count is not None else ""
    spread = f' <span class="spread">{as_html(cell.spread)}</span>' if cell.spread else ""
    more = f'<span class="more">{as_html(cell.more)}</span>' if cell.more else ""
    return f"<td>{value}{count}{spread}{more}</td>"


def _drawing(content: Content, name: str, alt: str) -> str:
    drawing = content.drawings.get(name)
    if drawing is None:
        return ""
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{base64.b64encode(drawing).decode()}">'


def _list(kind: str, words: Sequence[str]) -> str:
    items = "".join(f"<li>{as_html(word)}</li>" for word in words)
    return f'<ul class="{kind}">{items}</ul>' if items else ""


def _preformatted(text: str) -> str:
    return "\n".join(as_html(line) for line in text.split("\n"))
