"""What `scripts/sweep.py` does to an experiment that was started: show, follow, stop, start again, add to."""

import dataclasses
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiment_utils import plan, submit, summary
from experiment_utils.launchers import launcher_of
from experiment_utils.launchers.options import Options
from experiment_utils.plan import PlannedRun, is_alive
from experiment_utils.run_directory import RunDirectory, fingerprint
from experiment_utils.stores import store_address, store_of
from experiment_utils.submissions import submissions
from lifelong_rl.config import ConfigError

POLL_SECONDS = 0.5


def follow(path: Path, num_lines: int, *, goes_on: bool) -> None:
    """Prints the end of a run's log, or of what drives an experiment, and then what is added until the run ends."""
    log = _log_of(path)
    with log.open(encoding="utf-8", errors="replace") as file:
        print("".join(file.readlines()[-num_lines:]), end="", flush=True)
        while goes_on:
            text = file.read()
            print(text, end="", flush=True)
            status = RunDirectory(path).status
            if not text and (status is None or status.state not in ("running", "queued")):
                return
            time.sleep(POLL_SECONDS)


def kill(path: Path) -> None:
    """Stops a run, or all of an experiment, after snapshots."""
    run = RunDirectory(path)
    if run.status is not None:
        if run.status.state in ("finished", "failed"):
            raise ConfigError(f"{path} is {run.status.state} already.")
        run.stop_file.touch()
        print(f"asked to stop: {path}")
        return
    alive = [each for each in submissions(path) if is_alive(each)]
    for submission in alive:
        launcher_of(submission.mode, submission.options).cancel(submission)
        print(f"stopping {submission.path.stem}: each run takes a snapshot first")
    if not alive:
        raise ConfigError(f"{path}: nothing goes on there.")


def again(experiment_dir: Path, states: Sequence[str] | None, mode: str | None, options: Options) -> int | None:
    """Submits runs in one of `states` again, all that are not finished where that is None."""
    runs = [run for run in plan.known_runs(experiment_dir) if run.is_to_run and (not states or run.state in states)]
    if not runs:
        print("nothing to start")
        return 0
    return _submit(experiment_dir, runs, mode, options, runs[0])


def add_seeds(experiment_dir: Path, seeds: Sequence[int], mode: str | None, options: Options) -> int | None:
    """Runs every variant of the experiment with more seeds; those that are there stay as they are."""
    variants = {fingerprint(run.point.variant): run for run in plan.known_runs(experiment_dir)}
    runs = [_with_seed(run, seed) for run in variants.values() for seed in seeds]
    new = [run for run in runs if run.directory.status is None]
    if not new:
        print(f"nothing to start: {len(variants)} variants, and each has these seeds")
        return 0
    return _submit(experiment_dir, new, mode, options, next(iter(variants.values())))


def pull(experiment_dir: Path, url: str) -> None:
    """Brings every run of the experiment from its store; what is here already is not sent again."""
    store = store_of(store_address(url, experiment_dir))
    store.check()
    names = store.list_runs()
    if not names:
        raise ConfigError(f"{store_address(url, experiment_dir)}: no runs there.")
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {experiment_dir / name}", flush=True)
        store.pull(experiment_dir / name)


def _with_seed(run: PlannedRun, seed: int) -> PlannedRun:
    name = re.sub(r"(^|-)s\d+$", rf"\g<1>s{seed}", run.directory.path.name)
    point = dataclasses.replace(run.point, variant=run.point.variant | {"seed": seed})
    return PlannedRun(point=point, directory=RunDirectory(run.directory.path.with_name(name)), state="new")


def _submit(
    experiment_dir: Path, runs: Sequence[PlannedRun], mode: str | None, options: Options, like: PlannedRun
) -> int | None:
    """As the newest command on this experiment did, unless another mode is named."""
    earlier = submissions(experiment_dir)
    if mode is None and earlier:
        mode, options = earlier[-1].mode, earlier[-1].options
    if mode in (None, "here"):
        mode, options = "local", Options(num_cpu=options.num_cpu)
    assert mode is not None
    options.check(mode)
    launcher = launcher_of(mode, options)
    launcher.check()
    print("\n".join(launcher.plan([run.directory.path for run in runs])), flush=True)
    origin = like.directory.read("run.json")
    about: dict[str, Any] = {key: origin[key] for key in ("config_module", "preset", "exp_name") if key in origin}
    stopped = submit.submit(runs, about, mode, options)
    if stopped is None:
        return None
    ended = summary.report(runs, stopped)
    return stopped or ended


def _log_of(path: Path) -> Path:
    if (path / "stdout.log").exists():
        return path / "stdout.log"
    logs = [submission.log for submission in submissions(path) if submission.log.exists()]
    if not logs:
        raise ConfigError(f"{path}: no log there. Name a run directory, or an experiment.")
    return logs[-1]
