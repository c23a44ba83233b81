"""Reads the same columns of many runs at once: on all cores where there is much to read."""

import multiprocessing
import os
import signal
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
RUNS_AT_ONCE = 8
Watch = Callable[[int], None]


class Reader:
    """Fills runs' metrics, and keeps its processes, which start when they are first worth it, until `close`."""

    def __init__(self) -> None:
        self._num_processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def read(self, runs: Sequence[Run], names: Sequence[str], watch: Watch = lambda count: None) -> None:
        """What was read before is not read again. `watch` is told how many runs have been read."""
        unread = [run for run in runs if run.metrics.lacks(names)]
        if self._num_processes > 1 and _bytes_of(unread) > WORTH_PROCESSES:
            self._read_aside([run for run in unread if (run.directory / ROWS).exists()], names, watch)
        for number, run in enumerate(unread, 1):  # what is damaged or has tables only, too
            run.metrics.numbers(names)
            watch(number)

    def _read_aside(self, runs: Sequence[Run], names: Sequence[str], watch: Watch) -> None:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._num_processes, context, _end_with, (os.getpid(),))
        paths = [run.directory / ROWS for run in runs]
        found = self._pool.map(read_if_whole, paths, [run.metrics.lacks(names) for run in runs], chunksize=RUNS_AT_ONCE)
        for number, (run, numbers) in enumerate(zip(runs, found, strict=True), 1):
            if numbers is not None:
                run.metrics.keep(numbers)
            watch(number)

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
