"""Reads the same columns of many runs at once: on all cores where there is much to read."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from experiment_utils.results import jsonl
from experiment_utils.results.metrics import ROWS
from experiment_utils.results.runs import Run
from experiment_utils.results.types import Floats

WORTH_PROCESSES = 200 << 20  # bytes; less is read before other processes have started
RUNS_AT_ONCE = 16
Watch = Callable[[int], None]


class Reader:
    """Fills runs' metrics, and keeps its processes, which start when they are first worth it, until `close`."""

    def __init__(self) -> None:
        self._num_processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def expect(self, runs: Sequence[Run]) -> None:
        """Starts the processes now, if reading these will be worth it."""
        if self._pool is None and self._is_worth_processes(runs):
            is_alone = sys.platform == "linux" and threading.active_count() == 1  # else a fork may copy a held lock
            context = multiprocessing.get_context("fork" if is_alone else "spawn")
            self._pool = ProcessPoolExecutor(self._num_processes, context, _end_with, (os.getpid(),))
            self._pool.submit(os.getpid)

    def read(self, runs: Sequence[Run], names: Sequence[str], watch: Watch = lambda count: None) -> None:
        """What was read before is not read again. `watch` is told how many runs have been read."""
        unread = [run for run in runs if run.metrics.lacks(names)]
        if self._pool is not None or self._is_worth_processes(unread):
            self.expect(unread)
            self._read_aside([run for run in unread if (run.directory / ROWS).exists()], names, watch)
        for number, run in enumerate(unread, 1):  # what is damaged or has tables only, too
            run.metrics.numbers(names)
            watch(number)

    def _read_aside(self, runs: Sequence[Run], names: Sequence[str], watch: Watch) -> None:
        assert self._pool is not None
        paths = [run.directory / ROWS for run in runs]
        found = self._pool.map(read_if_whole, paths, [run.metrics.lacks(names) for run in runs], chunksize=RUNS_AT_ONCE)
        for number, (run, numbers) in enumerate(zip(runs, found, strict=True), 1):
            if numbers is not None:
                run.metrics.keep(numbers)
            watch(number)

    def _is_worth_processes(self, runs: Sequence[Run]) -> bool:
        return self._num_processes > 1 and _bytes_of(runs) > WORTH_PROCESSES

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _end_with(parent: int) -> None:
    """A reading process leaves Ctrl-C to its parent, and does not outlive it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def read_if_whole(path: Path, names: Sequence[str]) -> dict[str, Floats] | None:
    """In another process; None of a file that is damaged."""
    try:
        return jsonl.read_numbers(path, names)
    except (OSError, ValueError):
        return None


def _bytes_of(runs: Sequence[Run]) -> int:
    paths = (run.directory / ROWS for run in runs)
    return sum(path.stat().st_size for path in paths if path.exists())
