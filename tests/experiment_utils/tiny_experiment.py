"""A small real experiment for the tests of launching: it counts to `num_epochs`, and can fail in several ways."""

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import Any, Literal

from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.training.interrupts import Interrupts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counter:
    """Counts, and does `ending` after that."""

    step: int = 1
    rate: float = 1e-3
    ending: Literal["well", "crash", "refuse", "kill", "wait"] = "well"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """An element of a list."""

    num_epochs: int = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """What a variant may say."""

    agent: Any = one_of({"counter": Counter}, default="counter")
    phases: tuple[Phase, ...] = (Phase(),)
    device: str = "cpu"
    num_threads: int = 1
    log_to_wandb: bool = False
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Run:
    """What `build` returns."""

    config: ExperimentConfig
    run_dir: Path

    def train(self, interrupts: Interrupts | None = None) -> None:
        count = sum(phase.num_epochs for phase in self.config.phases) * self.config.agent.step
        print(f"counted to {count} with OMP_WAIT_POLICY={os.environ['OMP_WAIT_POLICY']}")
        print(f"GPU {os.environ.get('CUDA_VISIBLE_DEVICES')}")
        with (self.run_dir / "count.txt").open("a") as file:
            file.write(f"{count} with {os.environ['OMP_NUM_THREADS']} threads\n")
        match self.config.agent.ending:
            case "crash":
                raise ValueError(f"seed {self.config.seed} is unlucky\nand the second line is long")
            case "refuse":
                raise ConfigError("agent.critic_loss is nan at update 7.")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "wait":
                self._wait()

    def _wait(self) -> None:
        (self.run_dir / "waiting").touch()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            (self.run_dir / "snapshot").touch()
            raise


def build(config: ExperimentConfig, run_dir: Path) -> Run:
    """A run that trains."""
    return Run(config, run_dir)
