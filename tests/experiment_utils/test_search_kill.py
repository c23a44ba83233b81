"""A search whose driver is killed goes on where it stopped: the same trials, in the same directories, none repeated."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment_utils.search import Study, read_spec

HERE = Path(__file__).parent
NUM_TRIALS = 4


def start(folder: Path, method: str, *words: object, **environment: str) -> subprocess.Popen[bytes]:
    own = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])} | environment
    argv = [sys.executable, str(HERE / "tiny_search.py"), str(folder), method, *map(str, words)]
    return subprocess.Popen(argv, env=own, stdout=subprocess.DEVNULL)


def finished(folder: Path, method: str, *words: object, **environment: str) -> int:
    return start(folder, method, *words, **environment).wait(60)


def outcome(folder: Path) -> tuple[list, dict[str, str]]:
    """All that a study came to: its trials, and the rows of each of its runs."""
    rows = {path.parent.name: path.read_text() for path in sorted(folder.glob("*/metrics.jsonl"))}
    return Study(read_spec(folder), folder).trials, rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Method -> what a study comes to that is left alone."""
    folder, found = tmp_path_factory.mktemp("whole"), {}

    def outcome_of(method: str):
        if method not in found:
            assert finished(folder / method, method, NUM_TRIALS) == 0
            found[method] = outcome(folder / method)
        return found[method]

    return outcome_of


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(HERE)


@pytest.mark.parametrize(("method", "first"), [("tpe", 24), pytest.param("halving", 40, marks=pytest.mark.engines)])
def test_killed_again_and_again_it_ends_as_if_left_alone(method, first, whole, tmp_path):
    kills = 0
    while (status := finished(tmp_path / "study", method, NUM_TRIALS, first + 5 * kills)) == -signal.SIGKILL:
        kills += 1

    assert status == 0 and kills > 2
    assert outcome(tmp_path / "study") == whole(method)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["random", "halving"])
def test_killed_at_any_change_of_any_file_it_ends_as_if_left_alone(method, whole, tmp_path):
    moment, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        moment += 1
        folder = tmp_path / str(moment)
        status = finished(folder, method, NUM_TRIALS, moment)
        assert finished(folder, method, NUM_TRIALS) == 0
        assert outcome(folder) == whole(method), f"killed at change {moment}"
    assert status == 0 and moment > 50


@pytest.mark.engines
def test_a_run_that_outlives_its_driver_is_waited_for_and_told(tmp_path):
    about = {"SPEC": json.dumps({"variant": {"agent": {"seconds": 0.6}}}), "JOBS": "1"}
    driver = start(tmp_path, "random", 2, **about)
    while not list(tmp_path.glob("*/starts.txt")):
        time.sleep(0.02)
    driver.kill()
    driver.wait()

    assert finished(tmp_path, "random", 2, **about) == 0
    trials, rows = outcome(tmp_path)
    assert [len(trial.reached) for trial in trials] == [1, 1]
    assert [len(text.splitlines()) for text in rows.values()] == [2, 2]
    assert [path.read_text() for path in tmp_path.glob("*/starts.txt")] == ["started\n"] * 2
