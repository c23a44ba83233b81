"""How a job that failed ends: with 2 where what it was given is at fault, with 1 otherwise."""

import subprocess
import sys

import pytest

from experiment_utils.job import is_bad_input
from lifelong_rl.config import ConfigError
from lifelong_rl.data.datasets.errors import DatasetError
from lifelong_rl.recording.errors import DiskError, SnapshotError
from lifelong_rl.types import DivergenceError, EnvironmentFault
from tests.source_tree import ROOT


@pytest.mark.parametrize("error", [ConfigError, DatasetError, SnapshotError])
def test_a_variant_and_the_files_that_it_names_are_input(error):
    assert is_bad_input(error("a line"))


@pytest.mark.parametrize("error", [DiskError, DivergenceError, EnvironmentFault, RuntimeError])
def test_a_full_disk_a_divergence_and_a_fault_are_not(error):
    assert not is_bad_input(error("a line"))


def test_a_run_on_a_damaged_dataset_ends_with_2_and_one_line(tmp_path):
    damaged = tmp_path / "damaged.hdf5"
    damaged.write_bytes(b"not a dataset")
    command = [sys.executable, "run_scripts/qrl_maze.py", "-y", "--data_dir", str(tmp_path / "data")]
    command += ["-s", f"dataset.path={damaged}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2 and str(damaged) in result.stderr and "Traceback" not in result.stderr
