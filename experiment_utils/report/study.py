"""What a report is about: which runs, on which tasks, by which methods, seen through which metrics."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experiment_utils.dashboard.selection import MAX_FIGURES, Selection, chosen_runs
from experiment_utils.dashboard.source import Found, Source
from experiment_utils.dashboard.view import View
from experiment_utils.report.methods import figures_of
from experiment_utils.report.wording import name_of
from experiment_utils.results.curves import AXES, default_names, metric_names, natural_axis
from experiment_utils.results.finals import is_lower_better
from experiment_utils.results.groups import check_keys, swept_keys
from experiment_utils.results.metrics import ROW_NUMBER
from experiment_utils.results.run_intervals import OfRuns
from experiment_utils.results.runs import Run
from lifelong_rl.config import ConfigError, did_you_mean
from lifelong_rl.secrets import known_secrets, mask_secrets, mask_values

TASK = "task.name"
MAX_METRICS = 6
FIRST_SEEN = (  # what two readers ask for first, in this order
    "success_at_end_rate", "normalized_score", "steps_over_controller", "success_rate", "steps_to_goal_mean",
    "return_mean",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Study:
    """A figure of `selection` is a task, its groups are methods, which have one name on all tasks."""

    title: str
    selection: Selection
    methods: Sequence[str]
    counted: Sequence[Run]  # their final values count: the finished ones, unless all were asked for
    swept: Sequence[str]
    problems: Sequence[str]
    num_others: int  # runs that the filters leave out

    @property
    def view(self) -> View:
        return self.selection.view

    @property
    def metrics(self) -> Sequence[str]:
        return self.view.y or ()

    @property
    def metric(self) -> str:
        """The one that methods are compared by."""
        return self.metrics[0]

    @property
    def has_tasks(self) -> bool:
        """Several of them."""
        return len(self.selection.figures) > 1

    @property
    def statistic(self) -> OfRuns:
        """Of the tables; the curves' shade may be something else."""
        return "iqm" if self.view.summary == "iqm" else "median" if self.view.summary == "median" else "mean"

    def is_lower_better(self, metric: str) -> bool:
        """By the metric's name, or because it was said of the first one."""
        return is_lower_better(metric) or (self.view.lowest and metric == self.metric)


def find_study(folders: Sequence[Path], view: View, *, unfinished: bool = False) -> Study:
    """`ConfigError` says what of the wishes in `view` cannot be met."""
    found = _found(folders)
    check_keys([*(view.group or ()), *view.split], found.runs, "--group and --split")
    runs = chosen_runs(view, found)
    if not runs:
        raise ConfigError(f"none of the {len(found.runs)} runs matches --show and --hide.")
    swept = swept_keys(runs)
    split = view.split or ((TASK,) if TASK in swept else ())
    figures = figures_of(runs, split, view.group)
    if len(figures) > MAX_FIGURES:
        raise ConfigError(f"{len(figures)} tasks are more than a report's {MAX_FIGURES}: --show some, or --split less.")
    view = replace(
        view, x=_axis(view.x, runs), y=_metrics(view.y, runs), split=split,
        seeds=view.seeds and len(runs) > 1,
    )  # fmt: skip
    selection = Selection(view=view, runs=runs, figures=figures, notes=[])
    return Study(
        title=", ".join(dict.fromkeys(name_of(folder.absolute().name) for folder in folders)), selection=selection,
        methods=list(dict.fromkeys(name for figure in figures for name in figure.groups)), swept=swept,
        problems=found.problems, num_others=len(found.runs) - len(runs),
        counted=[run for run in runs if unfinished or run.state in ("finished", "unknown")],
    )  # fmt: skip


def _found(folders: Sequence[Path]) -> Found:
    """What looks like a credential is masked here, once, before anything is made of it."""
    for folder in folders:
        if not folder.is_dir():
            near = [path.name for path in folder.absolute().parent.glob("*/")]
            raise ConfigError(f"{folder}: no such folder.{did_you_mean(folder.name, near)}")
    found, known = Source(folders).found(), known_secrets(os.environ)
    if not found.runs:
        raise ConfigError(f"no runs in {', '.join(map(str, folders))}.")
    runs = [
        replace(run, variant=mask_values(run.variant, known), error=mask_secrets(run.error or "", known) or None)
        for run in found.runs
    ]
    return replace(found, runs=runs, problems=[mask_secrets(problem, known) for problem in found.problems])


def _axis(wanted: str, runs: Sequence[Run]) -> str:
    valid = [*AXES, ROW_NUMBER, *metric_names(runs)]
    if wanted and wanted not in valid:
        raise ConfigError(f"--x: unknown axis {wanted!r}.{did_you_mean(wanted, valid)}")
    return wanted or natural_axis(runs)


def _metrics(wanted: Sequence[str] | None, runs: Sequence[Run]) -> tuple[str, ...]:
    """Names, or their last words."""
    names = metric_names(runs)
    if not names:
        raise ConfigError("no run has recorded a number yet; scripts/sweep.py status says how they are.")
    if wanted is None:
        ours = [name for name in names if name.startswith("evaluation/")]
        chosen = [name for ending in FIRST_SEEN for name in ours if name.endswith(f"/{ending}")]
        return tuple(chosen or default_names(names)[:1])[:MAX_METRICS]
    metrics: dict[str, None] = {}
    for word in wanted:
        fitting = [name for name in names if name == word or name.endswith(f"/{word}")]
        if not fitting:
            nearest = did_you_mean(word, [*names, *(name.rpartition("/")[2] for name in names)])
            raise ConfigError(f"--y: unknown metric {word!r}.{nearest}")
        metrics |= dict.fromkeys(fitting)
    return tuple(metrics)
