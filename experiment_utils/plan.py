"""Which runs a command stands for, which of them are still to run, and their directories."""

import dataclasses
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils import heartbeat
from experiment_utils.json_files import write_json
from experiment_utils.launchers import launcher_of
from experiment_utils.provenance import provenance
from experiment_utils.run_directory import RunDirectory, Status, find_runs
from experiment_utils.submissions import Submission, submissions
from experiment_utils.sweep import Point, Setting, expand
from lifelong_rl.config import ConfigError
from lifelong_rl.secrets import known_secrets, mask_values


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A point of the sweep, where its run lives, and how far that has come ("new" where it has not begun)."""

    point: Point
    directory: RunDirectory
    state: str

    @property
    def is_to_run(self) -> bool:
        return self.state not in ("finished", "running", "submitted")


def make_plan(
    config_class: type, variant: Mapping[str, Any], *, grid: Mapping[str, Sequence[Any]], seeds: Sequence[int],
    settings: Sequence[Setting], experiment_dir: Path, prefix: str,
) -> list[PlannedRun]:  # fmt: skip
    """Every run, checked; reads the disk and writes nothing."""
    points = expand(config_class, variant, sweep_values=grid, seeds=seeds, settings=settings)
    directories = find_runs(experiment_dir, points, prefix)
    submitted = waiting_elsewhere(experiment_dir)
    return [
        PlannedRun(point=point, directory=directory, state=_state(directory, submitted))
        for point, directory in zip(points, directories, strict=True)
    ]


def known_runs(experiment_dir: Path) -> list[PlannedRun]:
    """Every run that the experiment's folder holds, by name."""
    if not experiment_dir.is_dir():
        raise ConfigError(f"{experiment_dir}: no such experiment.")
    submitted, found = waiting_elsewhere(experiment_dir), []
    for path in sorted(path.parent for path in experiment_dir.glob("*/status.json")):
        directory = RunDirectory(path)
        try:
            point = Point(variant=directory.read("variant.json"), swept=directory.read("run.json").get("swept", {}))
        except ConfigError:
            continue  # it is being written, or something else
        found.append(PlannedRun(point=point, directory=directory, state=_state(directory, submitted)))
    return found


def as_they_are_now(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The same runs, their states read again."""
    submitted = waiting_elsewhere(runs[0].directory.path.parent) if runs else frozenset()
    return [dataclasses.replace(run, state=_state(run.directory, submitted)) for run in runs]


def waiting_elsewhere(experiment_dir: Path) -> frozenset[str]:
    """Names of runs that an engine still has."""
    return frozenset(name for each in submissions(experiment_dir) if is_alive(each) for name in each.runs)


def is_alive(submission: Submission) -> bool:
    """Whether anything of it still waits or runs; yes where its engine cannot be asked from here."""
    if submission.is_driven_now():
        return True
    try:
        return launcher_of(submission.mode, submission.options).is_alive(submission)
    except ConfigError:
        return True


def most_threads(runs: Sequence[PlannedRun]) -> int:
    """Of any of them, as their variants say."""
    return max([1, *(int(run.point.variant.get("num_threads") or 1) for run in runs)])


def prepare(runs: Sequence[PlannedRun], about: Mapping[str, Any]) -> None:
    """Writes `variant.json`, `run.json` and `status.json` of runs that are about to be submitted."""
    known = known_secrets(os.environ)
    common = mask_values({**about, **provenance()}, known) if runs else {}  # a diff may be long: it is masked once
    try:
        for run in runs:
            run.directory.write("variant.json", run.point.variant, known)
            write_json(
                run.directory.path / "run.json",
                {**common, "swept": mask_values(run.point.swept, known), "seed": run.point.seed},
            )
            run.directory.stop_file.unlink(missing_ok=True)
            run.directory.write_status("queued")
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}.") from None


def _state(directory: RunDirectory, submitted: frozenset[str]) -> str:
    status = directory.status
    if status is None:
        return "new"
    if status.state == "running" and not is_working(directory, status):
        return "interrupted"  # its process died without a word
    if status.state == "queued" and directory.path.name in submitted:
        return "submitted"
    return status.state


def is_working(directory: RunDirectory, status: Status) -> bool:
    """Whether the process that set the run to running lives: it holds the lock, or its heart beats on another host."""
    return directory.is_held() or (status.host != socket.gethostname() and heartbeat.is_fresh(directory.path))
