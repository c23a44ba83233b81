"""A seeded part of what `make torture` does to jobs: killed or told to stop anywhere, they end as if left alone."""

import json
import random
import signal
from pathlib import Path

import pytest

from benchmarks.torture_resume import after, finish, in_snapshot, prepare, trial

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Holds `whole`, the run that is left alone."""
    folder = tmp_path_factory.mktemp("survival")
    finish(prepare(folder, "whole"))
    return folder


def test_killed_while_it_writes_a_snapshot_a_run_goes_on_from_the_one_before(folder):
    run_dir = prepare(folder, "in-snapshot")
    outcome = trial(run_dir, folder / "whole", signal.SIGKILL, in_snapshot(run_dir, 3))
    assert outcome.exit_status == -signal.SIGKILL and outcome.differences == []
    assert not list(run_dir.glob(".*tmp*"))


def test_killed_anywhere_a_run_ends_as_the_one_that_was_left_alone(folder):
    run_dir = prepare(folder, "killed")
    moment = after(run_dir, random.Random(3).uniform(2.0, 5.0))
    outcome = trial(run_dir, folder / "whole", signal.SIGKILL, moment)
    assert outcome.exit_status in (-signal.SIGKILL, 0) and outcome.differences == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_told_to_stop_a_job_asks_to_be_run_again_and_loses_nothing(number, folder):
    run_dir = prepare(folder, number.name)
    outcome = trial(run_dir, folder / "whole", number, in_snapshot(run_dir, 2))
    assert outcome.exit_status == 75 and outcome.seconds < 10 and outcome.differences == []
    assert json.loads((run_dir / "status.json").read_text())["state"] == "finished"
