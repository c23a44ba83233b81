"""What evaluations found, as a table for people: a row for each kind of goals and policy."""

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Table

Numbers = Mapping[str, float | None]
COLUMNS = (  # metric, heading, format
    ("success_rate", "success", "{:.1%}"),
    ("success_at_end_rate", "at the end", "{:.1%}"),
    ("steps_to_goal_mean", "steps to goal", "{:.1f}"),
    ("steps_over_controller", "ratio", "{:.2f}"),
    ("held_fraction", "time held", "{:.1%}"),
    ("episode_steps_mean", "steps", "{:.1f}"),
    ("return_mean", "return", "{:.1f}"),
    ("normalized_score", "D4RL score", "{:.1f}"),
)


def evaluation_table(title: str, rows: Iterable[tuple[str, str, Numbers]]) -> Table:
    """Rows are (goals, policy, metrics). A column that no row has a number for is left out: tasks differ in them."""
    rows = list(rows)
    shown = [column for column in COLUMNS if any(numbers.get(column[0]) is not None for _, _, numbers in rows)]
    table = Table(title=title, box=SIMPLE, pad_edge=False, collapse_padding=True)
    for heading in ("goals", "policy"):
        table.add_column(heading, no_wrap=True)
    for _, heading, _ in shown:
        table.add_column(heading, justify="right")
    before = rows[0][0] if rows else ""
    for goals, policy, numbers in rows:
        if goals != before:
            table.add_section()
        before = goals
        table.add_row(goals, policy, *(_cell(numbers.get(metric), form) for metric, _, form in shown))
    return table


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
