"""From planned runs to an engine that has them; of several commands at once each run is submitted by one."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock

from experiment_utils import driver
from experiment_utils.launchers import launcher_of
from experiment_utils.launchers.options import Options
from experiment_utils.plan import PlannedRun, as_they_are_now, prepare
from experiment_utils.submissions import submission_of
from lifelong_rl.config import ConfigError


def submit(
    runs: Sequence[PlannedRun], about: Mapping[str, Any], mode: str, options: Options, *, detach: bool = False
) -> int | None:
    """Blocks until all ended, where this terminal follows them; the exit status, or None where they go on elsewhere."""
    experiment_dir, launcher = runs[0].directory.path.parent, launcher_of(mode, options)
    with contextlib.ExitStack() as stack:
        with alone(experiment_dir):  # nobody else plans while runs are taken
            taken = [run for run in as_they_are_now(runs) if run.is_to_run]
            if not taken:
                print("nothing to start: another command has these runs")
                return None
            prepare(taken, {**about, "mode": mode, "options": options.to_json()})
            paths = [run.directory.path for run in taken]
            submission = submission_of(experiment_dir, mode, options, paths)
            process = driver.start(submission) if launcher.is_driven else None
            if process is None:
                stack.enter_context(submission.lock)
        if process is None:
            return launcher.submit(paths, submission)
    if detach:
        return None
    print(f"log: {submission.log} (Ctrl-C stops the runs; closing the terminal does not)", flush=True)
    return driver.follow(process, submission.log)


@contextlib.contextmanager
def alone(experiment_dir: Path) -> Iterator[None]:
    """One command at a time takes runs of an experiment; the others wait."""
    folder = experiment_dir / "submissions"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}.") from None
    lock = filelock.FileLock(folder / "LOCK")
    try:
        lock.acquire(timeout=1)
    except filelock.Timeout:
        print(f"waiting for another command that takes runs of {experiment_dir}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
