"""Which snapshot a run goes on from and scripts look at: the one that training came farthest in, if it is whole."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.snapshot import Snapshot, list_snapshots, load_snapshot, read_meta, verify_snapshot

INTERRUPTED = "interrupted"  # the name of the snapshot that a signal to stop leaves
_COUNTERS = ("phase", "epoch", "round", "updates", "env_steps")

Found = TypeVar("Found")


def snapshots_of(run_dir: Path) -> list[Path]:
    """Farthest first by their counters, the one that an interruption left included. Files are not verified."""
    found = list_snapshots(run_dir)
    if any(next(run_dir.glob(f"{name}/manifest.json"), None) for name in (INTERRUPTED, f".{INTERRUPTED}.old-*")):
        found.append(run_dir / INTERRUPTED)
    return sorted(found, key=_progress_of, reverse=True)


def newest_snapshot(run_dir: Path) -> Path | None:
    """None where there is no snapshot. A damaged one is passed over, with a line that says why, if there is another."""
    newest = _first_whole(run_dir, verify_snapshot)
    return None if newest is None else newest[0]


def load_newest(run_dir: Path) -> tuple[Path, Snapshot] | None:
    """The newest one that can be read to its end; see `newest_snapshot`."""
    return _first_whole(run_dir, load_snapshot)


def _first_whole(run_dir: Path, attempt: Callable[[Path], Found]) -> tuple[Path, Found] | None:
    damaged: list[SnapshotError] = []
    for path in snapshots_of(run_dir):
        try:
            found = attempt(path)
        except SnapshotError as error:
            damaged.append(error)
            continue
        for problem in damaged:
            print(f"passed over: {problem}")
        return path, found
    if damaged:
        raise damaged[0]
    return None


def _progress_of(snapshot: Path) -> tuple[int, ...]:
    try:
        counters = read_meta(snapshot)["counters"]
        return tuple(int(counters[name]) for name in _COUNTERS)
    except (SnapshotError, ValueError, KeyError, TypeError):
        return (sys.maxsize,)  # damaged: to be named, not forgotten
