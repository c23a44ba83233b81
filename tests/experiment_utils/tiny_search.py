"""A small real experiment for the tests of searching: its score is best at a `rate` of 0.01.

`python tiny_search.py EXPERIMENT_DIR METHOD NUM_TRIALS [KILL_AT]` searches it, and kills itself with SIGKILL when it
opens, renames or removes a file for the KILL_AT-th time.
"""

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiment_utils.plan import PlannedRun
from experiment_utils.search import Study
from experiment_utils.search_driver import run_study
from experiment_utils.search_space import choice, log_uniform
from experiment_utils.search_spec import SearchSpec
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.recording.metrics_file import append_row, read_metrics
from lifelong_rl.training.interrupts import Interrupts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scorer:
    """Scores; above `crash_above` it does not."""

    rate: float = 1e-3
    steps: int = 1
    bonus: float = 0.0
    crash_above: float = 10.0
    seconds: float = 0.0  # of an epoch

    def __post_init__(self) -> None:
        if self.steps > 3:
            raise ConfigError(f"steps must be at most 3, got {self.steps}.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """An element of a list."""

    num_epochs: int = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """What a variant may say."""

    agent: Any = one_of({"scorer": Scorer}, default="scorer")
    phases: tuple[Phase, ...] = (Phase(),)
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Run:
    """What `build` returns. Its rows are its snapshot."""

    config: ExperimentConfig
    run_dir: Path

    def train(self, interrupts: Interrupts | None = None) -> None:
        agent, path = self.config.agent, self.run_dir / "metrics.jsonl"
        with (self.run_dir / "starts.txt").open("a") as file:
            file.write("started\n")
        num_epochs = sum(phase.num_epochs for phase in self.config.phases)
        for epoch in range(len(read_metrics(path)) if path.exists() else 0, num_epochs):
            time.sleep(agent.seconds)
            if agent.rate > agent.crash_above:
                raise ValueError(f"rate {agent.rate} is too much")
            distance = abs(math.log10(agent.rate) + 2)
            row = {"epoch": epoch + 1, "phase": "online", "env_steps": epoch * agent.steps, "updates": epoch}
            append_row(path, row | {"evaluation/multi/score": (epoch + 1) * agent.bonus - distance})


def build(config: ExperimentConfig, run_dir: Path) -> Run:
    """A run that trains."""
    return Run(config, run_dir)


SPACE = {"agent.rate": log_uniform(1e-4, 1.0), "agent.bonus": choice([0.0, 0.1])}


def spec_of(method: str = "random", num_trials: int = 5, **changes: Any) -> SearchSpec:
    values = {"space": SPACE, "variant": {}, "metric": "evaluation/multi/score", "config_module": "tiny_search"}
    if method == "halving":
        values |= {"budget": "phases.0.num_epochs", "variant": {"phases": [{"num_epochs": 9}]}}
    return SearchSpec(**{**values, "method": method, "num_trials": num_trials, **changes})


def search(study: Study, start: Callable[[PlannedRun], int]) -> int:
    """One run after the other; `start` comes back when it has ended."""
    return run_study(study, start=start, still_going=lambda runs: set())


def prepare(planned: PlannedRun) -> Path:
    run = planned.directory
    run.write("variant.json", planned.point.variant)
    run.write("run.json", {"config_module": "tiny_search"})
    run.write_status("queued")
    return run.path


def run_job(planned: PlannedRun) -> int:
    """As an engine would: a process of its own."""
    path = prepare(planned)
    subprocess.run([sys.executable, "-m", "experiment_utils.job", str(path)], stdout=subprocess.DEVNULL, check=False)
    return 0


def run_here(planned: PlannedRun) -> int:
    """In this process."""
    from experiment_utils import job

    job.run_job(prepare(planned))
    return 0


def kill_at(number: int, folder: str) -> None:
    """SIGKILL for this very process at that change of the experiment's files."""
    count = iter(range(1, 1_000_000))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_change = event in ("os.rename", "os.remove", "os.truncate", "os.symlink") or (
            event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "aw"
        )
        if is_change and folder in "".join(map(str, arguments)) and next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    experiment_dir, method, num_trials = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    about = json.loads(os.environ.get("SPEC", "{}"))
    if len(sys.argv) > 4:
        kill_at(int(sys.argv[4]), str(experiment_dir))
    kind = run_job if os.environ.get("JOBS") else run_here
    search(Study(spec_of(method, num_trials, **about), experiment_dir), kind)
