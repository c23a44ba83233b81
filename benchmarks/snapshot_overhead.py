"""What snapshots cost a run: their share of the wall time of the cpu preset, at its default interval.

    python benchmarks/snapshot_overhead.py [--offline 3] [--online 3]

Trains a few epochs of each phase of `run_scripts/qrl_maze.py` as they stand there (no evaluation, which would only
make the share smaller) and reads `time/snapshot_seconds` and `time/epoch_seconds` from the run's own rows.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from experiment_configs.assemble import build
from experiment_configs.experiment import ExperimentConfig
from lifelong_rl.config import from_dict
from lifelong_rl.recording.metrics_file import Row, read_metrics

sys.path.insert(0, str(Path(__file__).parents[1]))
LIMIT = 0.02


def main() -> None:
    """Prints a line per phase and the share of both; exit status 1 where it is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", type=int, default=3, help="epochs")
    parser.add_argument("--online", type=int, default=3, help="epochs")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:  # on the disk that runs are written to
        rows = train(Path(folder), (flags.offline, flags.online))
    shares = {}
    for phase in ("offline", "online"):
        seconds = [sum(row.get(f"time/{what}_seconds", 0.0) for row in rows if row["phase"] == phase) for what in
                   ("snapshot", "epoch")]  # fmt: skip
        shares[phase] = seconds
        print(f"{phase}: {seconds[0]:.2f} s of {seconds[1]:.1f} s, {seconds[0] / seconds[1]:.2%}")
    share = sum(s for s, _ in shares.values()) / sum(e for _, e in shares.values())
    print(f"snapshots take {share:.2%} of the wall time (wanted: under {LIMIT:.0%})")
    sys.exit(0 if share < LIMIT else 1)


def train(folder: Path, epochs: tuple[int, int]) -> list[Row]:
    """The rows of both phases; each row tells of the snapshot before it, so one more epoch is trained than asked."""
    from run_scripts.qrl_maze import variant

    phases: list[dict[str, Any]] = []
    for phase, count in zip(variant["phases"], epochs, strict=True):
        phases.append(phase | {"num_epochs": count + 1, "evaluation_interval": 1000})
    config = variant | {"phases": phases, "evaluation": {"num_episodes": 1, "goals": ["single"]}}
    run_dir = folder / "run"
    run_dir.mkdir()
    build(from_dict(ExperimentConfig, config), run_dir).train()
    rows = read_metrics(run_dir / "metrics.jsonl")
    shutil.rmtree(run_dir)
    return rows


if __name__ == "__main__":
    main()
