"""Launchers share out the machine."""

import re
from pathlib import Path

import pytest

from experiment_utils.launchers import LAUNCHERS
from experiment_utils.launchers.launcher import Resources
from experiment_utils.run_directory import RunDirectory
from lifelong_rl.config import resolve


def make_runs(folder, num_runs):
    runs = [RunDirectory(folder / f"run-s{seed}") for seed in range(num_runs)]
    for seed, run in enumerate(runs):
        run.write("variant.json", {"seed": seed})
        run.write("run.json", {"config_module": "tiny_experiment"})
        run.write_status("queued")
    return runs


@pytest.fixture
def tiny_experiment_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    for variable in ("CUDA_VISIBLE_DEVICES", "OMP_WAIT_POLICY", "OMP_NUM_THREADS"):
        monkeypatch.setenv(variable, "0")  # so that what a launcher sets is undone


@pytest.mark.parametrize("name", LAUNCHERS)
@pytest.mark.usefixtures("tiny_experiment_on_the_path")
def test_every_launcher_finishes_every_run(name, tmp_path):
    runs = make_runs(tmp_path, 2)
    assert resolve(LAUNCHERS[name])(Resources()).submit([run.path for run in runs]) == 0
    assert [run.status.state for run in runs] == ["finished", "finished"]


@pytest.mark.usefixtures("tiny_experiment_on_the_path")
def test_local_runs_share_the_gpus_and_no_other_is_used(tmp_path):
    runs = make_runs(tmp_path, 4)
    resolve(LAUNCHERS["local"])(Resources(gpus=("3", "5"), exps_per_gpu=2)).submit([run.path for run in runs])

    used = [re.search(r"GPU (\S+)", (run.path / "stdout.log").read_text())[1] for run in runs]
    assert sorted(used) == ["3", "3", "5", "5"]


def test_without_gpus_one_run_goes_on_at_a_time():
    assert Resources().slots == (None,)
    assert Resources(gpus=("0", "1"), exps_per_gpu=2).slots == ("0", "1", "0", "1")
