"""A seeded part of what `make torture` does to disks and files: the last good snapshot loads, the bad file is named."""

import errno
import os
import random
from pathlib import Path

import pytest

from benchmarks.torture_disk import cuts, damaged, failing_writes, flips, save
from lifelong_rl.recording import logger as logger_module
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.metrics_file import append_row, read_metrics


def test_a_write_that_fails_at_any_byte_leaves_the_snapshot_before(tmp_path: Path):
    assert failing_writes(tmp_path, 25) == 25


def test_a_newest_snapshot_that_was_cut_short_is_named_and_the_one_before_taken(tmp_path: Path):
    save(tmp_path, 1)
    newest = save(tmp_path, 2)
    assert damaged(tmp_path, cuts(newest, 20, random.Random(1)), newest) == (20, 20)


def test_a_single_bit_in_any_file_is_found_and_its_file_named(tmp_path: Path):
    save(tmp_path, 1)
    newest = save(tmp_path, 2)
    total, named = damaged(tmp_path, flips(newest, random.Random(2)), newest)
    assert total == named == len(list(newest.iterdir()))


def test_rows_that_a_full_disk_did_not_take_are_written_later_and_none_twice(tmp_path: Path, caplog):
    def dump(epoch: int) -> None:
        log.record("trainer/loss", float(epoch))
        log.dump(epoch=epoch, env_steps=1, updates=epoch, phase="online")

    def half_a_row(path: Path, row: dict) -> None:
        with path.open("a") as file:
            file.write('{"epoch": ')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = Logger(tmp_path)
    dump(1)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(logger_module, "append_row", half_a_row)
        dump(2)
        dump(3)
    assert "2 rows wait for the disk: No space left on device" in caplog.text
    state = log.state_dict()
    dump(4)
    assert [row["epoch"] for row in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2, 3, 4]
    assert [line.split(",")[0] for line in (tmp_path / "progress.csv").read_text().splitlines()[1:]] == list("1234")

    again = Logger(tmp_path)  # a run that goes on from a snapshot of when rows waited
    again.load_state_dict(state)
    append_row(tmp_path / "metrics.jsonl", {"epoch": "of nobody"})
    again.dump(epoch=4, env_steps=1, updates=4, phase="online")
    assert [row["epoch"] for row in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2, 3, 4]
