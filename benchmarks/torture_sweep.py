"""A sweep of 1,000 runs of which 5 % fail, its driver killed at 30 random moments: each ends once, or is listed.

    python benchmarks/torture_sweep.py [--runs 1000] [--kills 30] [--seed 0] [--mode local_par]

Real processes: the same command is given again after each `kill -9` of the driver, and then to its end. By the ledger
each run must have finished once, and not have been started after that, or have failed. (A command starts failed runs
again, as it should: they fail once more.)
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from experiment_utils import ledger
from experiment_utils.submissions import submissions

ROOT = Path(__file__).parents[1]
SCRIPT = """
from experiment_utils.launch import launch

if __name__ == "__main__":
    launch(variant={"agent": {"name": "counter"}}, exp_name="many", config_module="unlucky_experiment")
"""
EXPERIMENT = '''"""The tiny experiment, but every twentieth seed fails."""

import tiny_experiment
from tiny_experiment import ExperimentConfig as ExperimentConfig


def build(config, run_dir):
    if config.seed % 20 == 0:
        raise ValueError("unlucky")
    return tiny_experiment.build(config, run_dir)
'''


def main() -> int:
    """Prints what happened; 1 if a run did not end once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", default="local_par")
    flags = parser.parse_args()
    generator = random.Random(flags.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "many.py").write_text(SCRIPT)
        (folder / "unlucky_experiment.py").write_text(EXPERIMENT)
        experiment_dir, begun, kills = folder / "data" / "many", time.monotonic(), 0
        while kills < flags.kills:
            command = start(folder, flags)
            if command.wait() or not kill_driver(experiment_dir, generator.uniform(0.5, 10.0)):
                break  # all is over before
            kills += 1
        status = sweep(folder, flags)
        return judge(experiment_dir, flags.runs, kills, status, time.monotonic() - begun)


def start(folder: Path, flags: argparse.Namespace) -> "subprocess.Popen[bytes]":
    """The command that people give, detached."""
    words = ["--num_seeds", str(flags.runs), "--mode", flags.mode, "--yes", "--detach"]
    return subprocess.Popen(
        [sys.executable, "many.py", *words], cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL
    )


def sweep(folder: Path, flags: argparse.Namespace) -> int:
    """The same command, to its end; its exit status."""
    words = ["--num_seeds", str(flags.runs), "--mode", flags.mode, "--yes"]
    return subprocess.run(
        [sys.executable, "many.py", *words], cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, check=False
    ).returncode


def kill_driver(experiment_dir: Path, seconds: float) -> bool:
    """After so long; whether there was one."""
    time.sleep(seconds)
    alive = [each for each in submissions(experiment_dir) if each.is_driven_now() and each.pid is not None]
    for submission in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(submission.pid or 0, signal.SIGKILL)
    while any(each.is_driven_now() for each in alive):
        time.sleep(0.1)
    return bool(alive)


def judge(experiment_dir: Path, num_runs: int, kills: int, status: int, seconds: float) -> int:
    """Whether each run ended as it should, by the ledger."""
    events = list(ledger.events(experiment_dir))
    counts = {
        name: Counter(event["run"] for event in events if event["event"] == name)
        for name in ("started", "finished", "failed")
    }
    runs = {event["run"] for event in events}
    twice = [run for run, count in counts["finished"].items() if count != 1]
    after_the_end = _starts_after_finish(events)
    wrong = [run for run in runs if bool(counts["finished"][run]) == bool(counts["failed"][run])]
    print(f"{len(runs)} of {num_runs} runs, {kills} kills of the driver, {seconds:.0f} s, exit status {status}")
    print(f"finished once: {len(counts['finished']) - len(twice)}; failed and listed: {len(counts['failed'])}")
    print(f"finished twice: {len(twice)}; started after their end: {len(after_the_end)}; neither or both: {len(wrong)}")
    print(f"starts: {sum(counts['started'].values())} ({sum(counts['started'].values()) - len(runs)} to go on)")
    return 0 if len(runs) == num_runs and not (twice or after_the_end or wrong) else 1


def _starts_after_finish(events: list[dict]) -> list[str]:
    finished, found = set(), []
    for event in events:
        if event["event"] == "finished":
            finished.add(event["run"])
        elif event["event"] == "started" and event["run"] in finished:
            found.append(event["run"])
    return found


def environment(folder: Path) -> dict[str, str]:
    """Of commands: where the code is."""
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "experiment_utils", folder)))
    return os.environ | {"PYTHONPATH": paths}


if __name__ == "__main__":
    sys.exit(main())
