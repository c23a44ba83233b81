"""Which snapshot a run goes on from and scripts look at: the one that training came farthest in, if it is whole."""

import json
import sys
from pathlib import Path

from lifelong_rl.recording.snapshot import list_snapshots, verify_snapshot
from lifelong_rl.recording.state_tree import SnapshotError

INTERRUPTED = "interrupted"  # the name of what Ctrl-C leaves


def snapshots_of(run_dir: Path) -> list[Path]:
    """Farthest first by their counters, the one that Ctrl-C left included. Files are not verified."""
    found = list_snapshots(run_dir)
    if any(next(run_dir.glob(f"{name}/manifest.json"), None) for name in (INTERRUPTED, f".{INTERRUPTED}.old-*")):
        found.append(run_dir / INTERRUPTED)
    return sorted(found, key=_progress_of, reverse=True)


def newest_snapshot(run_dir: Path) -> Path | None:
    """None where there is no snapshot. A damaged one is passed over, with a line that says why, if there is another."""
    damaged: list[SnapshotError] = []
    for path in snapshots_of(run_dir):
        try:
            verify_snapshot(path)
        except SnapshotError as error:
            damaged.append(error)
            continue
        for problem in damaged:
            print(f"passed over: {problem}")
        return path
    if damaged:
        raise damaged[0]
    return None


def _progress_of(snapshot: Path) -> tuple[int, int, int]:
    try:
        counters = json.loads((snapshot / "meta.json").read_bytes())["counters"]
        return counters["phase"], counters["epoch"], counters["updates"]
    except (OSError, ValueError, KeyError, TypeError):
        return sys.maxsize, 0, 0  # damaged: to be named, not forgotten
