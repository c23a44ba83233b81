"""What a sweep of 10,000 runs costs the command line: expand and check, write, status, and starting it once more.

    python benchmarks/sweep_scale.py [--runs 10000]

Processes as people start them, of a run script with a no-op experiment; wall seconds, and the most memory that one
held. The runs are marked finished by their own `RunDirectory`, not run: what engines do is measured elsewhere.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiment_utils.plan import make_plan, prepare

ROOT = Path(__file__).parents[1]
SCRIPT = '''
from experiment_utils.launch import launch

if __name__ == "__main__":
    launch(
        variant={"agent": {"name": "counter"}}, sweep_values={"agent.rate": [n / 1000 for n in range(1, RATES + 1)]},
        exp_name="many", config_module="tiny_experiment",
    )
'''
WANTED = {"expand and check": 5.0, "status": 2.0, "start again, all finished": 5.0}  # seconds, for 10,000 runs
SEEDS = 10


def main() -> None:
    """Prints a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    num_runs = parser.parse_args().runs // SEEDS * SEEDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "many.py").write_text(SCRIPT.replace("RATES", str(num_runs // SEEDS)))
        rates = [number / 1000 for number in range(1, num_runs // SEEDS + 1)]
        script, words = [sys.executable, "many.py"], ["--num_seeds", str(SEEDS)]
        report("expand and check", folder, [*script, *words, "--dry_run"])
        start = time.perf_counter()
        write_runs(folder / "data" / "many", rates)
        print(f"{'write them as queued, then finished':36}{time.perf_counter() - start:7.2f} s")
        report("status", folder, [sys.executable, str(ROOT / "scripts" / "sweep.py"), "status", "data/many"])
        report("start again, all finished", folder, [*script, *words, "--mode", "local", "--yes"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"most memory of one process: {peak:.0f} MB (wanted: 300)")


def report(what: str, folder: Path, command: list[str]) -> None:
    """Times one process."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "experiment_utils")])
    start = time.perf_counter()
    result = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    last = (result.stdout + result.stderr).strip().splitlines()[-1][:70]
    print(f"{what:36}{seconds:7.2f} s (wanted: {WANTED[what]:.0f})  status {result.returncode}: {last}", flush=True)


def write_runs(experiment_dir: Path, rates: list[float]) -> None:
    """By the code that launches, in this process."""
    sys.path.insert(0, str(ROOT / "tests" / "experiment_utils"))
    from tiny_experiment import ExperimentConfig

    runs = make_plan(
        ExperimentConfig, {"agent": {"name": "counter"}}, grid={"agent.rate": rates}, seeds=range(SEEDS), settings=[],
        experiment_dir=experiment_dir, prefix="",
    )  # fmt: skip
    prepare(runs, {})
    for run in runs:
        run.directory.write_status("finished")


if __name__ == "__main__":
    main()
