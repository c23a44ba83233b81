"""A driver keeps as many runs going as it was given slots, whatever the engine, and stops them all at once."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from experiment_utils import ledger
from experiment_utils.launchers.options import Options
from experiment_utils.search import Study
from experiment_utils.search_driver import MOST_STARTS, drive
from lifelong_rl.config import ConfigError

HERE = Path(__file__).parent
ABOUT = {"config_module": "tiny_search"}


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE.parents[1]), str(HERE)]))
    import tiny_search

    return tiny_search


@pytest.mark.engines
def test_two_slots_are_two_runs_at_a_time_by_a_real_engine(tiny, tmp_path):
    variant = {"agent": {"seconds": 0.3}}
    study = Study(tiny.spec_of(num_trials=4, variant=variant), tmp_path)

    assert drive(study, ABOUT, "local", Options(), slots=2) == 0
    assert study.is_over and [len(trial.reached) for trial in study.trials] == [1] * 4
    going, most = 0, 0
    for event in ledger.events(tmp_path):
        going += {"started": 1, "finished": -1}.get(event["event"], 0)
        most = max(most, going)
    assert most == 2


def test_a_failing_trial_does_not_stop_the_others(tiny, tmp_path):
    study = Study(tiny.spec_of(num_trials=3, variant={"agent": {"crash_above": 0.01}}), tmp_path)

    assert drive(study, ABOUT, "here", Options()) == 0
    assert 0 < sum(trial.error is not None for trial in study.trials) < 3


def test_a_run_that_never_comes_to_an_end_is_not_started_for_ever(tiny, tmp_path):
    study = Study(tiny.spec_of(), tmp_path)
    with pytest.raises(ConfigError, match=rf"was started {MOST_STARTS} times and came to no end"):
        tiny.search(study, lambda run: tiny.prepare(run) and 0)


@pytest.mark.engines
def test_ctrl_c_stops_what_goes_on_and_the_same_command_goes_on_with_it(tiny, tmp_path):
    spec = tiny.spec_of(num_trials=1, variant={"agent": {"seconds": 0.5}, "phases": [{"num_epochs": 6}]})

    def press() -> None:
        while not list(tmp_path.glob("*/metrics.jsonl")):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    assert drive(Study(spec, tmp_path), ABOUT, "local", Options()) == 130
    study = Study(spec, tmp_path)
    assert study.trials[0].is_active
    while True:  # its engine stops it
        [status] = [path.read_text() for path in tmp_path.glob("*/status.json")]
        if '"running"' not in status:
            break
        time.sleep(0.05)

    assert drive(study, ABOUT, "local", Options()) == 0
    [rows] = [path.read_text().splitlines() for path in tmp_path.glob("*/metrics.jsonl")]
    assert len(rows) == 6 and len(study.trials[0].reached) == 1
