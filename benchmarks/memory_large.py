"""Peak memory of a run on maze2d-large with 4 million transitions, the networks' own left out.

    python benchmarks/memory_large.py [--dataset FILE] [--num_transitions N]

Does what the paper preset does on its first day, in one process, with networks of a few units: generates the dataset
(into a temporary folder, unless FILE is there), loads it, learns at batch 4096, fills the replay store, takes a
snapshot. Prints the peak of the resident memory after each.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from experiment_configs.assemble import build
from experiment_configs.experiment import ExperimentConfig
from experiment_configs.run import Run
from lifelong_rl.config import from_dict
from lifelong_rl.recording.snapshot import save_snapshot

LIMIT = 3.0  # GB
NETWORK = {
    "encoder_sizes": [8], "latent_size": 8, "projector_sizes": [8], "projector_size": 8, "dynamics_sizes": [8],
    "energy": {"name": "iqe", "components": 2},
}  # fmt: skip


def main() -> None:
    """Prints a line per stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, help="generated if it is not there; default: a temporary file")
    parser.add_argument("--num_transitions", type=int, default=4_000_000)
    arguments = parser.parse_args()
    print(f"{'imports':30s} {peak_gigabytes():6.2f} GB")
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments.dataset or Path(folder) / "large.hdf5", arguments.num_transitions, Path(folder))
    peak = peak_gigabytes()
    print(f"peak {peak:.2f} GB (wanted: at most {LIMIT} before the networks' own)")
    sys.exit(peak > LIMIT)


def measure(dataset: Path, num_transitions: int, folder: Path) -> None:
    """Goes through the stages."""
    (folder / "run").mkdir()
    start = time.perf_counter()
    run = build(config_of(dataset, num_transitions), folder / "run")
    report("dataset, and run built", start)
    learn(run)
    report("an update at batch 4096", start)
    run.algorithm.collector.collect(run.algorithm.phases[1].random, run.config.replay_capacity)
    report("replay store full", start)
    learn(run, phase=1)
    save_snapshot(folder / "run/itr_1", {name: part.state_dict() for name, part in run.algorithm.parts.items()}, {})
    report("mixed update, and a snapshot", start)


def config_of(dataset: Path, num_transitions: int) -> ExperimentConfig:
    """The paper's batch and phases on maze2d-large, with networks that weigh nothing."""
    variant = {
        "task": {"name": "maze2d-large-v1"},
        "dataset": {"path": str(dataset), "num_transitions": num_transitions},
        "agent": {"name": "qrl", "num_critics": 2, "network": NETWORK, "actor": {"hidden_sizes": [8]}},
        "phases": [
            {"name": "offline", "num_epochs": 1, "updates_per_round": 1},
            {
                "name": "online", "num_epochs": 1, "env_steps_per_round": 500, "updates_per_round": 1,
                "offline_fraction": 0.5,
            },
        ],
        "sampler": {"batch_size": 4096},
    }  # fmt: skip
    return from_dict(ExperimentConfig, variant)


def learn(run: Run, phase: int = 0) -> None:
    """One update of a phase."""
    run.algorithm.agent.update(run.algorithm.phases[phase].sampler.sample())


def report(stage: str, start: float) -> None:
    """A line with the peak so far."""
    print(f"{stage:30s} {peak_gigabytes():6.2f} GB after {time.perf_counter() - start:.0f} s", flush=True)


def peak_gigabytes() -> float:
    """Of the resident memory of this process, ever."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


if __name__ == "__main__":
    main()
