"""A tiny real experiment that takes snapshots: it counts, and writes down every step that it does, even again."""

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any, Literal

from lifelong_rl.config import one_of
from lifelong_rl.training.interrupts import Interrupts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counter:
    """`interval` steps from one snapshot to the next."""

    num_steps: int = 20
    seconds_per_step: float = 0.05
    interval: int = 5
    snapshot_seconds: float = 0.0
    ending: Literal["well", "crash"] = "well"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """What a variant may say."""

    agent: Any = one_of({"counter": Counter}, default="counter")
    num_threads: int = 1
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Run:
    """What `build` returns."""

    config: ExperimentConfig
    run_dir: Path

    def train(self, interrupts: Interrupts | None = None) -> None:
        counter, snapshot = self.config.agent, self.run_dir / "snapshot.json"
        step = json.loads(snapshot.read_text())["step"] if snapshot.exists() else 0
        begun_at = step
        with (interrupts or Interrupts()).deferred():
            try:
                while step < counter.num_steps:
                    time.sleep(counter.seconds_per_step)
                    step += 1
                    with (self.run_dir / "steps.log").open("a") as file:
                        file.write(f"{step} {begun_at} {os.environ['OMP_NUM_THREADS']}\n")
                    if step % counter.interval == 0:
                        self._save(snapshot, step)
                    if interrupts is not None:
                        interrupts.check()
            except KeyboardInterrupt:
                time.sleep(counter.snapshot_seconds)
                self._save(snapshot, step)
                raise
        if counter.ending == "crash":
            raise ValueError(f"seed {self.config.seed} is unlucky")

    def _save(self, snapshot: Path, step: int) -> None:
        temporary = snapshot.with_suffix(".new")
        temporary.write_text(json.dumps({"step": step}))
        temporary.replace(snapshot)


def build(config: ExperimentConfig, run_dir: Path) -> Run:
    """A run that trains."""
    return Run(config, run_dir)
