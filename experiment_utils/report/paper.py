"""What figures for a paper have in common: which panels, how they look, files that are the same for the same runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiment_utils.report.study import Study
from experiment_utils.report.wording import heading
from experiment_utils.results.palette import COLOURS, DASHES

STYLE: Any = {
    "pdf.fonttype": 42,  # TrueType: publishers refuse matplotlib's own kind
    "svg.hashsalt": "report",  # the same picture has the same bytes
    "text.parse_math": False,  # a name with two dollar signs stays a name
}
FORMATS: dict[str, dict[str, Any]] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
MAX_LINES = 60  # of all metrics' panels together


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a panel shows."""

    title: str
    task: str
    metric: str


def places_of(study: Study) -> list[Place]:
    """All metrics of one task, of very many methods the first few metrics; or the first metric of all tasks."""
    tasks = [figure.title for figure in study.selection.figures]
    if study.has_tasks:
        return [Place(title=task, task=task, metric=study.metric) for task in tasks]
    shown = study.metrics[: max(1, MAX_LINES // len(study.methods))]
    return [Place(title=heading(metric), task=tasks[0], metric=metric) for metric in shown]


def save(figure: Figure, folder: Path, stem: str) -> list[str]:
    """As PDF and as SVG, laid out once; the names of the files."""
    for ending, metadata in FORMATS.items():
        figure.savefig(folder / f"{stem}{ending}", metadata=metadata)
        figure.set_layout_engine("none")
    return [f"{stem}{ending}" for ending in FORMATS]


def look_of(methods: Sequence[str], method: str) -> tuple[str, str]:
    """Colour and dash, the same in every figure."""
    place = methods.index(method)
    return COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]


def new_figure(width: float, height: float) -> Figure:
    """Inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def dressed(axes: Axes) -> None:
    """Quiet: no box, faint lines behind."""
    axes.tick_params(labelsize=7.5)
    axes.grid(color="0.9", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
