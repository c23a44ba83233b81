"""Whether two runs came to the very same: their tables but for the clock, and the last snapshot to the last bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from lifelong_rl.recording.metrics_file import Row, read_metrics
from lifelong_rl.recording.newest import snapshots_of
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.types import RowLog

CLOCKS = ("timer", "logger")  # parts in which times stand


def run_differences(one: Path, other: Path) -> Iterator[str]:
    """A line for each difference between two run directories; none where they are equal."""
    yield from _row_differences(one, other)
    for table in ("progress.csv", "offline_progress.csv"):
        if _table(one / table) != _table(other / table):
            yield f"{table}: different, times aside."
    newest, others = snapshots_of(one)[:1], snapshots_of(other)[:1]
    if [path.name for path in newest] != [path.name for path in others]:
        yield f"newest snapshots: {newest} and {others}."
    elif newest:
        yield from snapshot_differences(newest[0], others[0])


def snapshot_differences(one: Path, other: Path) -> Iterator[str]:
    """A line for each value of any part that differs, clocks aside; verifies both snapshots first."""
    ours, theirs = (dict(_leaves(load_snapshot(path).parts, "")) for path in (one, other))
    for path in dict.fromkeys([*ours, *theirs]):
        if path not in ours or path not in theirs:
            yield f"{path}: only in {one if path in ours else other}."
        elif ours[path] != theirs[path]:
            yield f"{path}: different."


def _row_differences(one: Path, other: Path) -> Iterator[str]:
    ours, theirs = (read_metrics(path / "metrics.jsonl") for path in (one, other))
    if len(ours) != len(theirs):
        yield f"metrics.jsonl: {len(ours)} and {len(theirs)} rows."
    for number, (row, match) in enumerate(zip(ours, theirs, strict=False), 1):
        row, match = _without_times(row), _without_times(match)
        for key in dict.fromkeys([*row, *match]):
            if repr(row.get(key)) != repr(match.get(key)):
                yield f"metrics.jsonl, row {number}: {key} is {row.get(key)} and {match.get(key)}."


def _without_times(row: Row) -> Row:
    return {key: value for key, value in row.items() if not key.startswith("time/")}


def _table(path: Path) -> list[list[str]] | None:
    """Its cells as they stand in the file, without the columns of times."""
    if not path.exists():
        return None
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [index for index, name in enumerate(rows[0]) if not name.startswith("time/")]
    return [[row[index] for index in kept] for row in rows]


def _leaves(state: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value under its path; tensors and arrays as type, shape and bytes."""
    if isinstance(state, RowLog):
        state = [state.first, state.last, *([state.read(state.first, state.last)] if state.first < state.last else [])]
    if isinstance(state, Tensor):
        state = state.numpy()
    if isinstance(state, np.ndarray):
        yield path, (state.dtype.str, state.shape, state.tobytes())
    elif isinstance(state, dict | list | tuple):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            if path or key not in CLOCKS:
                yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, repr(state)
