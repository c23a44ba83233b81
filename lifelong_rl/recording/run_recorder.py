"""All of a run's recording behind one object: rows, times, progress and snapshots."""

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.newest import INTERRUPTED
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.snapshot import save_snapshot
from lifelong_rl.recording.timer import Timer
from lifelong_rl.types import Metrics


class RunRecorder:
    """`meta` goes into every snapshot beside the counters: what the run is, for those who read the snapshot alone."""

    def __init__(
        self, run_dir: Path, logger: Logger, timer: Timer, progress: Progress, meta: Mapping[str, Any]
    ) -> None:
        self._run_dir, self._logger, self._timer, self._progress = run_dir, logger, timer, progress
        self._meta = dict(meta)

    def record_all(self, prefix: str, metrics: Metrics) -> None:
        """Adds to the epoch's means."""
        self._logger.record_all(prefix, metrics)

    def tick(self, epoch_fraction: float) -> None:
        """Shows how far the epoch is."""
        self._progress.tick(epoch_fraction)

    def timed(self, what: str) -> AbstractContextManager[None]:
        """Adds the seconds inside to the epoch's `time/<what>_seconds`."""
        return self._timer.section(what)

    def end_epoch(self, *, phase: str, epoch: int, env_steps: int, updates: int) -> None:
        """Writes the epoch's row and shows it."""
        for name, value in self._timer.read().items():
            self._logger.record(name, value)
        self._progress.show(self._logger.dump(epoch=epoch, env_steps=env_steps, updates=updates, phase=phase))

    def snapshot(self, name: str, parts: Mapping[str, Any], counters: dict[str, Any]) -> None:
        """A directory in the run's directory. A regular one makes what an earlier Ctrl-C left superfluous."""
        save_snapshot(self._run_dir / name, dict(parts), self._meta | {"counters": counters})
        if name != INTERRUPTED:
            shutil.rmtree(self._run_dir / INTERRUPTED, ignore_errors=True)
