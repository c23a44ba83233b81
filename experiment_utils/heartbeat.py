"""A job that lives says so: it touches `HEARTBEAT` in its run directory, from a thread."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from experiment_utils import ledger

SECONDS = 30.0
LEDGER_BEATS = 10  # one beat in so many is a line of the ledger as well
NAME = "HEARTBEAT"


@contextlib.contextmanager
def beating(run_dir: Path, seconds: float = SECONDS) -> Iterator[None]:
    """Beats at once, then every so often, until the block is left."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run_dir, seconds, ended), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def is_fresh(run_dir: Path, seconds: float = SECONDS) -> bool:
    """Whether the last beat is younger than three of them.

    Both times are the file system's: a probe is touched and compared, so that hosts' clocks may differ, and jump.
    """
    probe = run_dir / f".probe-{os.getpid()}"
    try:
        probe.touch()
        return probe.stat().st_mtime - (run_dir / NAME).stat().st_mtime < 3 * seconds
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)


def _beat(run_dir: Path, seconds: float, ended: threading.Event) -> None:
    count = 0
    while True:
        with contextlib.suppress(OSError):  # a full disk, a folder that is away for a moment
            (run_dir / NAME).touch()
        if count and count % LEDGER_BEATS == 0:
            ledger.record(run_dir, "heartbeat", count=count)
        count += 1
        if ended.wait(seconds):
            return
