"""Rows that only grow are written once, and every snapshot of them is whole by itself."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lifelong_rl.recording import files
from lifelong_rl.recording.errors import DiskError
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.types import RowLog


def rows_of(last: int, first: int = 0) -> dict[str, Any]:
    """A part whose log has rows [first, last) of 100 kB each: 20 of them to a file."""
    return {"store": {"log": RowLog(first, last, lambda a, b: torch.arange(a, b)[:, None].expand(-1, 12_500) * 1)}}


def test_rows_that_an_earlier_snapshot_has_are_linked_and_not_written_again(tmp_path: Path):
    first, second = tmp_path / "itr_1", tmp_path / "itr_2"
    save_snapshot(first, rows_of(50), {})
    save_snapshot(second, rows_of(110), {}, previous=first)

    full = {f"store.0.rows-{start}-{start + 20}.npy" for start in (0, 20)}
    shared = {path.name for path in second.iterdir() if path.stat().st_nlink == 2}
    assert shared == full  # the third stretch was not full yet
    written = sum(path.stat().st_size for path in second.iterdir() if path.name not in shared)
    assert 7.0e6 < written < 7.1e6  # rows 40 to 110
    shutil.rmtree(first)
    log = load_snapshot(second).parts["store"]["log"]
    assert (log.first, log.last) == (0, 110) and log.read(15, 95)[:, 7].tolist() == list(range(15, 95))


def test_rows_that_the_ring_has_lost_are_in_no_later_snapshot(tmp_path: Path):
    save_snapshot(tmp_path / "itr_1", rows_of(60), {})
    save_snapshot(tmp_path / "itr_2", rows_of(90, first=30), {}, previous=tmp_path / "itr_1")
    log = load_snapshot(tmp_path / "itr_2").parts["store"]["log"]
    assert (log.first, log.last) == (30, 90) and log.read(30, 90)[:, 0].tolist() == list(range(30, 90))
    assert (tmp_path / "itr_2" / "store.0.rows-40-60.npy").stat().st_nlink == 2
    assert (tmp_path / "itr_2" / "store.0.rows-30-40.npy").stat().st_nlink == 1


def test_a_damaged_earlier_snapshot_lends_nothing(tmp_path: Path):
    save_snapshot(tmp_path / "itr_1", rows_of(60), {})
    (tmp_path / "itr_1" / "store.0.rows-0-20.npy").write_bytes(b"short")
    save_snapshot(tmp_path / "itr_2", rows_of(90), {}, previous=tmp_path / "itr_1")
    assert load_snapshot(tmp_path / "itr_2").parts["store"]["log"].read(0, 20)[:, 0].tolist() == list(range(20))


def test_without_room_nothing_is_written_and_both_numbers_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DiskError, match=r"the disk is full: \d{7} bytes needed, 1000 free\.$"):
        save_snapshot(tmp_path / "itr_1", rows_of(20), {})
    assert list(tmp_path.iterdir()) == []
