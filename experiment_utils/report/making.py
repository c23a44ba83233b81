"""Makes a report of some folders: reads, counts, draws, and puts whole files in place of older ones."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from experiment_utils.report.comparisons import compare
from experiment_utils.report.curves import interactive_curves
from experiment_utils.report.drawings import draw_all
from experiment_utils.report.notes import notes_of, runs_by_state
from experiment_utils.report.numbers import as_numbers
from experiment_utils.report.origins import origins_of
from experiment_utils.report.page import Content, page
from experiment_utils.report.pictures import pictures_of
from experiment_utils.report.scores import scores_of
from experiment_utils.report.study import Study
from experiment_utils.report.tables import aggregate_table, improvement_table, score_tables
from experiment_utils.report.text_tables import latex, markdown

FILES = (
    "report.html", "table.md", "table.tex", "curves.pdf", "curves.svg", "finals.pdf", "finals.svg", "profiles.pdf",
    "profiles.svg", "scores.json",
)  # fmt: skip
STEPS = 4
Watch = Callable[[int], None]


def make_report(study: Study, output: Path, *, static: bool = False, watch: Watch = lambda step: None) -> list[Path]:
    """Writes the files into `output`, each whole or not at all; what an older report left there besides goes."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".making-") as folder:
        names = _write_all(study, Path(folder), static, watch)
        for name in names:
            (Path(folder) / name).replace(output / name)
    for name in set(FILES) - set(names):
        (output / name).unlink(missing_ok=True)
    return [output / name for name in names]


def _write_all(study: Study, folder: Path, static: bool, watch: Watch) -> list[str]:
    scores = scores_of(study)
    found = compare(study, scores)
    watch(1)
    drawn = draw_all(study, scores, found.profiles, folder)
    watch(2)
    curves, no_room = ([], []) if static else interactive_curves(study)
    watch(3)
    tables = score_tables(study, scores)
    comparisons = [table for table in (improvement_table(found), aggregate_table(found)) if table is not None]
    notes = [*notes_of(study, scores), *found.notes, *no_room]
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    texts = {
        "table.md": markdown([*tables, *comparisons], study.title, notes),
        "table.tex": latex([*tables, *comparisons], notes),
        "scores.json": json.dumps(as_numbers(study, scores, found, notes, made), indent=1, allow_nan=False) + "\n",
    }
    texts["report.html"] = page(study, Content(
        made=made, counts=runs_by_state(study.selection.runs), notes=notes, tables=tables, comparisons=comparisons,
        curves=curves, pictures=pictures_of(study, scores), origins=origins_of(study.selection.runs),
        drawings={name: (folder / name).read_bytes() for name in drawn if name.endswith(".svg")},
        markdown=texts["table.md"], latex=texts["table.tex"],
    ))  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    watch(STEPS)
    return [name for name in FILES if name in {*drawn, *texts}]
