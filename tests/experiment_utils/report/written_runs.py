"""Runs as they lie on disk, written by the tests: a variant, a state, rows."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiment_utils.dashboard.view import View
from experiment_utils.report.study import Study, find_study

RETURN = "evaluation/multi/return_mean"
SUCCESS = "evaluation/multi/success_at_end_rate"
SCORE = "evaluation/single/normalized_score"


def write_run(
    folder: Path, name: str, variant: Mapping[str, Any], rows: Sequence[Mapping[str, float]], *,
    state: str = "finished", error: str | None = None,
) -> Path:  # fmt: skip
    """A directory of its own; a row is an epoch of 100 environment steps."""
    directory = folder / name
    directory.mkdir(parents=True)
    (directory / "variant.json").write_text(json.dumps(variant))
    (directory / "status.json").write_text(json.dumps({"state": state, "error": error}))
    clocks = [{"epoch": n, "env_steps": 100 * n, "updates": n, "phase": "online"} for n in range(1, len(rows) + 1)]
    lines = [json.dumps(clock | dict(row)) + "\n" for clock, row in zip(clocks, rows, strict=True)]
    (directory / "metrics.jsonl").write_text("".join(lines))
    return directory


def write_finals(
    folder: Path, agent: str, finals: Sequence[float], metric: str = RETURN, task: str = "maze", **variant: Any
) -> None:
    """A finished run a value, which is its last; seeds from 0 up."""
    for seed, value in enumerate(finals):
        values = {"task": {"name": task}, "agent": {"name": agent}, "seed": seed, **variant}
        digits = f"{sum(map(ord, agent + task + json.dumps(variant))):08x}"
        write_run(folder, f"{digits}-s{seed}", values, [{metric: 0.0}, {metric: value / 2}, {metric: value}])


def study_of(folder: Path, *, unfinished: bool = False, **view: Any) -> Study:
    return find_study([folder], View(**({"summary": "mean_interval"} | view)), unfinished=unfinished)
