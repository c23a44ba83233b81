"""One subprocess a run on this machine, one after the other. Needs nothing installed."""

import os
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.launchers.driven import Driven
from experiment_utils.launchers.gpus import chosen_gpus
from experiment_utils.launchers.node import run_on_node
from experiment_utils.launchers.options import Options
from experiment_utils.submissions import Submission
from experiment_utils.threads import thread_variables
from lifelong_rl.config import ConfigError
from lifelong_rl.training.interrupts import INTERRUPTED


class LocalLauncher(Driven):
    """A crash, a kill or a leak of one run leaves the others alone."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self) -> None:
        if len(chosen_gpus(self._options)) > 1:
            raise ConfigError("--mode local uses one GPU; several: --mode multi_gpu.")

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        gpus = "".join(f", GPU {name}" for name in chosen_gpus(self._options))
        return [f"{len(run_dirs)} runs on this machine, in turn, {self._options.num_cpu} threads each{gpus}"]

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> int:
        for gpu in chosen_gpus(self._options):
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        environment = thread_variables(self._options.num_cpu)
        for number, path in enumerate(run_dirs, 1):
            print(f"[{number}/{len(run_dirs)}] {path}", flush=True)
            try:
                run_on_node(path, environment=environment, shows_output=True)
            except KeyboardInterrupt:
                return INTERRUPTED
        return 0
