"""Means over an epoch, written as one row of `metrics.jsonl` and mirrored to CSV tables and trackers."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.recording.files import flush_to_disk
from lifelong_rl.recording.metrics_file import PLAIN_COLUMNS, CsvTable, Row, append_row, is_offline, read_metrics
from lifelong_rl.recording.trackers.tracker import Tracker, TrackerGroup
from lifelong_rl.types import Metrics

_log = logging.getLogger(__name__)
_FOLD_EVERY = 256  # tensors kept per name before they are added up on their device


class Logger:
    """Collects metrics and writes a row per epoch. Tensors are read once, at `dump`: `record` never waits for a device.

    A logger that was not given an earlier state starts the run's record anew; rows that an earlier attempt
    left behind are kept as `metrics.previous.jsonl`.
    """

    def __init__(self, run_dir: Path, trackers: Sequence[Tracker] = ()) -> None:
        self._path = run_dir / "metrics.jsonl"
        self._tables = {False: CsvTable(run_dir / "progress.csv"), True: CsvTable(run_dir / "offline_progress.csv")}
        self._trackers = TrackerGroup(trackers)
        self._means: dict[str, _Mean] = {}
        self._offset: int | None = None  # bytes of metrics.jsonl that are ours; None before the first row
        self._waiting: list[Row] = []  # rows that the disk did not take yet

    def record(self, name: str, value: Tensor | float) -> None:
        """Adds a number, or a tensor with one element, to the epoch's mean of `name`."""
        if name in PLAIN_COLUMNS:
            raise ValueError(f"metric {name!r}: this column is given to dump(); record under 'area/{name}' instead.")
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"metric {name!r}: expected one number, got a tensor of shape {list(value.shape)}.")
        self._means.setdefault(name, _Mean()).add(value)

    def record_all(self, prefix: str, metrics: Metrics) -> None:
        """Records each metric as `prefix/name`."""
        for name, value in metrics.items():
            self.record(f"{prefix}/{name}", value)

    def dump(self, epoch: int, env_steps: int, updates: int, phase: str) -> Row:
        """Writes and returns the epoch's row, and starts new means."""
        row: Row = {"epoch": epoch, "env_steps": env_steps, "updates": updates, "phase": phase}
        row |= {name: total / count for name, (total, count) in _read(self._means).items()}
        self._means = {}

        self._waiting.append(row)
        try:
            self._write_waiting()
        except OSError as error:
            _log.warning("%s: %d rows wait for the disk: %s", self._path, len(self._waiting), error.strerror or error)
        self._trackers.send()
        return row

    def close(self) -> None:
        """Lets the trackers finish; the files are complete after every row."""
        self._trackers.close()

    def flush_to_disk(self) -> None:
        """The rows written so far survive a power cut."""
        if self._path.exists():
            flush_to_disk(self._path)

    def state_dict(self) -> dict[str, Any]:
        means = {name: mean.state_dict() for name, mean in self._means.items()}
        return {"metrics_bytes": self._offset or 0, "waiting": list(self._waiting), "means": means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Cuts `metrics.jsonl` back to where it was when the state was taken, and rebuilds the CSV tables."""
        offset = state["metrics_bytes"]
        found = self._path.stat().st_size if self._path.exists() else 0
        if found < offset:
            raise ValueError(f"{self._path}: expected at least the snapshot's {offset} bytes, found {found}.")
        self._offset, self._waiting = offset, list(state["waiting"])
        self._cut_back()
        self._means = {name: _Mean.of(saved) for name, saved in state["means"].items()}
        for offline, table in self._tables.items():
            table.rewrite(self._rows(offline=offline))

    def _write_waiting(self) -> None:
        """Row by row; a row is ours once all of it is in the file."""
        if self._offset is None:
            self._start_anew()
        self._cut_back()
        while self._waiting:
            row = self._waiting[0]
            append_row(self._path, row)
            self._offset = self._path.stat().st_size
            del self._waiting[0]
            self._tables[is_offline(row)].append(row, self._rows(offline=is_offline(row)))

    def _cut_back(self) -> None:
        """Drops what follows our rows: those that will be written again, or the half of one that a full disk took."""
        if self._path.exists() and self._path.stat().st_size > (self._offset or 0):
            with self._path.open("r+b") as file:
                file.truncate(self._offset or 0)

    def _start_anew(self) -> None:
        if self._path.exists():
            self._path.replace(self._path.with_name("metrics.previous.jsonl"))
        self._offset = 0
        for table in self._tables.values():
            table.rewrite([])

    def _rows(self, *, offline: bool) -> Iterator[Row]:
        """Read only if it is iterated: a table asks for all rows when its header grows."""
        rows = read_metrics(self._path) if self._path.exists() else []
        yield from (row for row in rows if is_offline(row) == offline)


class _Mean:
    """A sum and a count; the sum's tensor part stays on its device until it is read.

    What a state holds is added up in the same order as if there had been no state: sums agree to the last bit.
    """

    def __init__(self) -> None:
        self.number, self.count = 0.0, 0
        self._pending: list[Tensor] = []

    @classmethod
    def of(cls, state: dict[str, Any]) -> "_Mean":
        mean = cls()
        mean.number, mean.count, mean._pending = state["number"], state["count"], list(state["pending"])
        return mean

    def state_dict(self) -> dict[str, Any]:
        return {"number": self.number, "count": self.count, "pending": list(self._pending)}

    def add(self, value: Tensor | float) -> None:
        self.count += 1
        if isinstance(value, Tensor):
            self._pending.append(value.detach())
            if len(self._pending) == _FOLD_EVERY:
                self._pending = [self.tensor_total()]
        else:
            self.number += float(value)

    def tensor_total(self) -> Tensor:
        """0-d; float64 where the device has it, so that a long epoch loses no digits."""
        values = torch.stack([value.reshape(()) for value in self._pending])
        return values.sum(dtype=torch.float32 if values.device.type == "mps" else torch.float64)

    @property
    def has_tensors(self) -> bool:
        return bool(self._pending)


def _read(means: Mapping[str, _Mean]) -> dict[str, tuple[float, int]]:
    """Total and count of each name, with one transfer from the device for all of them."""
    waiting = {name: mean.tensor_total() for name, mean in means.items() if mean.has_tensors}
    values = torch.stack(list(waiting.values())).tolist() if waiting else []
    tensor_totals = dict(zip(waiting, values, strict=True))
    return {name: (mean.number + tensor_totals.get(name, 0.0), mean.count) for name, mean in means.items()}
