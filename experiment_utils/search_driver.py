"""Keeps a study's runs going: whenever one ends, its trial is told and the next one starts. Never waits for a batch."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiment_utils import submit
from experiment_utils.launchers import launcher_of
from experiment_utils.launchers.options import Options
from experiment_utils.plan import PlannedRun, as_they_are_now, is_alive
from experiment_utils.search import Study
from experiment_utils.submissions import submissions
from lifelong_rl.config import ConfigError
from lifelong_rl.training.interrupts import INTERRUPTED

POLL_SECONDS = 0.5
MOST_STARTS = 5  # of a run that comes to no end, in one life of the driver


def run_study(
    study: Study, *, start: Callable[[PlannedRun], int], still_going: Callable[[Sequence[PlannedRun]], set[str]],
    slots: int = 1,
) -> int:  # fmt: skip
    """Until the study is over; 0, or the exit status with which `start` said that all was stopped.

    `start` runs a run or has it run elsewhere; `still_going` says which of several are not over, by name.
    """
    starts: Counter[tuple[str, str]] = Counter()
    at_work: dict[str, PlannedRun] = {}
    with study.held():
        while not study.is_over:
            for run in study.ask(slots - len(at_work)):
                name = run.directory.path.name
                starts[name, str(run.point.variant)] += 1
                if starts[name, str(run.point.variant)] > MOST_STARTS:
                    raise ConfigError(f"{run.directory.path} was started {MOST_STARTS} times and came to no end.")
                at_work[name] = run
                stopped = start(run)
                if stopped:
                    return stopped
            ended = set(at_work) - still_going(list(at_work.values()))
            for name in ended:
                print(study.tell(at_work.pop(name).directory.path), flush=True)
            if not ended:
                time.sleep(POLL_SECONDS)
    return 0


def drive(study: Study, about: Mapping[str, Any], mode: str, options: Options, slots: int = 1) -> int:
    """The same by an engine, `slots` runs at a time; Ctrl-C stops what goes on, after snapshots."""

    def start(run: PlannedRun) -> int:
        return submit.submit([run], about, mode, options, detach=True) or 0

    try:
        return run_study(study, start=start, still_going=_still_going, slots=1 if mode == "here" else slots)
    except KeyboardInterrupt:
        _cancel(study)
        return INTERRUPTED


def _still_going(runs: Sequence[PlannedRun]) -> set[str]:
    return {run.directory.path.name for run in as_they_are_now(runs) if run.state in ("running", "submitted")}


def _cancel(study: Study) -> None:
    print("stopping: each run takes a snapshot first; the same command goes on", flush=True)
    own = {trial.run for trial in study.trials if trial.is_active}
    for submission in submissions(study.experiment_dir):
        if own & set(submission.runs) and is_alive(submission):
            launcher_of(submission.mode, submission.options).cancel(submission)
