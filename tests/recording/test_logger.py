"""Rows: what is recorded in an epoch, and what the files say afterwards."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.metrics_file import read_metrics
from lifelong_rl.types import Metrics


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def epochs(logger: Logger, first: int, last: int) -> None:
    for epoch in range(first, last):
        logger.record_all("trainer", {"loss": torch.tensor(float(epoch)), "rate": 0.1})
        logger.dump(epoch=epoch, env_steps=epoch * 10, updates=epoch, phase="online")


def test_a_row_holds_the_epochs_means_of_floats_and_tensors(tmp_path: Path):
    logger = Logger(tmp_path)
    for value in (1.0, 2.0, 6.0):
        logger.record_all("trainer", {"loss": torch.tensor(value, requires_grad=True), "rate": value / 2})
    row = logger.dump(epoch=1, env_steps=5, updates=3, phase="online")

    expected = {"epoch": 1, "env_steps": 5, "updates": 3, "phase": "online", "trainer/loss": 3.0, "trainer/rate": 1.5}
    assert row == expected
    assert read_metrics(tmp_path / "metrics.jsonl") == [expected]


def test_means_of_long_epochs_are_exact_and_the_next_epoch_starts_anew(tmp_path: Path):
    logger = Logger(tmp_path)
    for value in range(1000):
        logger.record("trainer/loss", torch.tensor(16_000_000.0 + value))
    assert logger.dump(1, 1, 1000, "online")["trainer/loss"] == 16_000_499.5
    logger.record("trainer/loss", 2.0)
    assert logger.dump(2, 1, 1000, "online")["trainer/loss"] == 2.0


def test_a_key_that_first_appears_in_row_500_loses_no_row_and_shifts_no_column(tmp_path: Path):
    logger = Logger(tmp_path)
    for epoch in range(600):
        logger.record("trainer/loss", float(epoch))
        metrics: Metrics = {"late": epoch / 2} if epoch >= 500 else {}
        logger.record_all("evaluation", metrics)
        logger.dump(epoch, epoch + 1, epoch, "online")

    rows = table(tmp_path / "progress.csv")
    assert [float(row["trainer/loss"]) for row in rows] == list(range(600))
    assert [row["evaluation/late"] for row in rows[:500]] == [""] * 500
    assert [float(row["evaluation/late"]) for row in rows[500:]] == [epoch / 2 for epoch in range(500, 600)]


def test_a_key_that_goes_away_leaves_an_empty_cell(tmp_path: Path):
    logger = Logger(tmp_path)
    logger.record("evaluation/b", 1.0)
    logger.record("trainer/a", 2.0)
    logger.dump(1, 1, 1, "online")
    logger.record("trainer/a", 3.0)
    logger.dump(2, 2, 2, "online")
    assert [(row["evaluation/b"], row["trainer/a"]) for row in table(tmp_path / "progress.csv")] == [
        ("1.0", "2.0"),
        ("", "3.0"),
    ]


def test_offline_rows_have_a_table_of_their_own_and_say_their_phase(tmp_path: Path):
    logger = Logger(tmp_path)
    logger.dump(1, 0, 100, "offline")
    logger.dump(2, 0, 200, "pretraining")
    logger.dump(1, 500, 300, "online")

    assert [row["phase"] for row in table(tmp_path / "offline_progress.csv")] == ["offline", "pretraining"]
    assert [row["phase"] for row in table(tmp_path / "progress.csv")] == ["online"]
    assert [row["phase"] for row in read_metrics(tmp_path / "metrics.jsonl")] == ["offline", "pretraining", "online"]


def test_values_that_are_not_finite_are_written_as_such(tmp_path: Path):
    logger = Logger(tmp_path)
    logger.record("trainer/loss", torch.tensor(math.nan))
    logger.record("trainer/peak", math.inf)
    logger.dump(1, 1, 1, "online")

    (row,) = read_metrics(tmp_path / "metrics.jsonl")
    assert math.isnan(row["trainer/loss"])
    assert row["trainer/peak"] == math.inf
    assert table(tmp_path / "progress.csv")[0]["trainer/loss"] == "nan"


def test_commas_in_names_do_not_shift_columns(tmp_path: Path):
    logger = Logger(tmp_path)
    logger.record("evaluation/goal 1,2/success_rate", 0.5)
    logger.dump(1, 1, 1, "fast, online")
    (row,) = table(tmp_path / "progress.csv")
    assert row["evaluation/goal 1,2/success_rate"] == "0.5"
    assert row["phase"] == "fast, online"


def test_a_run_that_goes_on_from_a_state_ends_with_the_files_of_one_that_never_stopped(tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    epochs(Logger(whole), 1, 9)

    first = Logger(cut)
    epochs(first, 1, 4)
    state = json.loads(json.dumps(first.state_dict()))
    epochs(first, 4, 6)
    with (cut / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 6, "env_st')  # killed while it wrote
    second = Logger(cut)
    second.load_state_dict(state)
    epochs(second, 4, 9)

    for name in ("metrics.jsonl", "progress.csv"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_means_of_an_unfinished_epoch_live_through_a_state(tmp_path: Path):
    first = Logger(tmp_path)
    first.record("trainer/loss", torch.tensor(1.0))
    second = Logger(tmp_path)
    second.load_state_dict(first.state_dict())
    second.record("trainer/loss", 5.0)
    assert second.dump(1, 1, 1, "online")["trainer/loss"] == 3.0


def test_a_state_that_is_ahead_of_its_file_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"metrics\.jsonl: expected at least the snapshot's 100 bytes, found 0\."):
        Logger(tmp_path).load_state_dict({"metrics_bytes": 100, "means": {}})


def test_a_run_that_starts_anew_keeps_the_rows_of_the_attempt_before_apart(tmp_path: Path):
    epochs(Logger(tmp_path), 1, 4)
    epochs(Logger(tmp_path), 1, 3)
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == len(table(tmp_path / "progress.csv")) == 2
    assert len(read_metrics(tmp_path / "metrics.previous.jsonl")) == 3


def test_what_is_not_one_number_is_refused_by_name(tmp_path: Path):
    logger = Logger(tmp_path)
    with pytest.raises(ValueError, match=r"metric 'trainer/q': expected one number, got a tensor of shape \[3\]\."):
        logger.record("trainer/q", torch.zeros(3))
    with pytest.raises(ValueError, match="metric 'epoch': this column is given to dump"):
        logger.record("epoch", 3.0)


def test_a_last_line_that_is_being_written_is_left_out_and_a_bad_one_before_it_is_named(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2')
    assert read_metrics(path) == [{"epoch": 1}]
    path.write_text('{"epoch": 1}\n{"epoch": \n{"epoch": 3}\n')
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 2: expected a JSON object, got"):
        read_metrics(path)
