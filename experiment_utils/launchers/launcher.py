"""The contract of a launcher, and what it may use of the machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Resources:
    """`gpus` are CUDA device names, `exps_per_gpu` runs share each; without any, runs go one after the other."""

    gpus: tuple[str, ...] = ()
    exps_per_gpu: int = 1

    @property
    def slots(self) -> tuple[str | None, ...]:
        """One entry for each run that may go on at a time: its GPU, or None."""
        return self.gpus * self.exps_per_gpu or (None,)


class Launcher(Protocol):
    """Runs jobs. What became of each stands in its `status.json`."""

    def __init__(self, resources: Resources) -> None: ...

    def submit(self, run_dirs: Sequence[Path]) -> int:
        """0, or the exit status with which all was stopped (130 Ctrl-C, 75 to be started again)."""
        ...
