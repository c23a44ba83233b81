"""Ray for real: a node is lost while runs go on, two commands start one sweep, a driver is killed."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.torture_resume import prepare
from experiment_utils import ledger
from experiment_utils.launchers.options import Options
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import submission_of, submissions
from lifelong_rl.recording.comparison import run_differences
from tests.source_tree import ROOT

pytestmark = pytest.mark.engines
TINY = ROOT / "tests" / "experiment_utils"
SCRIPT = """
from experiment_utils.launch import launch

if __name__ == "__main__":
    launch(variant={"agent": {"name": "counter"}}, exp_name="count", config_module="tiny_experiment")
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of drivers and nodes: where the code is, and the cluster's token."""
    own = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(TINY)]), "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


CLUSTER = """
import sys
from ray.cluster_utils import Cluster

node = {"num_cpus": 2, "object_store_memory": 80 << 20}
cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
nodes = [cluster.add_node(**node) for _ in range(2)]
print(cluster.address, flush=True)
sys.stdin.readline()
cluster.remove_node(nodes[0], allow_graceful=False)
print("removed", flush=True)
sys.stdin.readline()
cluster.shutdown()
"""


@pytest.fixture
def cluster(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Three nodes of two slots each, all of them on this machine; a line to it and one node is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    yield process
    process.communicate("\n\n", timeout=60)


def wait_for(event: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not event():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def drive(experiment_dir: Path, mode: str, options: Options, paths: list[Path], environment: dict[str, str]) -> Any:
    submission = submission_of(experiment_dir, mode, options, paths)
    words = [sys.executable, "-m", "experiment_utils.driver", str(submission.path)]
    return subprocess.Popen(words, env=environment, cwd=ROOT)


def qrl_runs(experiment_dir: Path, count: int) -> list[Path]:
    paths = []
    for seed in range(count):
        path = prepare(experiment_dir, f"run-s{seed}")
        variant = RunDirectory(path).read("variant.json")
        RunDirectory(path).write("variant.json", variant | {"seed": seed})
        RunDirectory(path).write_status("queued")
        paths.append(path)
    return paths


@pytest.mark.timeout(1500)
def test_runs_of_a_node_that_is_lost_finish_elsewhere_and_equal_to_those_of_local(cluster, environment, tmp_path):
    assert cluster.stdin is not None and cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    here, there = qrl_runs(tmp_path / "local", 12), qrl_runs(tmp_path / "ray", 12)
    assert drive(tmp_path / "local", "local", Options(), here, environment).wait() == 0
    driver = drive(tmp_path / "ray", "ray", Options(address=address), there, environment)
    wait_for(lambda: sum((path / "metrics.jsonl").exists() for path in there) >= 4)
    cluster.stdin.write("\n")
    cluster.stdin.flush()
    assert cluster.stdout.readline() == "removed\n"
    assert driver.wait() == 0

    assert [RunDirectory(path).status.state for path in there] == ["finished"] * 12
    started = Counter(event["run"] for event in ledger.events(tmp_path / "ray") if event["event"] == "started")
    assert max(started.values()) > 1, "the lost node had no run: the test shows nothing"
    for one, other in zip(here, there, strict=True):
        assert list(run_differences(one, other)) == []


def start_script(folder: Path, environment: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    (folder / "count.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, "count.py", *words], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_of_two_commands_on_one_sweep_each_run_is_started_by_one(environment, tmp_path):
    words = ["--mode", "local_par", "--num_seeds", "12", "--yes"]
    commands = [start_script(tmp_path, environment, *words) for _ in range(2)]
    printed = [command.communicate(timeout=110)[0] for command in commands]
    events = list(ledger.events(tmp_path / "data" / "count"))
    started = Counter(event["run"] for event in events if event["event"] == "started")
    assert list(started.values()) == [1] * 12, printed
    assert sum(event["event"] == "finished" for event in events) == 12
    assert [command.returncode for command in commands] == [0, 0], printed


def test_a_sweep_outlives_its_terminal_and_ends_when_it_is_told_to(environment, tmp_path):
    words = ["--mode", "local_par", "--num_seeds", "3", "--yes", "-s", "agent.ending=wait"]
    command = start_script(tmp_path, environment, *words)
    experiment_dir = tmp_path / "data" / "count"
    wait_for(lambda: len(list(experiment_dir.glob("*/waiting"))) == 2)
    command.send_signal(signal.SIGHUP)
    command.wait(10)
    (submission,) = submissions(experiment_dir)
    assert submission.is_driven_now()

    sweep = [sys.executable, str(ROOT / "scripts" / "sweep.py")]
    assert subprocess.run([*sweep, "kill", str(experiment_dir)], env=environment, check=False).returncode == 0
    wait_for(lambda: not submission.is_driven_now())
    assert len(list(experiment_dir.glob("*/snapshot"))) == 2
    listed = subprocess.run(
        [*sweep, "status", str(experiment_dir), "--json"], env=environment, check=False, capture_output=True
    )
    assert [run["state"] for run in json.loads(listed.stdout)] == ["stopped"] * 3 and listed.returncode == 1


def test_jobs_end_with_a_driver_that_is_killed_and_go_on_with_the_same_command(environment, tmp_path):
    words = ["--mode", "local_par", "--num_seeds", "3", "--yes", "--detach", "-s", "agent.ending=wait"]
    assert start_script(tmp_path, environment, *words).wait(60) == 0
    experiment_dir = tmp_path / "data" / "count"
    wait_for(lambda: len(list(experiment_dir.glob("*/waiting"))) == 2)
    (submission,) = submissions(experiment_dir)
    os.kill(submission.pid, signal.SIGKILL)
    wait_for(lambda: len(list(experiment_dir.glob("*/snapshot"))) == 2)
    assert not submission.is_driven_now()
