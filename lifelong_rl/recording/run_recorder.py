"""All of a run's recording behind one object: rows, times, progress and snapshots."""

import logging
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lifelong_rl.recording.errors import DiskError
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.newest import INTERRUPTED
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.retention import RetentionConfig, delete_superfluous
from lifelong_rl.recording.snapshot import save_snapshot
from lifelong_rl.recording.timer import Timer
from lifelong_rl.types import Metrics

KEEP_ALL = RetentionConfig(keep_last=None)
RETRY_SECONDS = (0.5, 1.0, 2.0)  # waits before a snapshot that must not be missed is tried again

_log = logging.getLogger(__name__)


class RunRecorder:
    """`meta` goes into every snapshot beside the counters: what the run is, for those who read the snapshot alone.

    A snapshot that the disk does not take is a warning, and `unsaved` until a later one is taken: training goes on.
    `previous` is the snapshot that the run goes on from: rows that it holds are not written again.
    """

    def __init__(
        self, run_dir: Path, logger: Logger, timer: Timer, progress: Progress, meta: Mapping[str, Any], *,
        retention: RetentionConfig = KEEP_ALL, previous: Path | None = None,
    ) -> None:  # fmt: skip
        self._run_dir, self._logger, self._timer, self._progress = run_dir, logger, timer, progress
        self._meta, self._retention, self._previous = dict(meta), retention, previous
        self.unsaved: DiskError | None = None

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

    def snapshot(self, name: str, parts: Mapping[str, Any], counters: dict[str, Any], *, keep: bool) -> None:
        """A directory in the run's directory; older ones go once it is there, and what an interruption left.

        One to `keep` stays for good; where the disk does not take it, it is tried again a few times.
        """
        with self.timed("snapshot"):
            for seconds in (*RETRY_SECONDS, 0.0) if keep else (0.0,):
                if self._save(name, parts, counters, keep):
                    shutil.rmtree(self._run_dir / INTERRUPTED, ignore_errors=True)
                    delete_superfluous(self._run_dir, self._retention)
                    return
                time.sleep(seconds)

    def interrupted(self, parts: Mapping[str, Any], counters: dict[str, Any]) -> None:
        """What training goes on from if it was stopped between two regular snapshots."""
        self._save(INTERRUPTED, parts, counters, keep=False)

    def _save(self, name: str, parts: Mapping[str, Any], counters: dict[str, Any], keep: bool) -> bool:
        path = self._run_dir / name
        try:
            self._logger.flush_to_disk()
            meta = self._meta | {"counters": counters, "keep": keep}
            save_snapshot(path, dict(parts), meta, self._previous)
        except DiskError as error:
            _log.warning("no snapshot this time, training goes on: %s", error)
            self.unsaved = error
            return False
        self.unsaved, self._previous = None, path
        return True
