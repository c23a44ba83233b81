"""CPU seconds that 10,000 environment steps with an update each take: DDPG, TD3, SAC with hindsight, and SAC without.

    python benchmarks/off_policy_steps.py [--steps 10000] [--cases ddpg td3 sac cheetah]

Whole runs, as the run scripts start them: one environment, batch 256, two layers of 256, one thread, an update for
each step after 1,000 random ones, whose time counts as well; no evaluation. The wanted seconds were set from SB3 (101,
108, 155 to 170; 130) where a product of 256 x 256 numbers ran at 120 to 130 GFLOP/s; the last column is this machine.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from off_policy_update import product_speed

from experiment_configs import ExperimentConfig, build
from experiment_utils.allocator import keep_freed_memory
from lifelong_rl.config import from_dict

sys.path.insert(0, str(Path(__file__).parents[1]))
from run_scripts.her_fetch import variant as fetch  # noqa: E402
from run_scripts.sac_mujoco import variant as mujoco  # noqa: E402

CASES: dict[str, tuple[str, dict[str, Any], float]] = {  # agent, variant, seconds wanted at most
    "ddpg": ("ddpg", fetch, 80.0),
    "td3": ("td3", fetch, 90.0),
    "sac": ("sac", fetch, 125.0),
    "cheetah": ("sac", mujoco, 110.0),
}


def main() -> None:
    """Prints a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000, help="with an update each; seconds are scaled to 10,000")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    keep_freed_memory()  # as every job does
    lines = ["case     task            CPU s  wanted  GFLOP/s"]
    for name in arguments.cases:
        before, seconds, after = usual_speed(), measure(name, arguments.steps), usual_speed()
        task, wanted = CASES[name][1]["task"]["name"], CASES[name][2]
        lines.append(f"{name:8} {task:14}{seconds:7.1f}{wanted:8.0f}{statistics.mean((before, after)):9.1f}")
    print("\n".join(lines))


def usual_speed() -> float:
    """GFLOP/s, the median of some: the first products after a pause are slow."""
    return statistics.median(product_speed() for _ in range(15))


def measure(name: str, steps: int) -> float:
    """Seconds of processor time of this process and its threads, for 10,000 steps."""
    agent, variant, _ = CASES[name]
    phase = variant["phases"][0] | {"num_epochs": 1, "rounds_per_epoch": steps // 50, "random_env_steps": 1000}
    sizes = {"hidden_sizes": [256, 256]}
    settings = variant["agent"] | {"name": agent, "network": {"name": "monolithic"} | sizes}
    changes = {"agent": settings, "phases": [phase], "evaluation": {"goals": []}, "num_threads": 1}
    config = from_dict(ExperimentConfig, variant | changes)
    with tempfile.TemporaryDirectory() as folder:
        run = build(config, Path(folder))
        start = time.process_time()
        run.train()
        return (time.process_time() - start) / (steps // 50 * 50) * 10_000


if __name__ == "__main__":
    main()
