"""CPU seconds of one QRL update (critics and actor) with the paper's networks, beside this machine's fp32 GEMM roof.

    python benchmarks/qrl_update.py [--nets maze2d|online|all] [--updates 9]

One thread; updates and matrix products take turns in this process. GFLOP are those of the matrix products of an
update, counted as they run (torch's FlopCounterMode), heads and element-wise work left out. The roof is that of the
quickest product the networks have (`lifelong_rl.networks.affine`); the wanted seconds were set where PyTorch's own
products ran at 137 GFLOP/s, and the last line says what they run at here.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from experiment_configs.agents.qrl import QRLConfig, build_qrl
from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.config import from_dict
from lifelong_rl.networks import affine
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

NAMED_ROOF = 137.0  # GFLOP/s of the machine whose figures are quoted in docs/benchmarks.md
GEMM_SHAPES = [(256, 512), (256, 1024), (512, 1024), (1024, 1024), (1024, 2048)]  # rows, width
GEMM_GFLOP = 10.0  # of each, in every turn

COMMON = {
    "projector_size": 2048, "energy": {"name": "iqe", "components": 64}, "layer_norm": False, "num_frequencies": 0,
}  # fmt: skip
NETS: dict[str, dict[str, Any]] = {  # Wang et al. 2023, their code's settings: offline maze2d, and online from states
    "maze2d": {
        "num_critics": 2,
        "goals": {"name": "state"},
        "network": {
            "encoder_sizes": [1024] * 3, "latent_size": 256, "projector_sizes": [1024, 1024],
            "dynamics_sizes": [1024] * 3, **COMMON,
        },
        "actor": {"hidden_sizes": [1024] * 4, "layer_norm": False, "behaviour_cloning_weight": 0.05},
    },
    "online": {
        "num_critics": 2,
        "goals": {"name": "state"},
        "network": {
            "encoder_sizes": [512, 512], "latent_size": 128, "projector_sizes": [512], "dynamics_sizes": [512, 512],
            **COMMON,
        },
        "critic": {"learning_rate": 1e-4, "push_offset": 15.0, "push_sharpness": 0.1, "dynamics_weight": 0.1},
        "actor": {
            "hidden_sizes": [512, 512], "layer_norm": False, "behaviour_cloning_weight": 0.0,
            "minimise_to_future_goals": True, "adaptive_entropy": True,
        },
    },
}  # fmt: skip
SIZES = {"maze2d": (4, 2), "online": (10, 4)}  # observation, action
LEAST = {"maze2d": 1.0, "online": 0.55}  # CPU seconds that an update may take where the roof is NAMED_ROOF


def main() -> None:
    """Prints a block for each set of networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", choices=[*NETS, "all"], default="all")
    parser.add_argument("--updates", type=int, default=9, help="measured updates of each (default: %(default)s)")
    parser.add_argument("--batch_size", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in NETS if arguments.nets == "all" else [arguments.nets]:
        report(name, arguments.batch_size, arguments.updates)


def report(name: str, batch_size: int, num_updates: int) -> None:
    """Measures one set of networks and prints what came out."""
    agent, batch = build(name, batch_size)
    with mock.patch.object(affine, "is_wide", return_value=False):  # the counter knows PyTorch's own products only
        gflop = counted_gflop(agent, batch)
    agent.update(batch)
    seconds, roofs, plain = [], [], []
    for _ in range(num_updates):
        roofs.append(gemm_roof(affine.affine))
        plain.append(gemm_roof(F.linear))
        start = time.process_time()
        agent.update(batch)
        seconds.append(time.process_time() - start)
    second, roof = statistics.median(seconds), statistics.median(roofs)
    print(f"{name}: batch {batch_size}, {num_updates} updates in turns with fp32 products, one thread")
    print(f"  CPU s per update      {second:8.3f}  (least {min(seconds):.3f}, most {max(seconds):.3f})")
    print(f"  GFLOP per update      {gflop:8.2f}")
    print(f"  GFLOP/s               {gflop / second:8.1f}")
    print(f"  fp32 GEMM roof        {roof:8.1f}  GFLOP/s")
    print(f"  share of the roof     {gflop / second / roof:8.1%}")
    print(f"  PyTorch's own products{statistics.median(plain):7.1f}  GFLOP/s")
    print(f"  wanted: at most {LEAST[name]} CPU s where those run at {NAMED_ROOF:.0f} GFLOP/s")


def build(name: str, batch_size: int) -> tuple[QRLAgent, Batch]:
    """The agent, and a batch of random numbers."""
    observation_size, action_size = SIZES[name]
    spec = TaskSpec(
        name=name, observation_shape=(observation_size,), goal_shape=(observation_size,), action_size=action_size,
        horizon=50, reward_fn=lambda achieved, goal: achieved[..., 0], success_fn=lambda a, g: a[..., 0] > g[..., 0],
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    agent = build_qrl(from_dict(QRLConfig, NETS[name], "nets"), spec, Seeds(0), "cpu")
    state, after, ahead = torch.randn(3, batch_size, observation_size, generator=generator)
    ones = torch.ones(batch_size)
    action = torch.rand(batch_size, action_size, generator=generator) * 2 - 1
    return agent, Batch(
        observation=state, action=action, reward=ones, discount=ones, next_observation=after, next_achieved_goal=after,
        goal=ahead, goal_observation=ahead, steps_to_goal=ones, cost=ones, ended=ones < 0,
    )  # fmt: skip


def counted_gflop(agent: QRLAgent, batch: Batch) -> float:
    """Of the matrix products of one update."""
    counter = FlopCounterMode(display=False)
    with counter:
        agent.update(batch)
    return counter.get_total_flops() / 1e9


def gemm_roof(product: Callable[[Tensor, Tensor, None], Tensor]) -> float:
    """GFLOP per CPU second of fp32 products [rows, width] x [width, width], of the quickest shape."""
    return max(_gemm_rate(product, rows, width) for rows, width in GEMM_SHAPES)


@torch.no_grad()
def _gemm_rate(product: Callable[[Tensor, Tensor, None], Tensor], rows: int, width: int) -> float:
    a, b = torch.ones(rows, width), torch.ones(width, width)
    gflop = 2 * rows * width**2 / 1e9
    repeats = math.ceil(GEMM_GFLOP / gflop)
    start = time.process_time()
    for _ in range(repeats):
        product(a, b, None)
    return gflop * repeats / (time.process_time() - start)


if __name__ == "__main__":
    main()
