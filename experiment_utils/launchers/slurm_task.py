"""What a Slurm job executes on its node: one run. Stopped by Slurm, it takes its snapshot and has itself requeued.

Slurm signals every process of a job step: the job gets the signal itself, and once more from here.
"""

import os
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from experiment_utils.launchers.node import run_on_node
from experiment_utils.launchers.slurm_site import ask
from experiment_utils.run_directory import RunDirectory
from experiment_utils.threads import thread_variables
from lifelong_rl.config import ConfigError
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE, STOPS


def run_task(run_dir: str, num_cpu: int) -> NoReturn:
    """Ends with the job's exit status, so that submitit, which unpickled this call, keeps no result of it."""
    stop = _Stop()
    for number in STOPS:
        signal.signal(number, stop.note)
    run = RunDirectory(Path(run_dir))
    try:
        status = run_on_node(run.path, environment=thread_variables(num_cpu), shows_output=True)
    except KeyboardInterrupt:
        status = REQUEUE
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)

    if status == REQUEUE and _has_ended(run):  # the signal came too late to matter
        status = 0
    elif status in (REQUEUE, INTERRUPTED) and stop.first == signal.SIGINT:  # cancelled
        run.write_status("interrupted")
        status = INTERRUPTED
    elif status == REQUEUE:
        _requeue()
    sys.exit(status)


def _has_ended(run: RunDirectory) -> bool:
    status = run.status
    return status is not None and status.state in ("finished", "failed")


def _requeue() -> None:
    """Unless Slurm requeues it anyway (scontrol requeue, preemption), or it was cancelled."""
    job = os.environ["SLURM_JOB_ID"]
    try:
        match = re.search(r"JobState=(\w+)", ask("scontrol", "show", "job", "--oneliner", job))
        if match is not None and match[1] == "RUNNING":
            ask("scontrol", "requeue", job)
    except ConfigError as error:
        print(f"not requeued: {error}", file=sys.stderr, flush=True)


class _Stop:
    """Raises KeyboardInterrupt at the first signal; those after it reach the job without us."""

    first: int | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        if self.first is None:
            self.first = number
            raise KeyboardInterrupt
