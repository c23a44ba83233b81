"""Old snapshots go, but only those that nobody wants, and only once a newer one is there."""

from pathlib import Path

import pytest

from benchmarks.torture_disk import disk_full_after
from lifelong_rl.recording import run_recorder
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.newest import INTERRUPTED
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.retention import RetentionConfig, delete_superfluous
from lifelong_rl.recording.run_recorder import RunRecorder
from lifelong_rl.recording.snapshot import list_snapshots, load_snapshot, save_snapshot
from lifelong_rl.recording.timer import Timer


def counters(epoch: int, phase: int = 0) -> dict[str, int]:
    return {"phase": phase, "epoch": epoch, "round": 0, "updates": epoch, "env_steps": 0}


def recorder(run_dir: Path, config: RetentionConfig) -> RunRecorder:
    return RunRecorder(run_dir, Logger(run_dir), Timer(), Progress(1), {}, retention=config)


def names(run_dir: Path) -> list[str]:
    return [path.name for path in list_snapshots(run_dir)]


def test_the_last_few_every_mth_and_the_end_of_each_phase_stay(tmp_path: Path):
    record = recorder(tmp_path, RetentionConfig(keep_last=2, keep_every=4))
    for epoch in range(1, 6):
        record.snapshot(f"offline_itr_{epoch}", {}, counters(epoch), keep=epoch == 5)
    for epoch in range(1, 8):
        record.snapshot(f"itr_{epoch}", {}, counters(epoch, phase=1), keep=False)
    assert names(tmp_path) == ["itr_7", "itr_6", "itr_4", "offline_itr_5", "offline_itr_4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names(tmp_path))  # nothing half deleted


def test_without_a_limit_all_stay(tmp_path: Path):
    record = recorder(tmp_path, RetentionConfig(keep_last=None))
    for epoch in range(1, 9):
        record.snapshot(f"itr_{epoch}", {}, counters(epoch), keep=False)
    assert len(names(tmp_path)) == 8


def test_what_an_interruption_left_is_not_counted_and_goes_with_the_next_regular_one(tmp_path: Path):
    record = recorder(tmp_path, RetentionConfig(keep_last=1, keep_every=0))
    record.snapshot("itr_1", {}, counters(1), keep=False)
    record.interrupted({}, counters(1))
    delete_superfluous(tmp_path, RetentionConfig(keep_last=1, keep_every=0))
    assert names(tmp_path) == ["itr_1"] and load_snapshot(tmp_path / INTERRUPTED).meta["counters"]["epoch"] == 1
    record.snapshot("itr_2", {}, counters(2), keep=False)
    assert names(tmp_path) == ["itr_2"] and not (tmp_path / INTERRUPTED).exists()


def test_a_damaged_snapshot_does_not_stand_in_the_way(tmp_path: Path):
    for epoch in (1, 2, 3):
        save_snapshot(tmp_path / f"itr_{epoch}", {}, {"counters": counters(epoch), "keep": False})
    (tmp_path / "itr_1" / "meta.json").write_text("{")
    delete_superfluous(tmp_path, RetentionConfig(keep_last=2, keep_every=0))
    assert "itr_3" in names(tmp_path) and "itr_2" not in names(tmp_path)


def test_a_disk_that_fails_deletes_nothing_and_training_goes_on(tmp_path: Path, caplog, monkeypatch):
    monkeypatch.setattr(run_recorder, "RETRY_SECONDS", (0.0, 0.0, 0.0))
    record = recorder(tmp_path, RetentionConfig(keep_last=1, keep_every=0))
    record.snapshot("itr_1", {}, counters(1), keep=False)
    with disk_full_after(100):
        record.snapshot("itr_2", {}, counters(2), keep=True)  # tried four times
    assert caplog.text.count("no snapshot this time") == 4
    assert record.unsaved is not None and "itr_2" in str(record.unsaved) and "bytes needed" in caplog.text
    assert names(tmp_path) == ["itr_1"]

    record.snapshot("itr_3", {}, counters(3), keep=False)
    assert record.unsaved is None and names(tmp_path) == ["itr_3"]


@pytest.mark.parametrize("values", [{"keep_last": 0}, {"keep_every": -1}])
def test_numbers_that_make_no_sense_are_refused(values):
    with pytest.raises(ValueError, match=f"{next(iter(values))} must .* got {next(iter(values.values()))}"):
        RetentionConfig(**values)
