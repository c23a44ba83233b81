"""Two runs are told apart by what they came to, not by when."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.snapshot import save_snapshot
from lifelong_rl.types import RowLog
from scripts.compare_runs import main
from tests.scripts.tiny_snapshots import refusal


def make(run_dir: Path, weight: float = 1.0, loss: float = 0.5, step: int = 3) -> Path:
    """A run of one row and one snapshot."""
    run_dir.mkdir()
    logger = Logger(run_dir)
    logger.record("trainer/loss", loss)
    logger.record("time/epoch_seconds", hash(run_dir) % 100)
    logger.dump(epoch=1, env_steps=8, updates=4, phase="online")
    rows = torch.arange(8.0)
    rows[step] = -1.0
    parts = {
        "agent": {"weight": torch.tensor([weight, 2.0])}, "replay": {"log": RowLog(0, 8, lambda a, b: rows[a:b])},
        "seeds": {"numpy": np.arange(3)}, "timer": {"total_seconds": hash(run_dir) % 100},
    }  # fmt: skip
    counters = dict.fromkeys(("phase", "epoch", "round", "updates", "env_steps"), 1)
    save_snapshot(run_dir / "itr_1", parts, {"counters": counters})
    return run_dir


def test_runs_that_differ_in_their_times_alone_are_the_very_same(tmp_path, capsys):
    assert main([str(make(tmp_path / "a")), str(make(tmp_path / "b"))]) == 0
    assert capsys.readouterr().out == "the very same: rows, weights and stored steps\n"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"weight": 1.0 + 2**-23}, "agent.weight: different."),
        ({"loss": 0.5000000001}, "metrics.jsonl, row 1: trainer/loss is 0.5 and 0.5000000001."),
        ({"step": 4}, "replay.log.2: different."),
    ],
)
def test_a_difference_of_one_bit_is_named(change, place, tmp_path, capsys):
    assert main([str(make(tmp_path / "a")), str(make(tmp_path / "b", **change))]) == 1
    assert place in capsys.readouterr().out


def test_what_is_no_run_or_damaged_is_one_line(tmp_path, capsys):
    run = make(tmp_path / "a")
    assert "nowhere is not a run: it has no metrics.jsonl." in refusal(main, capsys, run, tmp_path / "nowhere")
    shutil.copytree(run, tmp_path / "b")
    (tmp_path / "b" / "itr_1" / "agent.safetensors").write_bytes(b"")
    assert "agent.safetensors: damaged, expected" in refusal(main, capsys, run, tmp_path / "b")
