"""What was submitted to which engine: one file for each command that started runs, in `EXPERIMENT/submissions/`."""

import dataclasses
import json
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

from experiment_utils.json_files import write_json
from experiment_utils.launchers.options import Options


@dataclass(frozen=True, kw_only=True)
class Submission:
    """`jobs` are an engine's own names for what it was given (Slurm's job numbers); `pid` a driver's process."""

    path: Path  # its file; the driver's log and lock stand beside it
    mode: str
    options: Options
    runs: tuple[str, ...]  # names of run directories
    host: str = ""
    pid: int | None = None
    jobs: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def experiment_dir(self) -> Path:
        return self.path.parent.parent

    @property
    def run_dirs(self) -> list[Path]:
        return [self.experiment_dir / name for name in self.runs]

    @property
    def log(self) -> Path:
        return self.path.with_suffix(".log")

    @property
    def lock(self) -> filelock.FileLock:
        """Held by its driver for as long as that lives."""
        return filelock.FileLock(self.path.with_suffix(".lock"))

    def is_driven_now(self) -> bool:
        """Whether its driver lives."""
        if not self.path.with_suffix(".lock").exists():
            return False
        try:
            with self.lock.acquire(timeout=0):
                return False
        except filelock.Timeout:
            return True

    def write(self, **changes: Any) -> "Submission":
        """Whole or not at all; returns what now stands there."""
        changed = dataclasses.replace(self, **changes)
        values = {name: value for name, value in vars(changed).items() if name != "path"}
        write_json(self.path, values | {"options": changed.options.to_json()})
        return changed


def submission_of(experiment_dir: Path, mode: str, options: Options, run_dirs: Sequence[Path]) -> Submission:
    """A new one, written down."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{mode}-{secrets.token_hex(2)}.json"
    submission = Submission(
        path=experiment_dir / "submissions" / name, mode=mode, options=options, host=socket.gethostname(),
        runs=tuple(path.name for path in run_dirs), pid=os.getpid(),
    )  # fmt: skip
    return submission.write()


def read_submission(path: Path) -> Submission:
    """What stands in the file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return Submission(
        path=path, mode=values["mode"], options=Options.from_json(values["options"]), runs=tuple(values["runs"]),
        host=values["host"], pid=values["pid"], jobs=tuple(values["jobs"]), facts=values["facts"],
    )  # fmt: skip


def submissions(experiment_dir: Path) -> list[Submission]:
    """All of an experiment, oldest first."""
    return [read_submission(path) for path in sorted((experiment_dir / "submissions").glob("*.json"))]
