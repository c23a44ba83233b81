"""How many steps a second does the batched maze2d make, observations, rewards, goals and resets included?

    python benchmarks/maze2d_steps.py [--task maze2d-umaze-v1] [--num_envs 256] [--num_threads 1]

Prints steps per second of wall clock and of CPU, beside the bare simulator's and a plain mj_step loop's, in turns.
"""

import argparse
import time
from collections.abc import Callable

import mujoco
import numpy as np
import torch

from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.registry import make_task

Rates = dict[str, list[tuple[float, float]]]


def main() -> None:
    """Measures the three ways in turns and prints their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="maze2d-umaze-v1")
    parser.add_argument("--num_envs", type=int, default=256)
    parser.add_argument("--num_threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=400, help="steps of the batch in each turn")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    task = make_task(
        arguments.task,
        num_envs=arguments.num_envs,
        generator=np.random.default_rng(0),
        random_goals=True,
        num_threads=arguments.num_threads,
    )
    actions = torch.empty(16, arguments.num_envs, 2).uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
    ways: dict[str, Callable[[int], int]] = {
        "task, all included": lambda steps: step_task(task, actions, steps),
        "bare rollout": lambda steps: step_physics(task, actions, steps),
        "one mj_step loop": lambda steps: step_single(task, actions, steps * 8),
    }
    rates: Rates = {name: [] for name in ways}
    for _ in range(arguments.turns):
        for name, way in ways.items():
            rates[name].append(measure(way, arguments.steps))

    print(f"{arguments.task}, {arguments.num_envs} environments, {arguments.num_threads} thread(s)")
    for name, turns in rates.items():
        wall, cpu = np.median(np.array(turns), axis=0)
        print(f"{name:20s} {wall:10,.0f} steps/s wall  {cpu:10,.0f} steps/CPU s")


def measure(way: Callable[[int], int], steps: int) -> tuple[float, float]:
    """Environment steps per second of wall clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    count = way(steps)
    return count / (time.perf_counter() - wall), count / (time.process_time() - cpu)


def step_task(task: Maze2dTask, actions: torch.Tensor, steps: int) -> int:
    """What a collector does: step, then reset what has ended."""
    for i in range(steps):
        outcome = task.step(actions[i % len(actions)])
        task.reset_where(outcome.terminated | outcome.truncated)
    return steps * task.num_envs


def step_physics(task: Maze2dTask, actions: torch.Tensor, steps: int) -> int:
    """The simulator with its clipping, and nothing more."""
    forces = actions.double().numpy()
    for i in range(steps):
        task.physics.step(forces[i % len(forces)])
    return steps * task.num_envs


def step_single(task: Maze2dTask, actions: torch.Tensor, steps: int) -> int:
    """One environment as a plain Python class would step it, with no observation and no reward."""
    model, forces = task.physics.model, actions.double().numpy()
    data = mujoco.MjData(model)
    data.qpos[:] = task.grid.goal_cell
    for i in range(steps):
        data.qvel[:] = np.clip(data.qvel, -5, 5)
        data.ctrl[:] = forces[i % len(forces), 0]
        mujoco.mj_step(model, data)
    return steps


if __name__ == "__main__":
    main()
