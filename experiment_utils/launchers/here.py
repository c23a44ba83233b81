"""Runs in this process, one after the other: for debuggers, notebooks and single runs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from experiment_utils.job import run_job
from experiment_utils.launchers.gpus import chosen_gpus
from experiment_utils.launchers.options import Options
from experiment_utils.submissions import Submission
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE


class HereLauncher:
    """A failed run does not stop the next one; Ctrl-C does."""

    is_driven: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self) -> None:
        chosen_gpus(self._options)

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        return [f"{len(run_dirs)} runs in this process, in turn, {self._options.num_cpu} threads each"]

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> int:
        for gpu in chosen_gpus(self._options)[:1]:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # CUDA reads it when it is first used
        for number, path in enumerate(run_dirs, 1):
            print(f"[{number}/{len(run_dirs)}] {path}", flush=True)
            status = run_job(path)
            if status in (INTERRUPTED, REQUEUE):
                return status
        return 0

    def is_alive(self, submission: Submission) -> bool:
        return submission.is_driven_now()

    def cancel(self, submission: Submission) -> None:
        """Its process is the one that started it: Ctrl-C there."""

    def mark_lost(self, submission: Submission) -> None:
        """A run whose process died holds no lock."""
