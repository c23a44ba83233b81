"""A run script, as people start it: real processes, real directories, a tiny experiment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = '''"""Counts."""
from experiment_utils.launch import launch

variant = dict(agent=dict(name="counter", step=2), phases=[dict(num_epochs=3)])
sweep_values = {"agent.rate": [0.1, 0.2]}
presets = {"big": dict(agent=dict(step=100))}

if __name__ == "__main__":
    launch(
        variant=variant, sweep_values=sweep_values, presets=presets, description=__doc__, exp_name="count",
        config_module="tiny_experiment",
    )
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "count.py").write_text(SCRIPT)
    return tmp_path


def start(folder, *argv, program=("count.py",)):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])}
    return subprocess.Popen(
        [sys.executable, *program, *argv], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(folder, *argv, **kind):
    process = start(folder, *argv, **kind)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def runs_in(folder):
    return {path.parent.name: path.parent for path in sorted(folder.glob("data/*/*/status.json"))}


def states_in(folder):
    return [json.loads((path / "status.json").read_text())["state"] for path in runs_in(folder).values()]


def test_a_sweep_leaves_a_directory_for_each_run(folder):
    status, out, _ = run(folder, "--seeds", "4,5")

    assert status == 0
    assert states_in(folder) == ["finished"] * 4
    first = next(
        path for name, path in runs_in(folder).items() if name.startswith("rate-0.1-") and name.endswith("-s4")
    )
    assert f"finished: {first.relative_to(folder)}" in out
    variant = json.loads((first / "variant.json").read_text())
    assert variant["agent"] == {"name": "counter", "step": 2, "rate": 0.1, "ending": "well"}
    assert (variant["seed"], variant["num_threads"]) == (4, 1)
    about = json.loads((first / "run.json").read_text())
    assert about["swept"] == {"agent.rate": 0.1}
    assert "count.py --seeds 4,5" in about["command"]
    log = (first / "stdout.log").read_text()
    assert "threads: 1, OMP_WAIT_POLICY=PASSIVE" in log
    assert "counted to 6 with OMP_WAIT_POLICY=PASSIVE" in log


@pytest.mark.parametrize("mode", ["here", "local"])
def test_launching_again_skips_what_is_finished_and_runs_what_is_new(folder, mode):
    assert run(folder, "-s", "agent.rate=0.1", "--mode", mode)[0] == 0
    status, out, _ = run(folder, "--mode", mode)

    assert status == 0
    assert out.count("skipped, already finished: ") == 1
    assert len(runs_in(folder)) == 2
    counts = [(path / "count.txt").read_text() for path in runs_in(folder).values()]
    assert counts == ["6 with 1 threads\n"] * 2


@pytest.mark.parametrize("mode", ["here", "local"])
def test_a_failed_run_does_not_stop_the_others_and_the_last_lines_say_what_failed(folder, mode):
    script = (
        (folder / "count.py")
        .read_text()
        .replace('"agent.rate": [0.1, 0.2]', '"agent.ending": ["crash", "refuse", "well"]')
    )
    (folder / "count.py").write_text(script)
    status, out, err = run(folder, "--mode", mode)

    assert status == 1
    assert sorted(states_in(folder)) == ["failed", "failed", "finished"]
    assert out.splitlines()[-4:-2] == ["2 failed, 1 finished", "failed (2 of 3):"]
    assert out.splitlines()[-2].endswith("-s0: ValueError: seed 0 is unlucky")
    assert out.splitlines()[-1].endswith("-s0: agent.critic_loss is nan at update 7.")
    assert (out + err).count("Traceback") == 1  # ours are lines that need none
    crashed = next(path for name, path in runs_in(folder).items() if "crash" in name)
    assert "seed 0 is unlucky" in (crashed / "stdout.log").read_text()
    assert "in train" in (crashed / "error.txt").read_text()


def test_a_run_that_is_killed_is_a_failure_with_a_name(folder):
    status, out, err = run(folder, "--mode", "local", "-s", "agent.ending=kill", "-s", "agent.rate=1")

    assert status == 1
    assert out.splitlines()[-1].endswith("killed by SIGKILL")
    assert states_in(folder) == ["failed"]


def test_a_failed_run_is_run_again(folder):
    assert run(folder, "-s", "agent.rate=1", "-s", "agent.ending=crash")[0] == 1
    (path,) = runs_in(folder).values()
    (path / "variant.json").write_text((path / "variant.json").read_text().replace("crash", "well"))
    status, _, _ = run(folder, str(path), program=("-m", "experiment_utils.job"))

    assert status == 0
    assert states_in(folder) == ["finished"]


def test_dry_run_shows_every_point_and_writes_nothing(folder):
    before = sorted(folder.rglob("*"))
    status, out, _ = run(folder, "--dry_run", "--num_seeds", "2", "--preset", "big")

    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["state", "seed", "rate", "directory"]
    assert [line.split()[:3] for line in lines[1:5]] == [["new", s, r] for r in ("0.1", "0.2") for s in ("0", "1")]
    assert lines[1].split()[3].startswith("data/count/big-rate-0.1-")
    assert lines[-1] == "4 of 4 runs would start; nothing was written."
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before


def test_set_ends_the_sweep_of_its_path_and_says_so(folder):
    status, out, _ = run(folder, "--dry_run", "-s", "agent.rate=0.5", "-s", "phases.0.num_epochs=1", "-s", "seed=3")

    assert status == 0
    assert out.splitlines()[0] == "agent.rate = 0.5 replaces its sweep over [0.1, 0.2]"
    assert out.splitlines()[2].split()[:2] == ["new", "3"]
    assert out.splitlines()[-1].startswith("1 of 1 runs")


def test_sweep_takes_the_place_of_the_scripts_own_values_and_adds_paths(folder):
    words = ["--sweep", "agent.rate=[0.3, 0.4, 0.5]", "--sweep", "agent.step=[1, 2]"]
    status, out, _ = run(folder, "--dry_run", *words)

    assert status == 0
    points = [line.split()[2:4] for line in out.splitlines()[1:7]]
    assert out.splitlines()[7].startswith("6 runs in this process")
    assert points == [[rate, step] for rate in ("0.3", "0.4", "0.5") for step in ("1", "2")]
    assert out.splitlines()[-1].startswith("6 of 6 runs")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--sweep", "agent.rate=0.3"], "error: sweep_values['agent.rate'] must be a list of values, got 0.3."),
        (["--preset", "bg"], "error: --preset: unknown name 'bg'. Did you mean 'big'? Valid: cpu, big."),
        (
            ["-s", "agent.stp=1"],
            "error: variant.agent: unknown key 'stp'. Did you mean 'step'? Valid: ending, rate, step.",
        ),
        (["-s", "phases.3.num_epochs=1"], "error: variant.phases has 1 elements, so there is no variant.phases.3."),
        (["--exp_name", "../x"], "error: --exp_name must be letters, digits, '.', '_' and '-', got '../x'."),
        (["--seeds", "1", "-s", "seed=2"], "error: --seeds and -s seed=... say the same thing: give one of them."),
        (["-e", "2"], "error: --exps_per_gpu says nothing to --mode here; it belongs to "),
        (["--data_dir", "count.py"], "error: cannot write "),
    ],
)
def test_bad_input_is_one_line_with_exit_status_2_and_nothing_written(folder, argv, message):
    status, out, err = run(folder, *argv)

    assert status == 2
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert not runs_in(folder)
    assert not (folder / "data").exists()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("mode", "number", "status", "state"),
    [
        ("here", signal.SIGINT, 130, "interrupted"),
        ("here", signal.SIGTERM, 75, "queued"),
        ("local", signal.SIGINT, 130, "queued"),  # an engine's way to stop a job is SIGTERM
        ("local", signal.SIGTERM, 75, "queued"),
    ],
)
def test_a_stop_reaches_the_run_and_ends_the_sweep(folder, mode, number, status, state):
    process = start(folder, "--mode", mode, "-s", "agent.ending=wait")
    wait_for(lambda: list(folder.glob("data/*/*/waiting")))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert process.returncode == status
    assert states_in(folder) == [state, "queued"]
    assert len(list(folder.glob("data/*/*/snapshot"))) == 1
    assert out.splitlines()[-1] == "stopped; the same command goes on where it stopped"
    assert "Traceback" not in err


def test_a_run_that_goes_on_elsewhere_is_left_alone(folder):
    process = start(folder, "-s", "agent.ending=wait", "-s", "agent.rate=1")
    wait_for(lambda: list(folder.glob("data/*/*/waiting")))
    try:
        status, out, _ = run(folder, "-s", "agent.ending=wait", "-s", "agent.rate=1")
        assert status == 0
        assert "skipped, already running: " in out
        (path,) = runs_in(folder).values()
        status, _, err = run(folder, str(path), program=("-m", "experiment_utils.job"))
        assert status == 3
        assert f"is held by process {process.pid} on " in err
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_help_comes_at_once_without_torch_or_mujoco_or_the_experiment(folder):
    status, out, err = run(folder, "-h", program=("-X", "importtime", "count.py"))

    assert status == 0
    assert "agent.step = 2" in out
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in err.splitlines()}
    assert "yaml" in imported
    assert not imported & {"torch", "mujoco", "numpy", "tiny_experiment", "experiment_configs"}


def test_the_job_refuses_what_is_no_run_directory(folder):
    status, _, err = run(folder, ".", program=("-m", "experiment_utils.job"))
    assert (status, err) == (2, "error: . is not a run directory: it has no variant.json.\n")
