"""Runs in this process, one after the other: for debuggers, notebooks and single runs."""

import os
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.job import run_job
from experiment_utils.launchers.launcher import Resources
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE


class HereLauncher:
    """A failed run does not stop the next one; Ctrl-C does."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def submit(self, run_dirs: Sequence[Path]) -> int:
        gpu = self._resources.slots[0]
        if gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # CUDA reads it when it is first used
        for number, path in enumerate(run_dirs, 1):
            print(f"[{number}/{len(run_dirs)}] {path}", flush=True)
            status = run_job(path)
            if status in (INTERRUPTED, REQUEUE):
                return status
        return 0
