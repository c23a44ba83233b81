"""Tables as Markdown and as LaTeX with booktabs' rules, every name in them as plain text."""

from collections.abc import Sequence

from experiment_utils.report.tables import Cell, Row, Table
from experiment_utils.report.wording import as_latex, as_markdown, plain

MAX_COLUMNS = 5  # of a printed page; more become tables below one another


def markdown(tables: Sequence[Table], title: str, notes: Sequence[str]) -> str:
    """A document of its own."""
    parts = [f"# {as_markdown(title)}", *(_markdown_table(table) for table in tables)]
    if notes:
        parts.append("\n".join(["## To know", "", *(f"- {as_markdown(note)}" for note in notes)]))
    return "\n\n".join(parts) + "\n"


def latex(tables: Sequence[Table], notes: Sequence[str]) -> str:
    r"""Something to \input; the notes are comments of it."""
    head = [r"% Needs \usepackage{booktabs} and \usepackage[T1]{fontenc}.", *(f"% {plain(note)}" for note in notes)]
    return "\n\n".join(["\n".join(head), *(_latex_table(part) for table in tables for part in _narrow(table))]) + "\n"


def _markdown_table(table: Table) -> str:
    heads = ["", *map(as_markdown, table.columns)]
    lines = [_piped(heads), _piped(["---", *["--:"] * len(table.columns)])]
    for row in [*table.measured, *table.cited]:
        name = as_markdown(row.name) + (f" ({row.source})" if row.source else "")
        lines.append(_piped([name, *(_markdown_cell(cell) for cell in row.cells)]))
    sources = [f"({place}) {as_markdown(source)}" for place, source in table.sources]
    if sources:
        sources.insert(0, "Not measured here:")
    text = [f"## {as_markdown(table.caption)}", "\n".join(lines), as_markdown(table.explanation), "  \n".join(sources)]
    return "\n\n".join(filter(None, text))


def _markdown_cell(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.is_best else cell.value
    more = f"({cell.more})" if cell.more else ""
    return " ".join(filter(None, [value, cell.spread, _count(cell, "n={}"), more]))


def _latex_table(table: Table) -> str:
    rules = "l" + "r" * len(table.columns)
    lines = [
        r"\begin{table}[t]", r"\centering", rf"\caption{{{as_latex(table.caption)}. {as_latex(table.explanation)}}}",
        rf"\begin{{tabular}}{{{rules}}}", r"\toprule",
        _aligned(["", *map(as_latex, table.columns)]), r"\midrule", *map(_latex_row, table.measured),
    ]  # fmt: skip
    if table.cited:
        lines += [r"\midrule", *map(_latex_row, table.cited)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.sources:
        notes = [rf"$^{{{place}}}$ {as_latex(source)}" for place, source in table.sources]
        lines += [r"\par\smallskip", r"{\footnotesize Not measured here: " + "; ".join(notes) + ".}"]
    return "\n".join([*lines, r"\end{table}"])


def _latex_row(row: Row) -> str:
    name = rf"\emph{{{as_latex(row.name)}}}$^{{{row.source}}}$" if row.source else as_latex(row.name)
    return _aligned([name, *map(_latex_cell, row.cells)])


def _latex_cell(cell: Cell) -> str:
    value = _latex_number(cell.value)
    small = " ".join(filter(None, [_latex_number(cell.spread), _count(cell, "$n$={}")]))
    return " ".join(filter(None, [
        rf"\textbf{{{value}}}" if cell.is_best else value, rf"{{\footnotesize {small}}}" if small else ""
    ]))  # fmt: skip


def _narrow(table: Table) -> list[Table]:
    """Parts that fit on a page; their rows keep their places."""
    starts = range(0, len(table.columns), MAX_COLUMNS)
    if len(starts) <= 1:
        return [table]
    return [_part(table, start, f" ({number} of {len(starts)})") for number, start in enumerate(starts, 1)]


def _part(table: Table, start: int, which: str) -> Table:
    def cut(rows: Sequence[Row]) -> list[Row]:
        parts = [Row(name=row.name, cells=row.cells[start : start + MAX_COLUMNS], source=row.source) for row in rows]
        return [row for row in parts if row.source is None or any(cell.value for cell in row.cells)]

    cited = cut(table.cited)
    used = {row.source for row in cited}
    return Table(
        caption=table.caption + which, columns=table.columns[start : start + MAX_COLUMNS], measured=cut(table.measured),
        cited=cited, sources=[(place, source) for place, source in table.sources if place in used],
        explanation=table.explanation,
    )  # fmt: skip


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _aligned(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _count(cell: Cell, words: str) -> str:
    return "" if cell.count is None else words.format(cell.count)


def _latex_number(text: str) -> str:
    """Digits, signs and brackets of ours, of which no command can be made."""
    return text.replace("-", "$-$").replace("±", r"$\pm$").replace("–", "--")
