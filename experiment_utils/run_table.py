"""How the runs of an experiment are doing, as a table that people read: state, progress, the last numbers or error."""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils.launchers import launcher_of
from experiment_utils.plan import is_working, waiting_elsewhere
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import submissions
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.progress import key_metrics

ORDER = ("failed", "running", "died", "stopped", "interrupted", "queued", "finished")  # what needs a look comes first
TAIL_BYTES = 1 << 16
BAR = 10


@dataclass(frozen=True, kw_only=True)
class RunState:
    """`state` is that of status.json, but "died" and "stopped" where nobody works on what it says any more."""

    path: Path
    state: str
    error: str | None

    def progress(self) -> float | None:
        """Share of the epochs that are over; None where that is not known."""
        row = self.last_row()
        with contextlib.suppress(ConfigError, KeyError, TypeError, StopIteration):
            phases: Sequence[Mapping[str, Any]] = RunDirectory(self.path).read("variant.json")["phases"]
            total = sum(int(phase["num_epochs"]) for phase in phases)
            if row is None or not total:
                return 0.0 if total else None
            index = next(number for number, phase in enumerate(phases) if phase["name"] == row["phase"])
            return (sum(int(phase["num_epochs"]) for phase in phases[:index]) + int(row["epoch"])) / total
        return None

    def last_row(self) -> dict[str, Any] | None:
        """The newest whole row of metrics.jsonl; only the file's end is read."""
        with contextlib.suppress(OSError, ValueError), (self.path / "metrics.jsonl").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().split(b"\n")
            if len(lines) > 1:
                row = json.loads(lines[-2])
                return row if isinstance(row, dict) else None
        return None


def run_states(experiment_dir: Path) -> list[RunState]:
    """Of every run, those first that need a look. Reads one small file a run."""
    if not experiment_dir.is_dir():
        near = [path.name for path in experiment_dir.parent.glob("*/") if path.is_dir()]
        known = f" There: {', '.join(sorted(near)[:10])}." if near else ""
        raise ConfigError(f"{experiment_dir}: no such experiment.{known}")
    for submission in submissions(experiment_dir):
        with contextlib.suppress(ConfigError):  # an engine that cannot be asked from here
            launcher_of(submission.mode, submission.options).mark_lost(submission)
    submitted = waiting_elsewhere(experiment_dir)
    found = []
    for entry in os.scandir(experiment_dir):
        with contextlib.suppress(ConfigError):
            if entry.is_dir() and entry.name != "submissions":
                found.append(_state_of(RunDirectory(Path(entry.path)), submitted))
    return sorted(found, key=lambda run: (ORDER.index(run.state), run.path.name))


def table(runs: Sequence[RunState], most: int | None) -> str:
    """Counts, then a line a run: at most `most` of them."""
    counts = Counter(run.state for run in runs)
    lines = [", ".join(f"{counts[state]} {state}" for state in ORDER if counts[state]) or "no runs"]
    shown = runs if most is None else runs[:most]
    for run in shown:
        row = run.last_row()
        words = run.error or ("  ".join(key_metrics(row)[:2]) if row else "")
        lines.append(f"{run.state:11} {_bar(run.progress(), run.state)}  {run.path.name}  {words}".rstrip())
    if len(shown) < len(runs):
        lines.append(f"and {len(runs) - len(shown)} more (--all)")
    return "\n".join(lines)


def _state_of(run: RunDirectory, submitted: frozenset[str]) -> RunState:
    status = run.status
    if status is None:
        raise ConfigError(f"{run.path} is no run.")
    state: str = status.state
    if state == "running" and not is_working(run, status):
        state = "died"
    elif state == "queued" and run.path.name not in submitted:
        state = "stopped"
    return RunState(path=run.path, state=state, error=status.error)


def _bar(progress: float | None, state: str) -> str:
    share = 1.0 if state == "finished" else progress
    if share is None:
        return " " * (BAR + 5)
    full = round(share * BAR)
    return f"{'#' * full}{'.' * (BAR - full)} {share:4.0%}"
