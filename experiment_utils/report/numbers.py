"""Everything that a report says, as plain numbers for other programs; what is not finite is null."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiment_utils.report.comparisons import Comparisons
from experiment_utils.report.scores import Score, Scores
from experiment_utils.report.study import Study
from experiment_utils.report.wording import plain, without_folders


def as_numbers(study: Study, scores: Scores, found: Comparisons, notes: Sequence[str], made: str) -> dict[str, Any]:
    """For `json.dumps`."""
    view = study.view
    return _finite({
        "title": study.title, "made": made, "rule": view.rule, "statistic": study.statistic, "confidence": 0.95,
        "metrics": list(study.metrics), "group": list(view.group or ()), "split": list(view.split),
        "show": view.show, "hide": view.hide, "notes": list(notes),
        "scores": [_score(score, scores) for score in scores.measured],
        "cited": [
            {"task": one.task, "metric": one.metric, **vars(one.reference)} for one in scores.cited
        ],
        "compared_by": found.metric,
        "improvements": [vars(one) for one in found.improvements],
        "aggregates": [vars(one) for one in found.aggregates],
        "profiles": [vars(one) for one in found.profiles],
        "runs": [
            {"experiment": run.experiment, "run": run.name, "seed": run.seed, "state": run.state,
             "error": without_folders(plain(run.error)) if run.error else None}
            for run in study.selection.runs
        ],
    })  # fmt: skip


def _score(score: Score, scores: Scores) -> dict[str, Any]:
    return {
        "task": score.task, "method": score.method, "metric": score.metric, "num_runs": len(score.values),
        "estimate": score.estimate, "low": score.low, "high": score.high,
        "is_clearly_best": (score.task, score.method, score.metric) in scores.best,
        "over_episodes": vars(score.episodes) if score.episodes else None,
        "runs": [
            {"experiment": run.experiment, "run": run.name, "seed": run.seed, "value": value}
            for run, value in zip(score.runs, score.values, strict=True)
        ],
    }  # fmt: skip


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple | np.ndarray):
        return [_finite(value) for value in tree]
    if isinstance(tree, float | np.floating):
        return float(tree) if math.isfinite(tree) else None
    return tree
