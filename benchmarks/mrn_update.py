"""CPU milliseconds of one whole DDPG update (critic, actor, targets) with each critic of the metric residual study.

    python benchmarks/mrn_update.py [--rounds 30] [--critics monolithic mrn] [--batch_size 1024]

FetchReach's shapes, the study's networks and settings, one thread. The critics take turns in this process, each turn
with fp32 matrix products beside it: on a busy machine compare figures of one run only. Drawing the batch is left out
(benchmarks/sampling.py has it: about 1 ms). The peer's figures are the study's own code, where products ran at 137
GFLOP/s by MKL.
"""

import argparse
import resource
import statistics
import time
from typing import Any

import torch
from off_policy_update import ACTION, GOAL, OBSERVATION, random_batch

from experiment_configs.agents.off_policy import DDPGConfig, build_ddpg
from experiment_utils.allocator import keep_freed_memory
from lifelong_rl.agents.ddpg import DDPGAgent
from lifelong_rl.config import from_dict
from lifelong_rl.networks.q_networks import Q_NETWORKS
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import TaskSpec

WANTED = {"monolithic": 36, "mrn": 44, "wide_norm": 48, "deep_norm": 55}  # at most so many ms at batch 1024
PEER = {"monolithic": 36.2, "bilinear": 38.0, "mrn": 48.1, "pqe": 50.4, "wide_norm": 59.9, "deep_norm": 70.2}
CRITICS = [name for name in Q_NETWORKS if name != "pair"]


def main() -> None:
    """Prints a line for each critic."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--critics", nargs="+", choices=CRITICS, default=CRITICS)
    parser.add_argument("--batch_size", type=int, default=1024)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as every job does
    batch = random_batch(arguments.batch_size)
    agents = {name: build(name) for name in arguments.critics}
    times: dict[str, list[float]] = {name: [] for name in agents}
    roofs = []
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for turn in range(arguments.rounds + 3):
        for name, agent in agents.items():
            start = time.process_time()
            agent.update(batch)
            if turn >= 3:
                times[name].append(1000 * (time.process_time() - start))
        roofs.append(gemm_roof())
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    report(times, statistics.median(roofs))
    print(f"{faults / (arguments.rounds + 3) / len(agents):.0f} page faults an update")


def report(times: dict[str, list[float]], roof: float) -> None:
    """Least and median of each, beside what was wanted and what the peer takes."""
    print(f"fp32 products: {roof:.0f} GFLOP/s; ms of processor time, one thread")
    print(f"{'critic':12}{'weights':>9}{'least':>8}{'median':>8}{'peer':>8}{'wanted':>8}")
    for name, spent in times.items():
        weights = sum(weight.numel() for weight in build(name).critic.network.parameters())
        median = statistics.median(spent)
        known = [f"{table[name]:8}" if name in table else f"{'-':>8}" for table in (PEER, WANTED)]
        figures = f"{min(spent):8.1f}{median:8.1f}{known[0]}{known[1]}"
        print(f"{name:12}{weights / 1000:8.1f}k{figures}", flush=True)


def build(name: str) -> DDPGAgent:
    """The study's agent with one of its critics."""
    spec = TaskSpec(
        name="numbers", observation_shape=(OBSERVATION,), goal_shape=(GOAL,), action_size=ACTION, horizon=50,
        reward_fn=lambda achieved, goal: achieved[..., 0], success_fn=lambda a, g: a[..., 0] > g[..., 0],
    )  # fmt: skip
    network: dict[str, Any] = {"name": name}
    if name == "monolithic":
        network["hidden_sizes"] = [256] * 3
    settings = {
        "network": network, "normalizer": {}, "target": {"rate": 0.1, "interval": 40},
        "critic": {"learning_rate": 1e-3, "loss_scale": 20.0, "target_range": [-50.0, 0.0]},
        "actor": {"learning_rate": 1e-3, "loss_scale": 20.0, "action_l2": 1.0, "hidden_sizes": [256] * 3},
    }  # fmt: skip
    torch.manual_seed(0)
    return build_ddpg(from_dict(DDPGConfig, settings), spec, Seeds(0), "cpu")


def gemm_roof() -> float:
    """GFLOP per second of processor time, of products [1024, 256] x [256, 256]."""
    a, b, repeats = torch.ones(1024, 256), torch.ones(256, 256), 20
    start = time.process_time()
    for _ in range(repeats):
        a @ b
    return repeats * 2 * 1024 * 256**2 / (time.process_time() - start) / 1e9


if __name__ == "__main__":
    main()
