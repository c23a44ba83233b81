"""The command that sends runs after the fact."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def mirror(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "mirror.py"), *map(str, arguments)]
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Two runs, one of them training, and one that cannot be read."""
    for seed in range(2):
        run_dir = tmp_path / "maze" / f"0a1b2c3d-s{seed}"
        run_dir.mkdir(parents=True)
        rows = [json.dumps({"epoch": i, "updates": 10 * i, "trainer/loss": 1 / i}) for i in range(1, 4 - seed)]
        (run_dir / "metrics.jsonl").write_text("\n".join([*rows, '{"epoch": 3, "upd' if seed else ""]))
    bad = tmp_path / "maze" / "1a1b2c3d-s0"
    bad.mkdir()
    (bad / "metrics.jsonl").write_text("nonsense\n")
    return tmp_path / "maze"


def test_an_experiment_goes_to_tensorboard_and_the_second_time_nothing_does(experiment: Path):
    pytest.importorskip("tensorboard")
    result = mirror(experiment, "--to", "tensorboard")
    runs = [experiment / "0a1b2c3d-s0", experiment / "0a1b2c3d-s1"]
    assert result.stdout == f"{runs[0]}: 3 rows\n{runs[1]}: 2 rows\n"
    bad = experiment / "1a1b2c3d-s0"
    assert result.stderr == f"{bad}: not sent: {bad}/metrics.jsonl, row 1: expected a JSON object with " \
        "a number of 'updates', got b'nonsense'.\n"  # fmt: skip
    assert result.returncode == 1
    assert len(list(experiment.glob("*/tensorboard/events*"))) == 2

    result = mirror(*runs, runs[0], "--to", "tensorboard")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{runs[0]}: nothing new\n{runs[1]}: nothing new\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--to", "tensorboard", "--snapshot"], "--project and --snapshot go with --to wandb."),
        (["--to", "mlflow"], "--to: invalid choice: 'mlflow' (choose from 'wandb', 'tensorboard')"),
        (["--to", "tensorboard"], "no run with a metrics.jsonl in {}."),
    ],
)
def test_a_wrong_command_is_one_line(tmp_path: Path, words: list[str], line: str):
    result = mirror(tmp_path, *words)
    assert (result.returncode, result.stderr) == (2, line.format(tmp_path) + "\n")


@pytest.mark.engines
def test_runs_go_to_wandb_with_their_newest_snapshot(experiment: Path):
    pytest.importorskip("wandb")
    from lifelong_rl.recording.snapshot import save_snapshot

    run_dir = experiment / "0a1b2c3d-s0"
    save_snapshot(run_dir / "itr_3", {"agent": {"weight": 1.5}}, {"counters": {}})
    words = [run_dir, "--to", "wandb", "--project", "maze", "--snapshot"]
    result = mirror(*words, WANDB_MODE="offline", HOME=str(experiment))
    assert result.stdout.endswith("3 rows, 1 snapshot\n"), result.stderr
    (recorded,) = run_dir.glob("wandb/offline-run-*/run-*.wandb")
    assert b"itr_3/agent.json" in recorded.read_bytes()
    result = mirror(*words, WANDB_MODE="offline", HOME=str(experiment))
    assert (result.returncode, result.stdout) == (0, f"{run_dir}: nothing new\n")
