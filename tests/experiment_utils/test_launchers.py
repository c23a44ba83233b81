"""Engines finish runs, share out the machine, and say beforehand what they would do."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_utils.launchers import LAUNCHERS, launcher_of
from experiment_utils.launchers.options import OF_MODE, Options
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import read_submission, submission_of, submissions
from lifelong_rl.config import ConfigError
from tests.source_tree import ROOT


def make_runs(folder: Path, num_runs: int) -> list[RunDirectory]:
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


@pytest.mark.parametrize("mode", ["here", "local"])
@pytest.mark.usefixtures("tiny_experiment_on_the_path")
def test_engines_that_need_nothing_installed_finish_every_run(mode, tmp_path):
    runs = make_runs(tmp_path, 2)
    paths = [run.path for run in runs]
    submission = submission_of(tmp_path, mode, Options(), paths)
    assert launcher_of(mode, Options()).submit(paths, submission) == 0
    assert [run.status.state for run in runs] == ["finished", "finished"]


GPU_RUNS = """
import sys
from pathlib import Path
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.ray_pool import MultiGpuLauncher
from experiment_utils.submissions import submission_of

paths, options = [Path(word) for word in sys.argv[1:]], Options(num_gpu=2, exps_per_gpu=2)
launcher = MultiGpuLauncher(options, gpus=("3", "5"))
sys.exit(launcher.submit(paths, submission_of(paths[0].parent, "multi_gpu", options, paths)))
"""


@pytest.mark.engines
def test_runs_share_the_gpus_and_no_other_is_used(tmp_path):
    """By a real Ray that is told of two GPUs; which device a run sees stands in its log."""
    runs = make_runs(tmp_path, 4)
    paths = os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))
    words = [sys.executable, "-c", GPU_RUNS, *(str(run.path) for run in runs)]
    assert subprocess.run(words, env=os.environ | {"PYTHONPATH": paths}, check=False).returncode == 0

    used = [re.search(r"GPU (\S+)", (run.path / "stdout.log").read_text())[1] for run in runs]
    assert sorted(used) == ["3", "3", "5", "5"]
    threads = [(run.path / "count.txt").read_text() for run in runs]
    assert all("with 1 threads" in text for text in threads)


@pytest.mark.parametrize("mode", OF_MODE)
def test_every_mode_takes_flags_that_exist(mode):
    known = {field.name for field in dataclasses.fields(Options)}
    assert set(OF_MODE[mode]) <= known
    assert mode in LAUNCHERS


@pytest.mark.parametrize("mode", LAUNCHERS)
def test_every_engine_has_the_whole_contract(mode):
    launcher = launcher_of(mode, Options())
    assert isinstance(launcher.is_driven, bool)
    for name in ("check", "plan", "submit", "is_alive", "cancel", "mark_lost"):
        assert callable(getattr(launcher, name)), name


def test_a_flag_of_another_engine_is_named_with_the_mode_that_has_it():
    with pytest.raises(ConfigError, match=r"--partition says nothing to --mode local_par; it belongs to slurm\."):
        Options(partition="gpu").check("local_par")
    Options(partition="gpu", num_cpu=4).check("slurm")


def test_a_submission_is_read_back_as_it_was_written(tmp_path):
    options = Options(num_cpu=2, hosts=Path("lab.yaml"), max_price=0.25, spot=True)
    submission = submission_of(tmp_path, "ec2", options, [tmp_path / "a-s0", tmp_path / "a-s1"])
    assert read_submission(submission.path) == submission
    assert submissions(tmp_path) == [submission]
    assert submission.write(jobs=("17_0",)).jobs == read_submission(submission.path).jobs == ("17_0",)


def test_a_driver_lives_for_as_long_as_it_holds_the_lock(tmp_path):
    submission = submission_of(tmp_path, "local", Options(), [])
    assert not submission.is_driven_now()
    with submission.lock:
        assert read_submission(submission.path).is_driven_now()
    assert not submission.is_driven_now()


def test_more_cpu_slots_than_the_machine_has_are_refused():
    with pytest.raises(ConfigError, match=r"--num_cpu 4096: this machine has \d+ processors\."):
        launcher_of("local_par", Options(num_cpu=4096)).check()
