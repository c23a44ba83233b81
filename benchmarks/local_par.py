"""Four QRL runs on this machine: side by side (`--mode local_par`) against in turn (`--mode local`).

    python benchmarks/local_par.py [--runs 4] [--updates 600]

Whole commands, started as people start them: Ray's own start, imports and evaluation count. Wall seconds; every run has
one thread, and those of one mode must end equal to those of the other, to the last bit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lifelong_rl.recording.comparison import run_differences

ROOT = Path(__file__).parents[1]
WANTED = 1.7


def main() -> int:
    """Prints both times and their quotient."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--updates", type=int, default=600, help="of each run, all offline")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(folder, "first", "local", 1, 1)  # generates the dataset
        seconds = {mode: train(folder, mode, mode, flags.runs, flags.updates) for mode in ("local", "local_par")}
        differences = [
            line for path in sorted((folder / "data" / "local").glob("*-s*"))
            for line in run_differences(path, folder / "data" / "local_par" / path.name)
        ]  # fmt: skip
    in_turn, side_by_side = seconds["local"], seconds["local_par"]
    print(f"in turn {in_turn:.1f} s, side by side {side_by_side:.1f} s, on {os.cpu_count()} processors")
    print(f"throughput: {in_turn / side_by_side:.2f} times (wanted: {WANTED} on 2 processors)")
    print(f"differences between the runs of the two: {len(differences)}")
    return 1 if differences else 0


def train(folder: Path, exp_name: str, mode: str, num_runs: int, num_updates: int) -> float:
    """Wall seconds of the command."""
    phases = f"[{{name: offline, num_epochs: 2, updates_per_round: {num_updates // 2}, snapshot_interval: 1}}]"
    words = ["--mode", mode, "--num_seeds", str(num_runs), "--exp_name", exp_name, "--yes", "-s", f"phases={phases}"]
    dataset = ["-s", f"dataset.path={folder / 'umaze.hdf5'}", "-s", "evaluation.num_episodes=20"]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, str(ROOT / "run_scripts" / "qrl_maze.py"), *words, *dataset], cwd=folder, check=True,
        stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
