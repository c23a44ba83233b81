"""What engines execute: the job, its results back, and a stop that reaches it whoever gives it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiment_utils.job import HELD
from experiment_utils.launchers.node import run_on_node
from experiment_utils.run_directory import RunDirectory
from experiment_utils.stores import store_of
from lifelong_rl.training.interrupts import REQUEUE

HERE = Path(__file__).parent
NODE = """
import sys
from pathlib import Path
from experiment_utils.launchers.node import run_on_node
store = sys.argv[2] if len(sys.argv) > 2 else None
sys.exit(run_on_node(Path(sys.argv[1]), environment={"OMP_NUM_THREADS": "1"}, store_url=store, push_seconds=0.3))
"""


@pytest.fixture(autouse=True)
def tiny_experiment_on_the_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def make_run(folder, ending="well"):
    run = RunDirectory(folder)
    run.write("variant.json", {"agent": {"ending": ending}, "seed": 0})
    run.write("run.json", {"config_module": "tiny_experiment"})
    run.write_status("queued")
    return run


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def start_node(run, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])}
    return subprocess.Popen([sys.executable, "-c", NODE, str(run.path), *arguments], env=environment)


def test_a_run_goes_from_a_store_to_the_node_and_back(tmp_path):
    store = store_of(str(tmp_path / "store"))
    store.push(make_run(tmp_path / "home" / "run-s0").path)
    node = tmp_path / "node" / "run-s0"
    assert run_on_node(node, environment={"OMP_NUM_THREADS": "1"}, store_url=str(tmp_path / "store")) == 0

    store.pull(tmp_path / "home" / "run-s0")
    home = RunDirectory(tmp_path / "home" / "run-s0")
    assert home.status.state == "finished"
    assert "counted to 2" in (home.path / "stdout.log").read_text()


@pytest.mark.parametrize(("ending", "error", "returned"), [("kill", "by SIGKILL", 1), ("refuse", "critic_loss", 2)])
def test_a_job_that_dies_is_marked_and_its_results_are_sent(ending, error, returned, tmp_path):
    run = make_run(tmp_path / "run-s0", ending)
    assert run_on_node(run.path, environment={}, store_url=str(tmp_path / "store")) == returned
    status = RunDirectory(tmp_path / "store" / "run-s0").status
    assert status.state == "failed"
    assert error in status.error


@pytest.mark.engines
def test_sigterm_gives_the_job_its_snapshot_and_sends_it(tmp_path):
    run = make_run(tmp_path / "run-s0", "wait")
    node = start_node(run, str(tmp_path / "store"))
    wait_for((tmp_path / "store" / "run-s0" / "waiting").exists)  # sent while the job works
    node.send_signal(signal.SIGTERM)
    assert node.wait(30) == REQUEUE
    assert (tmp_path / "store" / "run-s0" / "snapshot").exists()
    assert RunDirectory(tmp_path / "store" / "run-s0").status.state == "queued"


@pytest.mark.engines
def test_an_engine_that_interrupts_the_call_finds_everything_sent(tmp_path):
    """As Ray's cancel does, which raises in the main thread."""
    run = make_run(tmp_path / "run-s0", "wait")

    def interrupt():
        wait_for((run.path / "waiting").exists)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_on_node(run.path, environment={}, store_url=str(tmp_path / "store"))
    thread.join()
    assert (tmp_path / "store" / "run-s0" / "snapshot").exists()
    assert run.status.state == "queued"


@pytest.mark.engines
def test_a_job_that_ignores_its_stop_is_killed_and_can_be_started_again(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run-s0", "wait")

    def interrupt():
        wait_for((run.path / "waiting").exists)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess.Popen, "terminate", lambda process: None)  # it never hears of it
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_on_node(run.path, environment={}, stop_grace_seconds=0.3)
    thread.join()
    assert not run.is_held()
    assert run.status.state == "queued"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_job_stops_when_its_node_process_is_killed(tmp_path):
    run = make_run(tmp_path / "run-s0", "wait")
    node = start_node(run)
    wait_for((run.path / "waiting").exists)
    node.kill()
    node.wait()
    wait_for(lambda: run.status.state == "queued")
    wait_for(lambda: not run.is_held())
    assert (run.path / "snapshot").exists()


def test_a_run_that_another_process_works_on_is_neither_fetched_nor_sent(tmp_path):
    run, store = make_run(tmp_path / "run-s0"), store_of(str(tmp_path / "store"))
    with run.held():
        assert run_on_node(run.path, environment={}, store_url=str(tmp_path / "store")) == HELD
        assert store.list_runs() == []
        store.push(run.path)
        assert run_on_node(run.path, environment={}, store_url=str(tmp_path / "store")) == HELD


def test_a_store_that_is_away_costs_no_result_and_no_job(tmp_path, capfd):
    run = make_run(tmp_path / "run-s0")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "run-s0").write_text("a file, where a folder should be")
    assert run_on_node(run.path, environment={}, store_url=str(tmp_path / "store")) == REQUEUE
    assert run.status.state == "finished"
    assert "were not sent: store " in capfd.readouterr().err

    (tmp_path / "store" / "run-s0").unlink()
    assert run_on_node(run.path, environment={}, store_url=str(tmp_path / "store")) == 0
    assert RunDirectory(tmp_path / "store" / "run-s0").status.state == "finished"
