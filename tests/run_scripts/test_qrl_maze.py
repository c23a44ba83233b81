"""The main job, from its command line to its files, at a size that takes seconds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiment_utils.flags import Script
from experiment_utils.launch import run_command
from run_scripts import qrl_maze
from tests.source_tree import ROOT

NETWORK = (
    "{encoder_sizes: [16], latent_size: 8, projector_sizes: [16], projector_size: 16, dynamics_sizes: [16],"
    " energy: {name: iqe, components: 4}}"
)
PHASES = (
    "[{name: offline, num_epochs: 1, updates_per_round: 5},"
    " {name: online, num_epochs: 1, env_steps_per_round: 40, updates_per_round: 5, offline_fraction: 0.5}]"
)


def run_script(*words: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "run_scripts/qrl_maze.py"), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def settings(folder: Path) -> list[str]:
    values = {
        "agent.network": NETWORK, "agent.actor.hidden_sizes": "[16]", "agent.critic": "{}", "phases": PHASES,
        "dataset.path": folder / "umaze.hdf5", "dataset.num_transitions": 2000, "sampler.batch_size": 16,
        "evaluation.num_episodes": 4, "task.horizon": 30, "replay_capacity": 1000,
    }  # fmt: skip
    return [word for path, value in values.items() for word in ("-s", f"{path}={value}")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    folder = tmp_path_factory.mktemp("work")
    return folder, run_script(*settings(folder), "--exp_name", "tiny", folder=folder)


def run_of(folder: Path) -> Path:
    (run,) = [path for path in (folder / "data/tiny").iterdir() if (path / "variant.json").exists()]
    return run


def test_one_command_generates_pretrains_fine_tunes_and_says_what_it_reached(finished):
    folder, result = finished
    assert result.returncode == 0, result.stderr
    assert (folder / "umaze.hdf5").exists()
    for line in ("generating", "epoch 1/2", "epoch 2/2", "ours", "controller", "random", "finished: "):
        assert line in result.stdout


def test_a_run_directory_holds_all_that_was_promised(finished):
    run = run_of(finished[0])
    assert re.search(r"[0-9a-f]{8}-s0$", run.name)
    files = {path.name for path in run.iterdir()}
    assert {"variant.json", "run.json", "status.json", "stdout.log", "metrics.jsonl"} <= files
    assert {"progress.csv", "offline_progress.csv", "offline_itr_1", "itr_1"} <= files
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
    variant = json.loads((run / "variant.json").read_text())
    assert variant["agent"]["network"]["latent_size"] == 8 and variant["phases"][1]["offline_fraction"] == 0.5
    assert "epoch 2/2" in (run / "stdout.log").read_text()


def test_the_same_command_again_finds_nothing_left_to_do(finished):
    folder, _ = finished
    before = (run_of(folder) / "metrics.jsonl").read_bytes()
    result = run_script(*settings(folder), "--exp_name", "tiny", folder=folder)
    assert result.returncode == 0 and "skipped, already finished" in result.stdout
    assert (run_of(folder) / "metrics.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-s", "agent.num_critic=2"], "Did you mean 'num_critics'?"),
        (["--presett", "paper"], "unknown flag '--presett'. Did you mean '--preset'?"),
        (["-s", "task.name=maze2d-umase-v1"], "Did you mean 'maze2d-umaze-v1'?"),
        (
            ["-s", "agent.network.energy.components=7"],
            "iqe.components must divide the input size 256, got 7. Nearest: 8",
        ),
        (["-s", "phases.7.num_epochs=3"], "variant.phases has 2 elements, so there is no variant.phases.7."),
        (["--seeds", "a,b"], "--seeds: expected whole numbers from 0 up with commas between, got 'a,b'"),
        (["-s", "device=gpu"], "variant: device must be 'cpu', 'cuda' or 'cuda:N', got 'gpu'."),
        (["-s", "sampler.batch_size=0"], "variant.sampler: batch_size 0 and n_step "),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_right_answer_and_nothing_is_written(
    words, complaint, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run_command(Script(variant=qrl_maze.variant, exp_name="qrl-maze"), words) == 2
    said = capsys.readouterr().err
    assert complaint in said and len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("dataset.path", "notes.hdf5", "notes.hdf5: neither HDF5 nor npz"),
        ("dataset.path", "ant.npz", "ant.npz: 'observations' has shape (9, 29); expected (9, 4)."),
        ("initialize_from", "data/old/itr_2", "data/old/itr_2: no such snapshot."),
    ],
)
def test_a_file_that_a_run_cannot_use_is_one_line_without_a_traceback(
    path, value, complaint, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.hdf5").write_text("not a dataset")
    np.savez("ant.npz", observations=np.zeros((9, 29)), actions=np.zeros((9, 8)), timeouts=np.arange(9) == 8)
    words = [*settings(tmp_path), "-s", f"{path}={value}"]
    assert run_command(Script(variant=qrl_maze.variant, exp_name="tiny"), words) == 2
    said = capsys.readouterr().err
    assert complaint in said and len(said.splitlines()) == 1 and said.startswith("failed: data/tiny/")
    assert json.loads((run_of(tmp_path) / "status.json").read_text())["state"] == "failed"
