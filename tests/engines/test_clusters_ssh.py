"""A Ray cluster on real hosts with a real sshd: checked, started, used by `--mode ssh`, ended without a trace."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from experiment_utils.clusters.cluster import cluster_of
from experiment_utils.launchers.options import Options
from experiment_utils.run_directory import RunDirectory
from experiment_utils.submissions import submission_of
from scripts.cluster import main
from tests.engines.ssh_hosts import SshHosts, namespace_of, ssh_hosts, why_not

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "experiment_utils" / "tiny_experiment.py"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    pytest.importorskip("ray")
    missing = why_not()
    if missing:
        pytest.skip(missing)
    with ssh_hosts(tmp_path_factory.mktemp("lab"), 2) as hosts:
        yield hosts


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def cluster_file(tmp_path: Path, lab: SshHosts, count: int, **changes: object) -> Path:
    path = tmp_path / "lab.yaml"
    values = {
        "kind": "ssh", "name": "lab", "hosts": list(lab.addresses[:count]), "port": lab.port, "python": sys.executable,
        "identity": str(lab.identity), "known_hosts": str(lab.known_hosts), "folder": str(tmp_path / "home"),
        "min_disk_gb": 0.1,
    }  # fmt: skip
    path.write_text(yaml.safe_dump(values | changes))
    return path


def listening(index: int) -> list[str]:
    """Addresses of a host at which something listens, but for sshd."""
    command = ["ip", "netns", "exec", namespace_of(index), "ss", "-Hltn"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    addresses = [line.split()[3].replace("[::ffff:", "").replace("]", "") for line in shown.splitlines()]
    return [address for address in addresses if not address.endswith(":2222")]


def make_runs(experiment_dir: Path, count: int) -> list[Path]:
    paths = [experiment_dir / f"run-s{seed}" for seed in range(count)]
    for seed, path in enumerate(paths):
        run = RunDirectory(path)
        run.write("variant.json", {"seed": seed})
        run.write("run.json", {"config_module": "tiny_experiment"})
        run.write_status("queued")
    return paths


def test_check_says_of_each_host_what_it_is_and_what_to_do(tmp_path, lab, capsys):
    assert main(["check", str(cluster_file(tmp_path, lab, 2))]) == 0
    good = capsys.readouterr().out
    assert [line.split()[:2] for line in good.splitlines()] == [["good", address] for address in lab.addresses]
    assert f"Python {sys.version.split()[0]}" in good

    bad = cluster_file(tmp_path, lab, 1, python="/nowhere/python", hosts=[lab.addresses[0], "no-such-host.invalid"])
    assert main(["check", str(bad)]) == 2
    said = capsys.readouterr().out
    assert "`python` must be the path of a Python on that host" in said
    assert "is the name right?" in said


def test_a_refused_key_and_a_closed_port_are_told_apart(tmp_path, lab, capsys):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    assert main(["check", str(cluster_file(tmp_path, lab, 1, identity=str(tmp_path / "other")))]) == 2
    assert "ssh-copy-id" in capsys.readouterr().out

    assert main(["check", str(cluster_file(tmp_path, lab, 1, port=2223))]) == 2
    assert "is sshd running there" in capsys.readouterr().out


def test_down_does_not_promise_anything_of_a_host_that_it_cannot_reach(tmp_path, lab, capsys):
    path = cluster_file(tmp_path, lab, 1, hosts=[lab.addresses[0], "no-such-host.invalid"])
    assert main(["down", str(path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("still there:\nno-such-host.invalid: ") and lab.addresses[0] not in said


def test_one_host_listens_to_itself_alone_and_needs_the_token(tmp_path, lab, capsys):
    path = cluster_file(tmp_path, lab, 1)
    before = len(listening(0))
    try:
        assert main(["up", str(path), "--yes"]) == 0
        assert len(listening(0)) > before
        assert [address for address in listening(0) if not address.startswith("127.0.0.1:")] == []
        assert main(["address", str(path)]) == 0
        exports = dict(word.split("=", 1) for word in capsys.readouterr().out.split() if word.startswith("RAY_"))
        assert tasks_answer(exports)
        assert not tasks_answer(exports | {"RAY_AUTH_TOKEN": "0" * 64, "RAY_AUTH_TOKEN_PATH": ""})
        assert Path(exports["RAY_AUTH_TOKEN_PATH"]).stat().st_mode & 0o777 == 0o600
    finally:
        assert main(["down", str(path)]) == 0
    assert len(listening(0)) == before
    assert marked_processes("lab:") == []


def test_runs_of_mode_ssh_come_back_and_down_leaves_nothing(tmp_path, lab):
    path = cluster_file(tmp_path, lab, 2)
    (tmp_path / "home").mkdir()
    shutil.copy(TINY, tmp_path / "home")  # a job's working folder is importable
    runs = make_runs(tmp_path / "data" / "tiny", 4)
    submission = submission_of(tmp_path / "data" / "tiny", "ssh", Options(hosts=path), runs)
    try:
        driver = subprocess.run(
            [sys.executable, "-m", "experiment_utils.driver", str(submission.path)], cwd=ROOT, text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
        assert driver.returncode == 0, driver.stdout + driver.stderr
        for run in runs:
            assert json.loads((run / "status.json").read_text())["state"] == "finished", driver.stdout + driver.stderr
            assert (run / "count.txt").read_text() == "2 with 1 threads\n"
        assert cluster_of(path).is_up()
    finally:
        assert main(["down", str(path)]) == 0
    assert marked_processes("lab:") == []
    assert listening(0) == listening(1) == []
    assert not list((tmp_path / "home" / "ray").iterdir())


def test_a_run_of_another_machine_can_be_stopped_alone(tmp_path, lab):
    path = cluster_file(tmp_path, lab, 1)
    (tmp_path / "home").mkdir()
    shutil.copy(TINY, tmp_path / "home")
    (run,) = make_runs(tmp_path / "data" / "tiny", 1)
    RunDirectory(run).write("variant.json", {"agent": {"name": "counter", "ending": "wait"}})
    submission = submission_of(tmp_path / "data" / "tiny", "ssh", Options(hosts=path), [run])
    try:
        with (tmp_path / "log").open("w") as log:
            command = [sys.executable, "-u", "-m", "experiment_utils.driver", str(submission.path)]
            driver = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 200
        while json.loads((run / "status.json").read_text())["state"] != "running":
            assert driver.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.5)
        RunDirectory(run).stop_file.touch()
        assert driver.wait(120) == 0
        assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
    finally:
        assert main(["down", str(path)]) == 0


def test_the_token_stands_in_no_command_line_and_a_lost_node_is_started_again(tmp_path, lab, capsys):
    path = cluster_file(tmp_path, lab, 2)
    try:
        assert main(["up", str(path), "--yes"]) == 0
        token = (tmp_path / "state/lifelong_rl/clusters/lab/token").read_bytes()
        commands = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
        assert not [command for command in commands if token in command]

        head, worker = (marked_processes(f"lab:{address}") for address in lab.addresses)
        for pid in worker:
            os.kill(pid, signal.SIGKILL)
        assert not cluster_of(path).is_up()
        assert main(["up", str(path), "--yes"]) == 0
        assert cluster_of(path).is_up()
        assert set(head) & set(marked_processes(f"lab:{lab.addresses[0]}"))  # the head went on
    finally:
        assert main(["down", str(path)]) == 0
    assert marked_processes("lab:") == []


def test_a_host_tells_how_far_its_start_script_has_come(tmp_path, lab):
    nodes = cluster_of(cluster_file(tmp_path, lab, 1)).nodes()
    ask = functools.partial(nodes.login.ask, lab.addresses[0], "python3", "read_state", folder=str(tmp_path / "var"))
    assert ask() == {"state": "starting", "last": "its start script has not begun"}
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "start.log").write_text("Get: torch\n\nno space left\n")
    (tmp_path / "var" / "state").write_text("failed\n")
    assert ask() == {"state": "failed", "last": "no space left"}


def tasks_answer(environment: dict[str, str]) -> bool:
    code = "import ray; ray.init(log_to_driver=False); print(ray.get(ray.remote(lambda: 6 * 7).remote()))"
    variables = {name: value for name, value in (os.environ | environment).items() if value}
    ended = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=120)
    print(ended.stderr[-3000:])
    return ended.returncode == 0 and "42" in ended.stdout


def marked_processes(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"LIFELONG_RL_CLUSTER={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
